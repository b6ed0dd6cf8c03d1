//! Pooling: one worker's part of it, forward beside backward.

use super::image_block::{BlockPass, ImageLayer, ImagesMut, ImagesRef};
use crate::exec::plan::Plan;
use crate::kernels::conv::{PoolBackward, PoolForward, Pooling, Windows};
use crate::simd::{F32x16, zeroed};

/// One worker's pooling.
pub(crate) struct Pool {
    pooling: Pooling,
    windows: Windows,
    /// For each image block of the worker, which number of its window is each of the greatest.
    winners: Vec<F32x16>,
}

impl Pool {
    /// The pooling of each worker.
    pub(crate) fn allocate(pooling: Pooling, windows: Windows, plan: &Plan) -> Vec<Self> {
        let pool = |rank| {
            let winners = match pooling {
                Pooling::Max => zeroed(plan.image_blocks(rank).len() * windows.numbers()),
                Pooling::Average => Vec::new(),
            };
            Self { pooling, windows, winners }
        };
        (0..plan.workers).map(pool).collect()
    }
}

impl ImageLayer for Pool {
    fn forward(&mut self, at: &BlockPass<'_>, x: ImagesRef<'_>, y: ImagesMut<'_>) {
        let Self { pooling, windows, winners } = self;
        let winners = winners.chunks_exact_mut(windows.numbers()).nth(at.block);
        at.isa().run(PoolForward {
            pooling: *pooling,
            windows: *windows,
            input: x.vectors,
            output: y.vectors,
            winners: winners.unwrap_or_default(),
        });
    }

    fn backward(
        &mut self,
        at: &BlockPass<'_>,
        _passed: (ImagesRef<'_>, ImagesRef<'_>),
        dy: &[F32x16],
        dx: &mut [F32x16],
    ) {
        let Self { pooling, windows, winners } = self;
        let winners = winners.chunks_exact(windows.numbers()).nth(at.block).unwrap_or_default();
        at.isa().run(PoolBackward { pooling: *pooling, windows: *windows, winners, dy, dx });
    }
}
