//! Sums over windows, y\[o\] = start + Σ x\[o · stride + k\] · w\[k\]: a convolution forward, and, with
//! flipped kernels, the gradient of its inputs.
//!
//! Each sum is one over the taps k ascending, one fused multiply-add at a time. Taps that meet
//! nothing but zeros are left out.

#![allow(unsafe_code, reason = "the innermost loop goes without bounds checks")]

use std::ops::Range;

use super::window::taps_in;
use super::{NonZeroBounds, Volume, Window, vectors_for_sums};
use crate::kernels::Epilogue;
use crate::simd::{F32x16, Simd};

/// Windows that slide over an image block.
#[derive(Clone, Debug)]
pub(crate) struct Correlation<'a> {
    pub(crate) input: &'a [F32x16],
    /// Of the input; its border is as wide as windows reach out of the image.
    pub(crate) volume: Volume,
    /// What of the input is not zero.
    pub(crate) nonzero: NonZeroBounds,
    /// Only every so many rows of the input are not zero.
    pub(crate) row_step: usize,
    pub(crate) kernel: Window,
    pub(crate) stride: Window,
    /// Height × width × inputs × outputs.
    pub(crate) weights: &'a [f32],
    /// Channels of the output.
    pub(crate) outputs: usize,
    /// How many rows and columns of positions the windows take.
    pub(crate) positions: Window,
    pub(crate) tiling: Tiling,
}

/// Where a window stands, counted in strides: row and column of its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) y: usize,
    pub(crate) x: usize,
}

/// How positions are gathered into tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tiling {
    /// Neighbours in a row.
    Rows,
    /// Squares of four, whose sums are finished together: left to right, then down. What is left
    /// over at the ends is not computed.
    Squares,
}

impl Correlation<'_> {
    /// Computes the outputs at all positions; the epilogue's rows are positions, its columns
    /// channels.
    #[inline(always)]
    pub(crate) fn run<S: Simd, E: Epilogue<S, Position>>(&self, s: S, epilogue: &mut E) {
        let Window { height, width } = self.positions;
        match self.tiling {
            Tiling::Squares => {
                for bottom in (1..height).step_by(2) {
                    for right in (1..width).step_by(2) {
                        let (top, left) = (bottom - 1, right - 1);
                        let square = [(top, left), (top, right), (bottom, left), (bottom, right)];
                        self.channels(s, &square.map(|(y, x)| Position { y, x }), epilogue);
                    }
                }
            }
            Tiling::Rows => {
                for y in 0..height {
                    let mut x = 0;
                    while x < width {
                        x += self.part_of_row(s, Position { y, x }, epilogue);
                    }
                }
            }
        }
    }

    /// Computes some of the outputs of a row from position `first` on; returns how many.
    #[inline(always)]
    fn part_of_row<S: Simd, E: Epilogue<S, Position>>(
        &self,
        s: S,
        first: Position,
        epilogue: &mut E,
    ) -> usize {
        let Position { y, x } = first;
        let left = self.positions.width - x;
        // Near an edge the windows of a wide tile have few taps in common.
        let cost = |x: usize, count| count * self.columns(x, x + count - 1).len();
        if vectors_for_sums::<S>() < 24 {
            self.channels(s, &[first], epilogue)
        } else if left >= 4 && cost(x, 4) <= cost(x, 2) + cost(x + 2, 2) {
            let four = [x, x + 1, x + 2, x + 3].map(|x| Position { y, x });
            self.channels(s, &four, epilogue)
        } else if left >= 2 {
            self.channels(s, &[first, Position { y, x: x + 1 }], epilogue)
        } else {
            self.channels(s, &[first], epilogue)
        }
    }

    /// Computes all channels at `P` positions; returns `P`.
    #[inline(always)]
    fn channels<S: Simd, E: Epilogue<S, Position>, const P: usize>(
        &self,
        s: S,
        positions: &[Position; P],
        epilogue: &mut E,
    ) -> usize {
        let most = 6.min(vectors_for_sums::<S>());
        let mut channel = 0;
        while channel < self.outputs {
            let left = self.outputs - channel;
            channel += match most.min(left) {
                // Seven and eight are better halved than left with one or two, and so are four.
                6 if !matches!(left, 7 | 8) => {
                    self.tile::<S, E, P, 6>(s, positions, channel, epilogue)
                }
                4.. => self.tile::<S, E, P, 4>(s, positions, channel, epilogue),
                3 if left != 4 => self.tile::<S, E, P, 3>(s, positions, channel, epilogue),
                2.. => self.tile::<S, E, P, 2>(s, positions, channel, epilogue),
                _ => self.tile::<S, E, P, 1>(s, positions, channel, epilogue),
            };
        }
        P
    }

    /// Computes `C` channels from `channel` on at `P` positions; returns `C`.
    #[inline(always)]
    fn tile<S: Simd, E: Epilogue<S, Position>, const P: usize, const C: usize>(
        &self,
        s: S,
        positions: &[Position; P],
        channel: usize,
        epilogue: &mut E,
    ) -> usize {
        let mut sums = [[s.zero(); C]; P];
        for (&position, sums) in positions.iter().zip(&mut sums) {
            for (c, sum) in sums.iter_mut().enumerate() {
                *sum = epilogue.start(s, position, channel + c);
            }
        }
        if P * C <= vectors_for_sums::<S>() {
            sums = self.add_windows(s, positions, channel, sums);
        } else {
            for (&position, sums) in positions.iter().zip(&mut sums) {
                [*sums] = self.add_windows(s, &[position], channel, [*sums]);
            }
        }
        epilogue.finish_tile(s, positions, channel, sums);
        C
    }

    /// Adds to the sums of a tile what the windows at its positions bring. By value, as sums behind a
    /// reference would be written to memory at each step.
    #[inline(always)]
    fn add_windows<S: Simd, const P: usize, const C: usize>(
        &self,
        s: S,
        positions: &[Position; P],
        channel: usize,
        mut sums: [[S::F32; C]; P],
    ) -> [[S::F32; C]; P] {
        let (volume, stride) = (&self.volume, self.stride);
        let (row_stride, inputs) = (volume.row_stride(), volume.channels);
        let (first, last) = (positions[0], positions[P - 1]);
        let offsets = positions.map(|Position { y, x }| {
            (y - first.y) * stride.height * row_stride + (x - first.x) * stride.width * inputs
        });
        let columns = self.columns(first.x, last.x);
        let run = columns.len() * inputs;
        let rows = if columns.is_empty() { 0..0 } else { self.rows(first.y, last.y) };
        for ky in rows {
            let row = first.y * stride.height + ky;
            if first.y == last.y && !(row - volume.border.top).is_multiple_of(self.row_step) {
                continue;
            }
            let at = row * row_stride + (first.x * stride.width + columns.start) * inputs;
            let tap = (ky * self.kernel.width + columns.start) * inputs;
            let taps = Taps {
                input: &self.input[at..],
                offsets,
                weights: &self.weights[tap * self.outputs + channel..],
                outputs: self.outputs,
                run,
            };
            let reach = run - 1;
            assert!(
                offsets[P - 1] + reach < taps.input.len()
                    && reach * self.outputs + C <= taps.weights.len(),
                "a window leaves its input"
            );
            // SAFETY: just checked; the last of the offsets, those of positions in order, is the
            // greatest.
            unsafe { accumulate(s, &mut sums, taps) };
        }
        sums
    }

    /// The rows of the window that meet something non-zero, at one of the rows of positions from
    /// `first` to `last`.
    #[inline(always)]
    fn rows(&self, first: usize, last: usize) -> Range<usize> {
        let stride = self.stride.height;
        let nonzero = self.volume.rows_with_border(&self.nonzero);
        taps_in(&nonzero, self.kernel.height, first * stride, last * stride)
    }

    /// The columns of the window that meet something non-zero, at one of the columns of positions
    /// from `first` to `last`.
    #[inline(always)]
    fn columns(&self, first: usize, last: usize) -> Range<usize> {
        let stride = self.stride.width;
        let nonzero = self.volume.columns_with_border(&self.nonzero);
        taps_in(&nonzero, self.kernel.width, first * stride, last * stride)
    }
}

/// A run of taps of a tile: what the micro-kernel reads.
#[derive(Clone, Copy)]
struct Taps<'a, const P: usize> {
    input: &'a [F32x16],
    /// Where the window of each position begins in the input.
    offsets: [usize; P],
    weights: &'a [f32],
    /// Weights from a tap to the next.
    outputs: usize,
    /// How many taps.
    run: usize,
}

/// The micro-kernel: adds the products of a run of taps to the sums of a tile.
///
/// For each tap, `P` vectors of the input are loaded and `C` weights broadcast, for `P` · `C`
/// multiply-adds.
///
/// # Safety
/// `input` holds `offset + run` vectors for each of `offsets`, and `weights` `run` rows, `outputs`
/// apart, of `C` numbers.
#[inline(always)]
unsafe fn accumulate<S: Simd, const P: usize, const C: usize>(
    s: S,
    sums: &mut [[S::F32; C]; P],
    Taps { input, offsets, weights, outputs, run }: Taps<'_, P>,
) {
    let mut row = 0;
    for tap in 0..run {
        let mut x = [s.zero(); P];
        for (x, offset) in x.iter_mut().zip(offsets) {
            // SAFETY: by the caller's promise.
            *x = s.load(unsafe { input.get_unchecked(offset + tap) });
        }
        for c in 0..C {
            // SAFETY: by the caller's promise.
            let w = s.splat(unsafe { *weights.get_unchecked(row + c) });
            for (sums, &x) in sums.iter_mut().zip(&x) {
                sums[c] = s.mul_add(x, w, sums[c]);
            }
        }
        row += outputs;
    }
}
