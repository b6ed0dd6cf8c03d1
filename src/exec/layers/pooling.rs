//! Pooling: one rank's part of it, forward beside backward.

use crate::kernels::conv::{PoolBackward, PoolForward, Pooling, Windows};
use crate::simd::Isa;
use crate::simd::{F32x16, zeroed};

/// One rank's pooling.
pub(crate) struct Pool {
    pooling: Pooling,
    windows: Windows,
    /// For each sixteen images of the rank, which number of its window is each of the greatest.
    winners: Vec<F32x16>,
}

impl Pool {
    /// Pools up to `sixteens` sixteens of images.
    pub(crate) fn new(pooling: Pooling, windows: Windows, sixteens: usize) -> Self {
        let winners = match pooling {
            Pooling::Max => zeroed(sixteens * windows.numbers()),
            Pooling::Average => Vec::new(),
        };
        Self { pooling, windows, winners }
    }

    /// Pools the rank's `sixteen`th sixteen images.
    pub(crate) fn forward(
        &mut self,
        isa: Isa,
        sixteen: usize,
        input: &[F32x16],
        output: &mut [F32x16],
    ) {
        let Self { pooling, windows, winners } = self;
        let count = windows.numbers();
        let winners = winners.chunks_exact_mut(count).nth(sixteen).unwrap_or_default();
        isa.run(PoolForward { pooling: *pooling, windows: *windows, input, output, winners });
    }

    /// From the gradient `dy` of the outputs that of the inputs.
    pub(crate) fn backward(&self, isa: Isa, sixteen: usize, dy: &[F32x16], dx: &mut [F32x16]) {
        let Self { pooling, windows, winners } = self;
        let winners = winners.chunks_exact(windows.numbers()).nth(sixteen).unwrap_or_default();
        isa.run(PoolBackward { pooling: *pooling, windows: *windows, winners, dy, dx });
    }
}
