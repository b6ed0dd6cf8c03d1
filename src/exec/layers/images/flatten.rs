//! From images one after the other to a lane an image, from there to blocked numbers, and back.

use std::ops::Range;

use crate::exec::layout::{Blocked, BlockedMut};
use crate::kernels::conv::{NonZeroBounds, Volume};
use crate::simd::{F32x16, Kernel, LANES, Simd};

/// From sixteen images of one channel, one after the other, to a lane an image; tells which part of
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
            let mut square = [s.zero(); LANES];
            for (lane, vector) in square.iter_mut().enumerate() {
                let pixels = &images[lane * size + first..][..count];
                *vector = match pixels.first_chunk() {
                    Some(pixels) => s.load_unaligned(pixels),
                    None => s.load_partial(pixels),
                };
            }
            for pixel in s.transpose(square).into_iter().take(count) {
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
            let mut square = [s.zero(); LANES];
            for (vector, number) in square.iter_mut().zip(numbers) {
                *vector = s.load(number);
            }
            let row = output.row(block, samples.clone());
            for (vector, into) in s.transpose(square).into_iter().zip(row) {
                s.store(vector, into);
            }
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
            let mut square = [s.zero(); LANES];
            for (vector, from) in square.iter_mut().zip(gradient.row(block, samples.clone())) {
                *vector = s.load(from);
            }
            for (vector, number) in s.transpose(square).into_iter().zip(numbers) {
                s.store(vector, number);
            }
        }
    }
}
