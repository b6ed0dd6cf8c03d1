//! Pooling, channel by channel: the greatest number or the mean of each window, forward beside
//! backward.

use super::{Volume, Window};
use crate::kernels::ops::argmax::argmax;
use crate::simd::{F32x16, Kernel, Simd};

/// What becomes of the numbers of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// The greatest; the first of equal ones, row by row. NaN passes.
    Max,
    /// Their mean.
    Average,
}

/// The windows of a pooling, and what they slide over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    pub(crate) input: Volume,
    pub(crate) output: Volume,
    pub(crate) size: Window,
    pub(crate) stride: Window,
}

impl Windows {
    /// Calls `each` for position after position: with where the taps of its window stand in the
    /// input, first channel, row by row, and where its output stands.
    #[inline(always)]
    fn for_each(&self, mut each: impl FnMut(&dyn Fn(usize) -> usize, usize)) {
        let Self { input, output, size, stride } = self;
        for y in 0..output.height {
            for x in 0..output.width {
                let (row, column) = (y * stride.height, x * stride.width);
                let tap = |tap: usize| input.at(row + tap / size.width, column + tap % size.width);
                each(&tap, output.at(y, x));
            }
        }
    }

    /// Numbers of an output: height × width × channels.
    pub(crate) fn numbers(&self) -> usize {
        let Volume { height, width, channels, .. } = self.output;
        height * width * channels
    }

    /// Numbers of a window.
    fn taps(&self) -> usize {
        self.size.height * self.size.width
    }
}

/// Pools an image block.
pub(crate) struct PoolForward<'a> {
    pub(crate) pooling: Pooling,
    pub(crate) windows: Windows,
    pub(crate) input: &'a [F32x16],
    pub(crate) output: &'a mut [F32x16],
    /// The index of the greatest number of its window, for each output without border; only for
    /// [`Pooling::Max`].
    pub(crate) winners: &'a mut [F32x16],
}

impl Kernel for PoolForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { pooling, windows, input, output, winners } = self;
        let (channels, taps) = (windows.input.channels, windows.taps());
        let share = s.splat(1.0 / taps as f32);
        let mut number = 0;
        windows.for_each(|tap, at| {
            for channel in 0..channels {
                let x = |index| s.load(&input[tap(index) + channel]);
                let pooled = match pooling {
                    Pooling::Max => {
                        let (greatest, winner) = greatest(s, (0..taps).map(x));
                        s.store(winner, &mut winners[number]);
                        greatest
                    }
                    Pooling::Average => {
                        let sum = (1..taps).fold(x(0), |sum, index| s.add(sum, x(index)));
                        s.mul(sum, share)
                    }
                };
                s.store(pooled, &mut output[at + channel]);
                number += 1;
            }
        });
    }
}

/// In each lane, the greatest of `numbers` and its index, from 0; the first of equal ones. It is
/// NaN where one of them is.
#[inline(always)]
pub(crate) fn greatest<S: Simd>(s: S, numbers: impl Iterator<Item = S::F32>) -> (S::F32, S::F32) {
    let mut sum = s.zero();
    let (best, index) = argmax(s, numbers.inspect(|&x| sum = s.add(sum, x)));
    // Comparisons with NaN are false, but a sum with NaN is NaN.
    (s.select(s.eq(sum, sum), best, sum), index)
}

/// Takes the gradient `dy` of the outputs back to the inputs.
pub(crate) struct PoolBackward<'a> {
    pub(crate) pooling: Pooling,
    pub(crate) windows: Windows,
    pub(crate) winners: &'a [F32x16],
    /// As the outputs, without border.
    pub(crate) dy: &'a [F32x16],
    /// As the inputs, without border.
    pub(crate) dx: &'a mut [F32x16],
}

impl Kernel for PoolBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { pooling, mut windows, winners, dy, dx } = self;
        windows.input.border = Default::default();
        windows.output.border = Default::default();
        let (channels, taps) = (windows.input.channels, windows.taps());
        let share = s.splat(1.0 / taps as f32);
        dx.fill(F32x16::default());
        windows.for_each(|tap, at| {
            for channel in 0..channels {
                let dy = s.load(&dy[at + channel]);
                for index in 0..taps {
                    let dx = &mut dx[tap(index) + channel];
                    let part = match pooling {
                        Pooling::Max => {
                            let winner = s.load(&winners[at + channel]);
                            let wins = s.eq(winner, s.splat(index as f32));
                            s.select(wins, dy, s.zero())
                        }
                        Pooling::Average => s.mul(dy, share),
                    };
                    s.store(s.add(s.load(dx), part), dx);
                }
            }
        });
    }
}
