//! Sums over windows: y\[o\] = start + Σ x\[o · stride + k\] · w\[k\], forward and, with kernels
//! turned about, for the gradient of the inputs.
//!
//! Each sum is one over the taps k ascending, one fused multiply-add at a time. Taps that meet
//! nothing but zeros are left out.

#![allow(unsafe_code, reason = "the innermost loop goes without bounds checks")]

use std::ops::Range;

use super::{NonZeroBounds, Volume, Window, has_many_registers, taps};
use crate::simd::F32x16;
use crate::simd::Simd;

/// Windows that slide over sixteen images.
#[derive(Clone, Debug)]
pub(crate) struct Correlation<'a> {
    pub(crate) input: &'a [F32x16],
    /// Of the input; its border is as wide as windows reach out of the image.
    pub(crate) volume: Volume,
    pub(crate) lit: NonZeroBounds,
    /// Only every so many rows of the input are not zero.
    pub(crate) row_step: usize,
    pub(crate) kernel: Window,
    pub(crate) stride: Window,
    /// Height × width × inputs × outputs.
    pub(crate) weights: &'a [f32],
    /// Channels of the output.
    pub(crate) outputs: usize,
}

/// What a sum starts from and what becomes of it.
pub(crate) trait Finish<S: Simd> {
    /// What the sums of `channel` start from.
    fn start(&self, s: S, channel: usize) -> S::F32;
    /// Takes the sums of a tile: `C` channels from `channel` on at each of `P` places.
    fn finish<const P: usize, const C: usize>(
        &mut self,
        s: S,
        places: &[Place; P],
        channel: usize,
        sums: [[S::F32; C]; P],
    );
}

/// Row and column of an output.
pub(crate) type Place = (usize, usize);

/// How places are gathered into tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tiling {
    /// Neighbours in a row.
    Rows,
    /// Squares of four, whose sums are finished together: left to right, then down. What is left
    /// over at the ends is not computed.
    Squares,
}

impl Correlation<'_> {
    /// Computes the outputs at `height` × `width` places.
    #[inline(always)]
    pub(crate) fn run<S: Simd, E: Finish<S>>(
        &self,
        s: S,
        (height, width): (usize, usize),
        tiling: Tiling,
        finish: &mut E,
    ) {
        match tiling {
            Tiling::Squares => {
                for y in (1..height).step_by(2) {
                    for x in (1..width).step_by(2) {
                        let places = [(y - 1, x - 1), (y - 1, x), (y, x - 1), (y, x)];
                        self.places(s, places, finish);
                    }
                }
            }
            Tiling::Rows => {
                for y in 0..height {
                    let mut x = 0;
                    while x < width {
                        x += self.part_of_row(s, (y, x), width - x, finish);
                    }
                }
            }
        }
    }

    /// Computes some of the `left` outputs of a row from place (y, x) on; returns how many.
    #[inline(always)]
    fn part_of_row<S: Simd, E: Finish<S>>(
        &self,
        s: S,
        (y, x): Place,
        left: usize,
        finish: &mut E,
    ) -> usize {
        if !has_many_registers::<S>() {
            self.places(s, [(y, x)], finish);
            return 1;
        }
        // Near an edge the places of a wide tile have few taps in common.
        let cost = |x: usize, count| count * self.columns((x, x + count - 1)).len();
        if left >= 4 && cost(x, 4) <= cost(x, 2) + cost(x + 2, 2) {
            self.places(s, [(y, x), (y, x + 1), (y, x + 2), (y, x + 3)], finish);
            4
        } else if left >= 2 {
            self.places(s, [(y, x), (y, x + 1)], finish);
            2
        } else {
            self.places(s, [(y, x)], finish);
            1
        }
    }

    /// Computes all channels at `P` places.
    #[inline(always)]
    fn places<S: Simd, E: Finish<S>, const P: usize>(
        &self,
        s: S,
        places: [Place; P],
        finish: &mut E,
    ) {
        let most = if P == 1 || has_many_registers::<S>() { 6 } else { 1 };
        let mut channel = 0;
        while channel < self.outputs {
            channel += match most.min(self.outputs - channel) {
                // Seven and eight are better halved than left with one or two.
                6 if !matches!(self.outputs - channel, 7 | 8) => {
                    self.tile::<S, E, P, 6>(s, &places, channel, finish)
                }
                4.. => self.tile::<S, E, P, 4>(s, &places, channel, finish),
                2.. => self.tile::<S, E, P, 2>(s, &places, channel, finish),
                _ => self.tile::<S, E, P, 1>(s, &places, channel, finish),
            };
        }
    }

    /// Computes `C` channels from `channel` on at `P` places; returns `C`.
    #[inline(always)]
    fn tile<S: Simd, E: Finish<S>, const P: usize, const C: usize>(
        &self,
        s: S,
        places: &[Place; P],
        channel: usize,
        finish: &mut E,
    ) -> usize {
        let mut sums = [[s.zero(); C]; P];
        for c in 0..C {
            let start = finish.start(s, channel + c);
            for sums in &mut sums {
                sums[c] = start;
            }
        }
        let (volume, stride) = (&self.volume, self.stride);
        let (pitch, inputs) = (volume.pitch(), volume.channels);
        let ((y, x), (last_y, last_x)) = (places[0], places[P - 1]);
        let offsets = places.map(|(row, column)| {
            (row - y) * stride.height * pitch + (column - x) * stride.width * inputs
        });
        let columns = self.columns((x, last_x));
        let run = columns.len() * inputs;
        let rows = if columns.is_empty() { 0..0 } else { self.rows((y, last_y)) };
        for ky in rows {
            let row = y * stride.height + ky;
            if y == last_y && !(row - volume.border.top).is_multiple_of(self.row_step) {
                continue;
            }
            let at = row * pitch + (x * stride.width + columns.start) * inputs;
            let first = (ky * self.kernel.width + columns.start) * inputs;
            let weights = &self.weights[first * self.outputs + channel..];
            let input = &self.input[at..];
            let reach = run - 1;
            assert!(
                offsets[P - 1] + reach < input.len() && reach * self.outputs + C <= weights.len(),
                "a window leaves its input"
            );
            // SAFETY: just checked; the last of the offsets, those of places in order, is the
            // greatest.
            unsafe { accumulate(s, &mut sums, (input, offsets), (weights, self.outputs), run) };
        }
        finish.finish(s, places, channel, sums);
        C
    }

    /// The rows of the window that meet something lit, at one of the rows of places `rows`.
    #[inline(always)]
    fn rows(&self, rows: (usize, usize)) -> Range<usize> {
        let (top, stride) = (self.volume.border.top, self.stride.height);
        let lit = self.lit.rows.start + top..self.lit.rows.end + top;
        taps(self.kernel.height, (rows.0 * stride, rows.1 * stride), &lit)
    }

    /// The columns of the window that meet something lit, at one of the columns of places
    /// `columns`.
    #[inline(always)]
    fn columns(&self, columns: (usize, usize)) -> Range<usize> {
        let (left, stride) = (self.volume.border.left, self.stride.width);
        let lit = self.lit.columns.start + left..self.lit.columns.end + left;
        taps(self.kernel.width, (columns.0 * stride, columns.1 * stride), &lit)
    }
}

/// The micro-kernel: adds the products of a run of taps to the sums of a tile.
///
/// For each tap, `P` vectors of the input are loaded and `C` weights spread over a vector, for
/// `P` · `C` multiply-adds.
///
/// # Safety
/// `input` holds `offset + run` lanes for each of `offsets`, and `weights` `run` rows, `outputs`
/// apart, of `C` numbers.
#[inline(always)]
unsafe fn accumulate<S: Simd, const P: usize, const C: usize>(
    s: S,
    sums: &mut [[S::F32; C]; P],
    (input, offsets): (&[F32x16], [usize; P]),
    (weights, outputs): (&[f32], usize),
    run: usize,
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
