//! Sums over windows, y\[o\] = start + Σ x\[o · stride + k\] · w\[k\]: a convolution forward, and, with
//! flipped kernels, the gradient of its inputs.
//!
//! Each sum is one over the taps k ascending, one fused multiply-add at a time. Taps that meet
//! nothing but zeros are left out.

use std::ops::Range;

use super::micro_kernel::{ByChannels, Taps, accumulate, by_channels};
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
        by_channels(s, self.outputs, &mut Tiles { correlation: self, positions, epilogue });
        P
    }

    /// Adds to the sums of a tile what the windows at its positions bring.
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
                tap_stride: self.outputs,
                channel_stride: 1,
                run,
            };
            sums = accumulate(s, sums, taps);
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

/// The tiles at `P` positions.
struct Tiles<'a, E, const P: usize> {
    correlation: &'a Correlation<'a>,
    positions: &'a [Position; P],
    epilogue: &'a mut E,
}

impl<S: Simd, E: Epilogue<S, Position>, const P: usize> ByChannels<S> for Tiles<'_, E, P> {
    #[inline(always)]
    fn run<const C: usize>(&mut self, s: S, channel: usize) {
        let Self { correlation, positions, epilogue } = self;
        let mut sums = [[s.zero(); C]; P];
        for (&position, sums) in positions.iter().zip(&mut sums) {
            for (c, sum) in sums.iter_mut().enumerate() {
                *sum = epilogue.start(s, position, channel + c);
            }
        }
        if P * C <= vectors_for_sums::<S>() {
            sums = correlation.add_windows(s, positions, channel, sums);
        } else {
            for (&position, sums) in positions.iter().zip(&mut sums) {
                [*sums] = correlation.add_windows(s, &[position], channel, [*sums]);
            }
        }
        epilogue.finish_tile(s, positions, channel, sums);
    }
}
