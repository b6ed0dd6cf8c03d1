//! Sums over windows of 3 × 3: a convolution forward, and, with flipped kernels, the gradient of its
//! inputs.

use super::transform::{Grid, InputSide, SumSide, transform};
use super::{PATCH, POINTS, stride};
use crate::kernels::Epilogue;
use crate::kernels::conv::micro_kernel::{ByChannels, Taps, accumulate, by_channels};
use crate::kernels::conv::{Position, Volume, Window, vectors_for_sums};
use crate::simd::{F32x16, Simd};

/// Windows of 3 × 3 that slide over an image block.
pub(crate) struct Correlation<'a> {
    pub(crate) input: &'a [F32x16],
    /// Of the input; its border is as wide as windows reach out of the image.
    pub(crate) volume: Volume,
    /// As [`transform_weights`](super::transform_weights) gives them.
    pub(crate) weights: &'a [f32],
    /// Channels of the output.
    pub(crate) outputs: usize,
    /// How many rows and columns of positions the windows take: even numbers.
    pub(crate) positions: Window,
    /// To work in: [`correlation_workspace_len`] vectors, with anything in them.
    pub(crate) workspace: &'a mut [F32x16],
}

/// The most squares that are computed at a time.
const SQUARES: usize = 4;

/// How many vectors a correlation needs to work in.
pub(crate) fn correlation_workspace_len(inputs: usize, outputs: usize) -> usize {
    let numbers = |channels: usize| stride(channels.saturating_mul(SQUARES));
    POINTS.saturating_mul(numbers(inputs).saturating_add(numbers(outputs)))
}

impl Correlation<'_> {
    /// Computes the outputs at all positions, a square of four at a time: the epilogue's rows are
    /// positions, its columns channels.
    #[inline(always)]
    pub(crate) fn run<S: Simd, E: Epilogue<S, Position>>(&mut self, s: S, epilogue: &mut E) {
        let Window { height, width } = self.positions;
        for y in (0..height).step_by(2) {
            let mut x = 0;
            while x < width {
                let left = (width - x) / 2;
                let first = Position { y, x };
                // A weight that is broadcast serves all squares.
                x += 2 * match vectors_for_sums::<S>() {
                    24.. if left >= SQUARES => self.squares::<S, E, SQUARES>(s, first, epilogue),
                    24.. if left >= 2 => self.squares::<S, E, 2>(s, first, epilogue),
                    _ => self.squares::<S, E, 1>(s, first, epilogue),
                };
            }
        }
    }

    /// Computes `P` squares of a row, from that at `first` on; returns `P`.
    #[inline(always)]
    fn squares<S: Simd, E: Epilogue<S, Position>, const P: usize>(
        &mut self,
        s: S,
        first: Position,
        epilogue: &mut E,
    ) -> usize {
        let Self { input, volume, weights, outputs, ref mut workspace, .. } = *self;
        let (inputs, row) = (volume.channels, volume.row_stride());
        let (patch_stride, product_stride) = (stride(P * inputs), stride(P * outputs));
        let (patches, products) = workspace.split_at_mut(POINTS * patch_stride);
        for square in 0..P {
            let at = first.y * row + (first.x + 2 * square) * inputs;
            for channel in 0..inputs {
                let patch = Grid { vectors: &input[at + channel..], row, column: inputs };
                let into = &mut patches[square * inputs + channel..];
                transform::<S, InputSide, PATCH, PATCH>(s, patch, into, patch_stride);
            }
        }
        for point in 0..POINTS {
            let mut products = Products::<P> {
                patches: &patches[point * patch_stride..][..P * inputs],
                weights: &weights[point * inputs * outputs..][..inputs * outputs],
                products: &mut products[point * product_stride..][..P * outputs],
            };
            by_channels(s, outputs, &mut products);
        }
        for square in 0..P {
            let Position { y, x } = Position { x: first.x + 2 * square, ..first };
            let corners = [(y, x), (y, x + 1), (y + 1, x), (y + 1, x + 1)];
            let corners = corners.map(|(y, x)| Position { y, x });
            for channel in 0..outputs {
                let vectors = &products[square * outputs + channel..];
                let (row, column) = (PATCH * product_stride, product_stride);
                let products = Grid { vectors, row, column };
                let [top, bottom] = products.transformed::<S, SumSide, PATCH, 2>(s);
                let mut sums = [[top[0]], [top[1]], [bottom[0]], [bottom[1]]];
                for (sum, &position) in sums.iter_mut().zip(&corners) {
                    sum[0] = s.add(sum[0], epilogue.start(s, position, channel));
                }
                epilogue.finish_tile(s, &corners, channel, sums);
            }
        }
        P
    }
}

/// The products at one point, of `P` squares.
struct Products<'a, const P: usize> {
    /// `P` × inputs.
    patches: &'a [F32x16],
    /// Inputs × outputs.
    weights: &'a [f32],
    /// `P` × outputs.
    products: &'a mut [F32x16],
}

impl<S: Simd, const P: usize> ByChannels<S> for Products<'_, P> {
    #[inline(always)]
    fn run<const C: usize>(&mut self, s: S, channel: usize) {
        let (inputs, outputs) = (self.patches.len() / P, self.products.len() / P);
        let mut offsets = [0; P];
        for (square, offset) in offsets.iter_mut().enumerate() {
            *offset = square * inputs;
        }
        let taps = Taps {
            input: self.patches,
            offsets,
            weights: &self.weights[channel..],
            tap_stride: outputs,
            channel_stride: 1,
            run: inputs,
        };
        let sums = accumulate(s, [[s.zero(); C]; P], taps);
        for (sums, products) in sums.iter().zip(self.products.chunks_exact_mut(outputs)) {
            for (&sum, product) in sums.iter().zip(&mut products[channel..][..C]) {
                s.store(sum, product);
            }
        }
    }
}
