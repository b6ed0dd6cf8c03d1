//! The gradient of a kernel: dw\[k\] = Σ x\[o · stride + k\] · dz\[o\] over the places o of sixteen
//! images.
//!
//! Each lane adds up its own image, places ascending, one fused multiply-add at a time; then the
//! lanes are added by the fixed tree.

#![allow(unsafe_code, reason = "the innermost loop goes without bounds checks")]

use std::ops::Range;

use super::{NonZeroBounds, Volume, Window, has_many_registers, positions};
use crate::simd::{F32x16, LANES};
use crate::simd::{Kernel, Simd};

/// What the gradient of a kernel is computed from.
pub(crate) struct KernelGradient<'a> {
    pub(crate) input: &'a [F32x16],
    /// Of the input; its border is as wide as windows reach out of the image.
    pub(crate) volume: Volume,
    pub(crate) lit: NonZeroBounds,
    pub(crate) kernel: Window,
    pub(crate) stride: Window,
    /// The gradient of the sums, its places as far apart as the windows.
    pub(crate) gradient: &'a [F32x16],
    pub(crate) places: Volume,
    /// A vector a weight: height × width × inputs × outputs, then the biases.
    pub(crate) sums: &'a mut [F32x16],
}

impl Kernel for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let (inputs, width) = (self.volume.channels, self.kernel.width * self.volume.channels);
        for ky in 0..self.kernel.height {
            let mut tap = 0;
            while tap < width {
                let left = width - tap;
                tap += if has_many_registers::<S>() {
                    // Six inputs of one column, where it can be: a tile of one column leaves out
                    // more of what is dark.
                    match left {
                        _ if inputs > 1 && left >= 6 => self.taps::<S, 6>(s, ky, tap),
                        5.. => self.taps::<S, 5>(s, ky, tap),
                        4 => self.taps::<S, 4>(s, ky, tap),
                        3 => self.taps::<S, 3>(s, ky, tap),
                        2 => self.taps::<S, 2>(s, ky, tap),
                        _ => self.taps::<S, 1>(s, ky, tap),
                    }
                } else if left >= 3 {
                    self.taps::<S, 3>(s, ky, tap)
                } else {
                    self.taps::<S, 1>(s, ky, tap)
                };
            }
        }
        self.biases(s);
    }
}

impl KernelGradient<'_> {
    /// The sums of `T` taps from `tap` on of row `ky` of the window; returns `T`.
    #[inline(always)]
    fn taps<S: Simd, const T: usize>(&mut self, s: S, ky: usize, tap: usize) -> usize {
        let outputs = self.places.channels;
        let wide = has_many_registers::<S>();
        let mut channel = 0;
        while channel < outputs {
            channel += match outputs - channel {
                4.. if wide => self.tile::<S, T, 4>(s, (ky, tap), channel),
                2.. => self.tile::<S, T, 2>(s, (ky, tap), channel),
                _ => self.tile::<S, T, 1>(s, (ky, tap), channel),
            };
        }
        T
    }

    /// The sums of `T` taps × `C` channels; returns `C`.
    #[inline(always)]
    fn tile<S: Simd, const T: usize, const C: usize>(
        &mut self,
        s: S,
        (ky, tap): (usize, usize),
        channel: usize,
    ) -> usize {
        let Self { input, volume, kernel, stride, gradient, places, .. } = &*self;
        let (inputs, outputs) = (volume.channels, places.channels);
        let columns_of_taps = tap / inputs..(tap + T).div_ceil(inputs);
        let (rows, columns) = self.lit_places(ky..ky + 1, columns_of_taps);
        let mut sums = [[s.zero(); C]; T];
        for y in if columns.is_empty() { 0..0 } else { rows } {
            let x_at = (y * stride.height + ky) * volume.pitch()
                + columns.start * stride.width * inputs
                + tap;
            let dz_at = places.at(y * stride.height, columns.start * stride.width) + channel;
            let (x, dz) = (&input[x_at..], &gradient[dz_at..]);
            let steps = (stride.width * inputs, stride.width * outputs);
            let reach = columns.len() - 1;
            assert!(
                reach * steps.0 + T <= x.len() && reach * steps.1 + C <= dz.len(),
                "a window leaves its input"
            );
            // SAFETY: just checked.
            unsafe { accumulate(s, &mut sums, (x, dz), steps, columns.len()) };
        }
        let first = ky * kernel.width * inputs + tap;
        for (tap, sums) in (first..).zip(sums) {
            let lanes = &mut self.sums[tap * outputs + channel..][..C];
            for (sum, lanes) in sums.into_iter().zip(lanes) {
                s.store(sum, lanes);
            }
        }
        C
    }

    /// The rows and columns of places where one of the taps meets something lit.
    #[inline(always)]
    fn lit_places(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> (Range<usize>, Range<usize>) {
        let Self { volume, lit, stride, places, .. } = self;
        let (top, left) = (volume.border.top, volume.border.left);
        let lit_rows = lit.rows.start + top..lit.rows.end + top;
        let lit_columns = lit.columns.start + left..lit.columns.end + left;
        let [height, width] = [(places.height, stride.height), (places.width, stride.width)]
            .map(|(length, stride)| length.div_ceil(stride));
        (
            positions(height, stride.height, &rows, &lit_rows),
            positions(width, stride.width, &columns, &lit_columns),
        )
    }

    /// The gradient of the biases: Σ dz.
    #[inline(always)]
    fn biases<S: Simd>(&mut self, s: S) {
        let Self { kernel, stride, gradient, places, volume, sums, .. } = self;
        let outputs = places.channels;
        let first = kernel.height * kernel.width * volume.channels * outputs;
        let sums = &mut sums[first..first + outputs];
        sums.fill(F32x16::default());
        for y in (0..places.height).step_by(stride.height) {
            let row = &gradient[places.row(y)];
            for place in row.chunks_exact(outputs).step_by(stride.width) {
                for (sum, dz) in sums.iter_mut().zip(place) {
                    s.store(s.add(s.load(sum), s.load(dz)), sum);
                }
            }
        }
    }
}

/// The micro-kernel: adds the products of a row of places to the sums of a tile.
///
/// # Safety
/// For each of `count` places, `steps` apart, `x` holds `T` lanes and `dz` `C`.
#[inline(always)]
unsafe fn accumulate<S: Simd, const T: usize, const C: usize>(
    s: S,
    sums: &mut [[S::F32; C]; T],
    (x, dz): (&[F32x16], &[F32x16]),
    steps: (usize, usize),
    count: usize,
) {
    let (mut x_at, mut dz_at) = (0, 0);
    for _ in 0..count {
        let mut d = [s.zero(); C];
        for (c, d) in d.iter_mut().enumerate() {
            // SAFETY: by the caller's promise.
            *d = s.load(unsafe { dz.get_unchecked(dz_at + c) });
        }
        for (t, sums) in sums.iter_mut().enumerate() {
            // SAFETY: by the caller's promise.
            let x = s.load(unsafe { x.get_unchecked(x_at + t) });
            for (sum, &d) in sums.iter_mut().zip(&d) {
                *sum = s.mul_add(x, d, *sum);
            }
        }
        x_at += steps.0;
        dz_at += steps.1;
    }
}

/// Adds the lanes of each of `sums`, sixteen of them to a block of `totals`; the last block is
/// filled with zeros.
#[inline(always)]
pub(crate) fn reduce<S: Simd>(s: S, sums: &[F32x16], totals: &mut [F32x16]) {
    for (sixteen, total) in sums.chunks(LANES).zip(totals) {
        let mut rows = [s.zero(); LANES];
        for (row, lanes) in rows.iter_mut().zip(sixteen) {
            *row = s.load(lanes);
        }
        s.store(s.reduce_add_each(rows), total);
    }
}
