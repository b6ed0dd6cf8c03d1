//! From images one after the other to a lane an image, from there to blocked numbers, and back.

use std::ops::Range;

use crate::exec::layout::{Blocked, BlockedMut};
use crate::kernels::conv::{NonZeroBounds, Volume};
use crate::simd::{F32x16, Kernel, LANES, Simd, collect_block, load_up_to_all, transpose_block};

/// From 16 images of one channel, one after the other, to a lane an image; tells which part of
/// them is not zero.
pub(super) struct Interleave<'a> {
    pub(super) images: &'a [f32],
    pub(super) volume: Volume,
    pub(super) vectors: &'a mut [F32x16],
}

impl Kernel for Interleave<'_> {
    type Output = NonZeroBounds;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> NonZeroBounds {
        let Self { images, volume, vectors } = self;
        let size = volume.height * volume.width;
        let (mut rows, mut columns) = (volume.height..0, volume.width..0);
        let (mut y, mut x) = (0, 0);
        for first in (0..size).step_by(LANES) {
            let count = LANES.min(size - first);
            let pixels = (0..LANES).map(|lane| &images[lane * size + first..][..count]);
            let block = collect_block(s, pixels.map(|pixels| load_up_to_all(s, pixels)));
            for pixel in s.transpose(block).into_iter().take(count) {
                s.store(pixel, &mut vectors[volume.at(y, x)]);
                if s.any(s.lt(s.zero(), pixel)) {
                    rows = rows.start.min(y)..y + 1;
                    columns = columns.start.min(x)..columns.end.max(x + 1);
                }
                x += 1;
                if x == volume.width {
                    (y, x) = (y + 1, 0);
                }
            }
        }
        NonZeroBounds {
            rows: rows.start.min(rows.end)..rows.end,
            columns: columns.start.min(columns.end)..columns.end,
        }
    }
}

/// From a lane an image to blocked numbers.
pub(super) struct Flatten<'a, 'w> {
    pub(super) flat: &'a [F32x16],
    /// The images' places in the minibatch.
    pub(super) samples: Range<usize>,
    pub(super) output: &'a mut BlockedMut<'w>,
}

impl Kernel for Flatten<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { flat, samples, output } = self;
        for (block, numbers) in flat.chunks(LANES).enumerate() {
            let row = output.row(block, samples.clone());
            transpose_block(s, numbers.iter().map(|number| s.load(number)), row);
        }
    }
}

/// From blocked numbers back to a lane an image; lanes without an image become zero.
pub(super) struct Unflatten<'a> {
    pub(super) gradient: Blocked<'a>,
    /// The images' places in the minibatch.
    pub(super) samples: Range<usize>,
    pub(super) flat: &'a mut [F32x16],
}

impl Kernel for Unflatten<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { gradient, samples, flat } = self;
        for (block, numbers) in flat.chunks_mut(LANES).enumerate() {
            let row = gradient.row(block, samples.clone()).iter();
            transpose_block(s, row.map(|vector| s.load(vector)), numbers);
        }
    }
}
