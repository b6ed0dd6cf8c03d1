//! The gradient of a kernel: dw\[k\] = Σ x\[o · stride + k\] · dz\[o\] over the positions o of an
//! image block.
//!
//! Each lane adds up its own image, positions ascending, one fused multiply-add at a time; then the
//! lanes are added by the fixed tree.

#![allow(unsafe_code, reason = "the innermost loop goes without bounds checks")]

use std::ops::Range;

use super::window::positions_in;
use super::{NonZeroBounds, Volume, Window, fits_wide_tiles};
use crate::simd::{F32x16, Kernel, LANES, Simd, collect_block};

/// What the gradient of a kernel is computed from.
pub(crate) struct KernelGradient<'a> {
    pub(crate) input: &'a [F32x16],
    /// Of the input; its border is as wide as windows reach out of the image.
    pub(crate) volume: Volume,
    /// What of the input is not zero.
    pub(crate) nonzero: NonZeroBounds,
    pub(crate) kernel: Window,
    pub(crate) stride: Window,
    /// The gradient of the convolution's sums.
    pub(crate) dz: &'a [F32x16],
    /// Of dz, whose positions are as far apart as the windows.
    pub(crate) dz_volume: Volume,
    /// A vector for each parameter: height × width × inputs × outputs, then the biases.
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
                tap += if fits_wide_tiles::<S>() {
                    // Six inputs of one column, where it can be: a tile of one column leaves out
                    // more of what is zero.
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
        let outputs = self.dz_volume.channels;
        let wide = fits_wide_tiles::<S>();
        let mut channel = 0;
        while channel < outputs {
            channel += match outputs - channel {
                4.. if wide => self.tile::<S, T, 4>(s, ky, tap, channel),
                2.. => self.tile::<S, T, 2>(s, ky, tap, channel),
                _ => self.tile::<S, T, 1>(s, ky, tap, channel),
            };
        }
        T
    }

    /// The sums of `T` taps × `C` channels; returns `C`.
    #[inline(always)]
    fn tile<S: Simd, const T: usize, const C: usize>(
        &mut self,
        s: S,
        ky: usize,
        tap: usize,
        channel: usize,
    ) -> usize {
        let Self { input, volume, kernel, stride, dz, dz_volume, .. } = &*self;
        let (inputs, outputs) = (volume.channels, dz_volume.channels);
        let (rows, columns) = self.positions(ky, tap / inputs..(tap + T).div_ceil(inputs));
        let mut sums = [[s.zero(); C]; T];
        for y in if columns.is_empty() { 0..0 } else { rows } {
            let x_at = (y * stride.height + ky) * volume.row_stride()
                + columns.start * stride.width * inputs
                + tap;
            let dz_at = dz_volume.at(y * stride.height, columns.start * stride.width) + channel;
            let row = Positions {
                x: &input[x_at..],
                x_step: stride.width * inputs,
                dz: &dz[dz_at..],
                dz_step: stride.width * outputs,
                count: columns.len(),
            };
            let reach = columns.len() - 1;
            assert!(
                reach * row.x_step + T <= row.x.len() && reach * row.dz_step + C <= row.dz.len(),
                "a window leaves its input"
            );
            // SAFETY: just checked.
            unsafe { accumulate(s, &mut sums, row) };
        }
        let first = ky * kernel.width * inputs + tap;
        for (tap, sums) in (first..).zip(sums) {
            let vectors = &mut self.sums[tap * outputs + channel..][..C];
            for (sum, vector) in sums.into_iter().zip(vectors) {
                s.store(sum, vector);
            }
        }
        C
    }

    /// The rows and columns of positions where row `ky` and one of `columns` of the window meet
    /// something non-zero.
    #[inline(always)]
    fn positions(&self, ky: usize, columns: Range<usize>) -> (Range<usize>, Range<usize>) {
        let Self { volume, nonzero, stride, dz_volume, .. } = self;
        let [height, width] = [(dz_volume.height, stride.height), (dz_volume.width, stride.width)]
            .map(|(length, stride)| length.div_ceil(stride));
        let rows = volume.rows_with_border(nonzero);
        let nonzero_columns = volume.columns_with_border(nonzero);
        (
            positions_in(&rows, &(ky..ky + 1), stride.height, height),
            positions_in(&nonzero_columns, &columns, stride.width, width),
        )
    }

    /// The gradient of the biases: Σ dz.
    #[inline(always)]
    fn biases<S: Simd>(&mut self, s: S) {
        let Self { kernel, stride, dz, dz_volume, volume, sums, .. } = self;
        let outputs = dz_volume.channels;
        let first = kernel.height * kernel.width * volume.channels * outputs;
        let sums = &mut sums[first..first + outputs];
        sums.fill(F32x16::default());
        for y in (0..dz_volume.height).step_by(stride.height) {
            let row = &dz[dz_volume.row(y)];
            for position in row.chunks_exact(outputs).step_by(stride.width) {
                for (sum, dz) in sums.iter_mut().zip(position) {
                    s.store(s.add(s.load(sum), s.load(dz)), sum);
                }
            }
        }
    }
}

/// A row of positions: what the micro-kernel reads.
#[derive(Clone, Copy)]
struct Positions<'a> {
    x: &'a [F32x16],
    /// Vectors of x from a position to the next.
    x_step: usize,
    dz: &'a [F32x16],
    /// Vectors of dz from a position to the next.
    dz_step: usize,
    count: usize,
}

/// The micro-kernel: adds the products of a row of positions to the sums of a tile.
///
/// # Safety
/// At each position, `x` holds `T` vectors and `dz` `C`.
#[inline(always)]
unsafe fn accumulate<S: Simd, const T: usize, const C: usize>(
    s: S,
    sums: &mut [[S::F32; C]; T],
    Positions { x, x_step, dz, dz_step, count }: Positions<'_>,
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
        x_at += x_step;
        dz_at += dz_step;
    }
}

/// Adds the lanes of each of `sums`, 16 of them to a vector of `totals`; the last vector is filled
/// with zeros.
#[inline(always)]
pub(crate) fn reduce<S: Simd>(s: S, sums: &[F32x16], totals: &mut [F32x16]) {
    for (sums, total) in sums.chunks(LANES).zip(totals) {
        let block = collect_block(s, sums.iter().map(|vector| s.load(vector)));
        s.store(s.reduce_add_each(block), total);
    }
}
