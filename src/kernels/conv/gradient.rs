//! The gradient of a kernel: dw\[k\] = Σ x\[o · stride + k\] · dz\[o\] over the positions o of an
//! image block.
//!
//! Each lane adds up its own image, positions ascending, one fused multiply-add at a time; then the
//! lanes are added by the fixed tree.
//!
//! Some rows of positions are taken at a time. What a tile reads of them is first put side by side:
//! where it stands, channels lie between one position and the next, often a power of two of them,
//! which a cache can hold but few of.

#![allow(unsafe_code, reason = "the innermost loop goes without bounds checks")]

use std::ops::Range;

use super::window::positions_in;
use super::{NonZeroBounds, Volume, Window};
use crate::simd::{F32x16, Kernel, LANES, Lanes, Simd, collect_block};

/// How many positions are taken at a time, or a row of them: what a tile reads of so many, its taps of
/// x and its channels of dz, fits an L1 cache of 32 KiB.
const POSITIONS: usize = 52;

/// The most taps of a tile.
const TAPS: usize = 6;

/// What the gradient of a kernel is computed from.
#[derive(Clone, Debug)]
pub(crate) struct GradientSource<'a> {
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
}

/// The gradient of a kernel, images being lanes.
pub(crate) struct KernelGradient<'a> {
    pub(crate) source: GradientSource<'a>,
    /// A vector for each parameter: height × width × inputs × outputs, then the biases.
    pub(crate) sums: &'a mut [F32x16],
    /// To work in: [`workspace_len`] vectors, with anything in them.
    pub(crate) workspace: &'a mut [F32x16],
}

/// How many vectors the gradient of a kernel needs to work in.
pub(crate) fn workspace_len(volume: &Volume, dz_volume: &Volume, stride: Window) -> usize {
    if !is_gathered(volume) {
        return 0;
    }
    let positions = positions_at_a_time(positions(dz_volume, stride));
    positions.saturating_mul(TAPS + dz_volume.channels)
}

/// Whether what a tile reads is put side by side. The positions of a single channel stand so.
const fn is_gathered(volume: &Volume) -> bool {
    volume.channels > 1
}

/// How many rows of positions are taken at a time, as even a number of times as it goes.
fn rows_at_a_time(Window { height, width }: Window) -> usize {
    let most = (POSITIONS / width).max(1);
    height.div_ceil(height.div_ceil(most))
}

/// How many positions are taken at a time.
fn positions_at_a_time(positions: Window) -> usize {
    rows_at_a_time(positions) * positions.width
}

/// How many rows and columns of positions windows have that are `stride` apart.
fn positions(dz_volume: &Volume, stride: Window) -> Window {
    Window {
        height: dz_volume.height.div_ceil(stride.height),
        width: dz_volume.width.div_ceil(stride.width),
    }
}

impl Kernel for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        self.sums.fill(F32x16::default());
        let positions = self.positions();
        let (height, step) = (positions.height, rows_at_a_time(positions));
        for first in (0..height).step_by(step) {
            let rows = first..height.min(first + step);
            if is_gathered(&self.source.volume) {
                self.gather_dz(s, &rows);
            }
            self.weights(s, &rows);
            self.biases(s, &rows);
        }
    }
}

/// Where a tile begins.
#[derive(Clone, Copy)]
struct Corner {
    /// Row of the window.
    ky: usize,
    /// Tap of that row.
    tap: usize,
    /// Channel of the output.
    channel: usize,
}

/// What the taps of a tile read of x, and all channels of dz, over rows of positions.
#[derive(Clone, Copy)]
struct Reading<'a> {
    rows: usize,
    /// How many positions a row has.
    count: usize,
    x: Strided<'a>,
    dz: Strided<'a>,
    /// Vectors of dz from a channel to the next; the taps of x are neighbours.
    channel_stride: usize,
}

/// Vectors of positions.
#[derive(Clone, Copy)]
struct Strided<'a> {
    vectors: &'a [F32x16],
    /// From a position to the next.
    stride: usize,
    /// From a row of positions to the next.
    row_stride: usize,
}

impl KernelGradient<'_> {
    /// How many rows and columns of positions there are.
    fn positions(&self) -> Window {
        positions(&self.source.dz_volume, self.source.stride)
    }

    /// Puts dz of `rows` of positions side by side, channel after channel.
    #[inline(always)]
    fn gather_dz<S: Simd>(&mut self, s: S, rows: &Range<usize>) {
        let positions = self.positions();
        let Self { source: GradientSource { dz, dz_volume, stride, .. }, workspace, .. } = self;
        let (width, count) = (positions.width, rows.len() * positions.width);
        let gathered = &mut workspace[positions_at_a_time(positions) * TAPS..];
        let mut position = 0;
        for y in rows.clone() {
            for x in 0..width {
                let at = dz_volume.at(y * stride.height, x * stride.width);
                let gathered = gathered[position..].iter_mut().step_by(count);
                for (vector, gathered) in dz[at..][..dz_volume.channels].iter().zip(gathered) {
                    s.store(s.load(vector), gathered);
                }
                position += 1;
            }
        }
    }

    /// Adds to the gradient of the weights what `rows` of positions bring.
    #[inline(always)]
    fn weights<S: Simd>(&mut self, s: S, rows: &Range<usize>) {
        let GradientSource { volume: Volume { channels: inputs, .. }, kernel, .. } = self.source;
        let width = kernel.width * inputs;
        for ky in 0..kernel.height {
            let mut tap = 0;
            while tap < width {
                let left = width - tap;
                let corner = Corner { ky, tap, channel: 0 };
                // Six inputs of one column, where it can be: a tile of one column leaves out more
                // of what is zero.
                tap += match left {
                    _ if inputs > 1 && left >= TAPS => self.taps::<S, TAPS>(s, rows, corner),
                    5.. => self.taps::<S, 5>(s, rows, corner),
                    4 => self.taps::<S, 4>(s, rows, corner),
                    3 => self.taps::<S, 3>(s, rows, corner),
                    2 => self.taps::<S, 2>(s, rows, corner),
                    _ => self.taps::<S, 1>(s, rows, corner),
                };
            }
        }
    }

    /// Adds to the sums of `T` taps × all channels what `rows` of positions bring; returns `T`.
    #[inline(always)]
    fn taps<S: Simd, const T: usize>(
        &mut self,
        s: S,
        rows: &Range<usize>,
        mut corner: Corner,
    ) -> usize {
        let Corner { ky, tap, .. } = corner;
        let inputs = self.source.volume.channels;
        let (meeting, columns) = self.meeting(ky, tap / inputs..(tap + T).div_ceil(inputs));
        let met = meeting.start.max(rows.start)..meeting.end.min(rows.end);
        if met.is_empty() || columns.is_empty() {
            return T;
        }
        let positions = self.positions();
        let width = positions.width;
        let Self { source, sums, workspace } = self;
        let GradientSource { input, volume, kernel, stride, dz, dz_volume, .. } = source;
        let outputs = dz_volume.channels;
        let x = Strided {
            vectors: &input[(met.start * stride.height + ky) * volume.row_stride()
                + columns.start * stride.width * inputs
                + tap..],
            stride: stride.width * inputs,
            row_stride: stride.height * volume.row_stride(),
        };
        let reading = if is_gathered(volume) {
            let (gathered, dz) = workspace.split_at_mut(positions_at_a_time(positions) * TAPS);
            gather_x::<S, T>(s, x, met.len(), columns.len(), gathered);
            // Whole rows are one.
            let (rows_met, count) = match columns.len() == width {
                true => (1, met.len() * width),
                false => (met.len(), columns.len()),
            };
            Reading {
                rows: rows_met,
                count,
                x: Strided { vectors: gathered, stride: T, row_stride: count * T },
                dz: Strided {
                    vectors: &dz[(met.start - rows.start) * width + columns.start..],
                    stride: 1,
                    row_stride: width,
                },
                channel_stride: rows.len() * width,
            }
        } else {
            let dz_at = dz_volume.at(met.start * stride.height, columns.start * stride.width);
            Reading {
                rows: met.len(),
                count: columns.len(),
                x,
                dz: Strided {
                    vectors: &dz[dz_at..],
                    stride: stride.width * outputs,
                    row_stride: stride.height * dz_volume.row_stride(),
                },
                channel_stride: 1,
            }
        };
        let sums = &mut sums[(ky * kernel.width * inputs + tap) * outputs..][..T * outputs];
        while corner.channel < outputs {
            let sums = &mut sums[corner.channel..];
            corner.channel += match outputs - corner.channel {
                4.. if fits::<S>(T, 4) => {
                    tile::<S, T, 4>(s, &reading, corner.channel, sums, outputs)
                }
                // Four are better halved than left with one.
                left @ 3.. if left != 4 && fits::<S>(T, 3) => {
                    tile::<S, T, 3>(s, &reading, corner.channel, sums, outputs)
                }
                2.. => tile::<S, T, 2>(s, &reading, corner.channel, sums, outputs),
                _ => tile::<S, T, 1>(s, &reading, corner.channel, sums, outputs),
            };
        }
        T
    }

    /// The rows and columns of positions where row `ky` and one of `columns` of the window meet
    /// something non-zero.
    #[inline(always)]
    fn meeting(&self, ky: usize, columns: Range<usize>) -> (Range<usize>, Range<usize>) {
        let GradientSource { volume, nonzero, stride, .. } = &self.source;
        let Window { height, width } = self.positions();
        let rows = volume.rows_with_border(nonzero);
        let nonzero_columns = volume.columns_with_border(nonzero);
        (
            positions_in(&rows, &(ky..ky + 1), stride.height, height),
            positions_in(&nonzero_columns, &columns, stride.width, width),
        )
    }

    /// Adds to the gradient of the biases, Σ dz, what `rows` of positions bring.
    #[inline(always)]
    fn biases<S: Simd>(&mut self, s: S, rows: &Range<usize>) {
        let Self { source, sums, .. } = self;
        let GradientSource { kernel, stride, dz, dz_volume, volume, .. } = source;
        let outputs = dz_volume.channels;
        let first = kernel.height * kernel.width * volume.channels * outputs;
        let sums = &mut sums[first..first + outputs];
        for y in rows.clone() {
            let row = &dz[dz_volume.row(y * stride.height)];
            for position in row.chunks_exact(outputs).step_by(stride.width) {
                for (sum, dz) in sums.iter_mut().zip(position) {
                    s.store(s.add(s.load(sum), s.load(dz)), sum);
                }
            }
        }
    }
}

/// Whether the registers hold the sums of a tile, its channels of dz and a tap of x.
const fn fits<S: Simd>(taps: usize, channels: usize) -> bool {
    taps * channels + channels < S::REGISTERS
}

/// Puts what `T` taps read of x side by side.
#[inline(always)]
fn gather_x<S: Simd, const T: usize>(
    s: S,
    x: Strided<'_>,
    rows: usize,
    count: usize,
    gathered: &mut [F32x16],
) {
    let (positions, _) = gathered.as_chunks_mut::<T>();
    for (row, positions) in positions.chunks_exact_mut(count).take(rows).enumerate() {
        let x_row = &x.vectors[row * x.row_stride..];
        // The taps of a position may reach into those of the next.
        for (index, position) in positions.iter_mut().enumerate() {
            for (vector, gathered) in x_row[index * x.stride..][..T].iter().zip(position) {
                s.store(s.load(vector), gathered);
            }
        }
    }
}

/// Adds to the sums of `T` taps × `C` channels from `channel` on, a register of each at a time;
/// returns `C`. The sums of a tap are `outputs` vectors from those of the next.
#[inline(always)]
fn tile<S: Simd, const T: usize, const C: usize>(
    s: S,
    reading: &Reading<'_>,
    channel: usize,
    sums: &mut [F32x16],
    outputs: usize,
) -> usize {
    let &Reading { rows, count, x, dz, channel_stride } = reading;
    let dz_first = channel * channel_stride;
    let reach = |of: Strided<'_>| (rows - 1) * of.row_stride + (count - 1) * of.stride;
    assert!(
        reach(x) + T <= x.vectors.len()
            && dz_first + reach(dz) + (C - 1) * channel_stride < dz.vectors.len(),
        "a window leaves its input"
    );
    for index in 0..S::REGISTERS_PER_VECTOR {
        let lanes = s.register(index);
        let mut tile = [[lanes.zero(); C]; T];
        for (tile, sums) in tile.iter_mut().zip(sums.chunks(outputs)) {
            for (sum, vector) in tile.iter_mut().zip(&sums[..C]) {
                *sum = lanes.load(vector);
            }
        }
        for row in 0..rows {
            let x = Strided { vectors: &x.vectors[row * x.row_stride..], ..x };
            let dz = Strided { vectors: &dz.vectors[dz_first + row * dz.row_stride..], ..dz };
            // SAFETY: checked above.
            unsafe { accumulate(lanes, &mut tile, Reading { x, dz, ..*reading }) };
        }
        for (tile, sums) in tile.iter().zip(sums.chunks_mut(outputs)) {
            for (&sum, vector) in tile.iter().zip(&mut sums[..C]) {
                lanes.store(sum, vector);
            }
        }
    }
    C
}

/// The micro-kernel: adds the products of a row of positions to the sums of a tile.
///
/// # Safety
/// At each of the row's positions, x holds `T` vectors and dz one for each of `C` channels.
#[inline(always)]
unsafe fn accumulate<L: Lanes, const T: usize, const C: usize>(
    lanes: L,
    sums: &mut [[L::F32; C]; T],
    Reading { count, x, dz, channel_stride, .. }: Reading<'_>,
) {
    let (mut x_at, mut dz_at) = (0, 0);
    for _ in 0..count {
        let mut d = [lanes.zero(); C];
        for (c, d) in d.iter_mut().enumerate() {
            // SAFETY: by the caller's promise.
            *d = lanes.load(unsafe { dz.vectors.get_unchecked(dz_at + c * channel_stride) });
        }
        for (t, sums) in sums.iter_mut().enumerate() {
            // SAFETY: by the caller's promise.
            let x = lanes.load(unsafe { x.vectors.get_unchecked(x_at + t) });
            for (sum, &d) in sums.iter_mut().zip(&d) {
                *sum = lanes.mul_add(x, d, *sum);
            }
        }
        x_at += x.stride;
        dz_at += dz.stride;
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
