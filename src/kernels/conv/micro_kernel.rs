//! The micro-kernel of windows: vectors, one image or one channel a lane, times numbers that are
//! broadcast to all lanes; and which channels are taken at a time.

#![allow(unsafe_code, reason = "the innermost loop goes without bounds checks")]

use super::vectors_for_sums;
use crate::simd::{F32x16, LANES, Simd};

/// A run of taps of a tile: what the micro-kernel reads.
#[derive(Clone, Copy)]
pub(super) struct Taps<'a, const P: usize> {
    pub(super) input: &'a [F32x16],
    /// Where the taps of each position begin in the input, ascending.
    pub(super) offsets: [usize; P],
    pub(super) weights: &'a [f32],
    /// Weights from a tap to the next.
    pub(super) tap_stride: usize,
    /// Weights from a channel to the next.
    pub(super) channel_stride: usize,
    /// How many taps, at least one.
    pub(super) run: usize,
}

/// Adds the products of a run of taps to the sums of a tile, `P` positions × `C` channels. By value,
/// as sums behind a reference would be written to memory at each step.
///
/// For each tap, `P` vectors of the input are loaded and `C` weights broadcast, for `P` · `C`
/// multiply-adds.
#[inline(always)]
pub(super) fn accumulate<S: Simd, const P: usize, const C: usize>(
    s: S,
    mut sums: [[S::F32; C]; P],
    taps: Taps<'_, P>,
) -> [[S::F32; C]; P] {
    let Taps { input, offsets, weights, tap_stride, channel_stride, run } = taps;
    let reach = run - 1;
    assert!(
        offsets[P - 1] + reach < input.len()
            && reach * tap_stride + (C - 1) * channel_stride < weights.len(),
        "a window leaves its input"
    );
    let mut row = 0;
    for tap in 0..run {
        let mut x = [s.zero(); P];
        for (x, offset) in x.iter_mut().zip(offsets) {
            // SAFETY: just checked of the last tap and the last of the offsets, the greatest.
            *x = s.load(unsafe { input.get_unchecked(offset + tap) });
        }
        for c in 0..C {
            // SAFETY: just checked of the last tap and the last channel.
            let w = s.splat(unsafe { *weights.get_unchecked(row + c * channel_stride) });
            for (sums, &x) in sums.iter_mut().zip(&x) {
                sums[c] = s.mul_add(x, w, sums[c]);
            }
        }
        row += tap_stride;
    }
    sums
}

/// The products of what 16 images have at one place: channels of dz, which are lanes, times inputs, which
/// are broadcast. They are added up image after image, and then to the sums.
pub(super) struct ImageProducts<'a> {
    /// Of each image, 16 channels of dz.
    pub(super) dz: &'a [F32x16],
    /// Inputs × images.
    pub(super) inputs: &'a [f32],
    /// A vector for each input.
    pub(super) sums: &'a mut [F32x16],
}

impl<S: Simd> ByChannels<S> for ImageProducts<'_> {
    #[inline(always)]
    fn run<const C: usize>(&mut self, s: S, channel: usize) {
        let taps = Taps {
            input: self.dz,
            offsets: [0],
            weights: &self.inputs[channel * LANES..],
            tap_stride: 1,
            channel_stride: LANES,
            run: LANES,
        };
        let [products] = accumulate(s, [[s.zero(); C]], taps);
        for (&product, sum) in products.iter().zip(&mut self.sums[channel..][..C]) {
            s.store(s.add(s.load(sum), product), sum);
        }
    }
}

/// What is done for some neighbouring channels at a time.
pub(super) trait ByChannels<S: Simd> {
    /// Does it for `C` channels from `channel` on.
    fn run<const C: usize>(&mut self, s: S, channel: usize);
}

/// Has `work` done for all of `channels`, six at a time where the registers hold so many sums.
#[inline(always)]
pub(super) fn by_channels<S: Simd>(s: S, channels: usize, work: &mut impl ByChannels<S>) {
    let most = 6.min(vectors_for_sums::<S>());
    let mut channel = 0;
    while channel < channels {
        let left = channels - channel;
        channel += match most.min(left) {
            // Seven and eight are better halved than left with one or two, and so are four.
            6 if !matches!(left, 7 | 8) => {
                work.run::<6>(s, channel);
                6
            }
            4.. => {
                work.run::<4>(s, channel);
                4
            }
            3 if left != 4 => {
                work.run::<3>(s, channel);
                3
            }
            2.. => {
                work.run::<2>(s, channel);
                2
            }
            _ => {
                work.run::<1>(s, channel);
                1
            }
        };
    }
}
