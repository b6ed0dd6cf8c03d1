//! The gradient of a kernel of 3 × 3, and of the biases.
//!
//! Of dz, channels are lanes, so that the products of 16 images are added in registers, and the
//! lanes need not be added in the end. At each point the products of a square are added up image
//! after image, and the sums of the squares after one another.

use super::transform::{Grid, InputSide, SumGradientSide, WeightGradientSide, transform};
use super::{CORNERS, KERNEL, PATCH, POINTS, stride};
use crate::kernels::conv::micro_kernel::{ImageProducts, by_channels};
use crate::kernels::conv::{GradientSource, Volume};
use crate::simd::{
    F32x16, Kernel, LANES, Simd, as_numbers, store_up_to_all, transpose_block, vectors_for,
};

/// The gradient of a kernel of 3 × 3, over an even number of rows and of columns of positions.
pub(crate) struct KernelGradient<'a> {
    pub(crate) source: GradientSource<'a>,
    /// A number for each parameter: 3 × 3 × inputs × outputs, then the biases.
    pub(crate) totals: &'a mut [f32],
    /// To work in: [`gradient_workspace_len`] vectors, with anything in them.
    pub(crate) workspace: &'a mut [F32x16],
}

/// How many vectors the gradient of a kernel needs to work in.
pub(crate) fn gradient_workspace_len(inputs: usize, outputs: usize) -> usize {
    let blocks = vectors_for(outputs);
    let of_inputs = (blocks + 1).saturating_mul(POINTS).saturating_mul(stride(inputs));
    of_inputs.saturating_add(CORNERS * LANES + POINTS * stride(LANES)).saturating_add(blocks)
}

/// The parts of the workspace.
struct Room<'a> {
    inputs: usize,
    /// Points × inputs, an image a lane: the patch of the input, transformed.
    patch: &'a mut [F32x16],
    /// Corners × images, 16 channels as lanes: dz of the square.
    square: &'a mut [F32x16],
    /// Points × images: the same, transformed.
    spread: &'a mut [F32x16],
    /// Blocks of 16 channels × points × inputs.
    sums: &'a mut [F32x16],
    /// A vector for each block.
    biases: &'a mut [F32x16],
}

impl<'a> Room<'a> {
    fn new(workspace: &'a mut [F32x16], inputs: usize, outputs: usize) -> Self {
        let blocks = vectors_for(outputs);
        let (patch, rest) = workspace.split_at_mut(POINTS * stride(inputs));
        let (square, rest) = rest.split_at_mut(CORNERS * LANES);
        let (spread, rest) = rest.split_at_mut(POINTS * stride(LANES));
        let (sums, rest) = rest.split_at_mut(blocks * POINTS * stride(inputs));
        Self { inputs, patch, square, spread, sums, biases: &mut rest[..blocks] }
    }
}

impl Kernel for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { source, totals, workspace } = self;
        let GradientSource { input, volume, dz, dz_volume, .. } = source;
        let (inputs, outputs) = (volume.channels, dz_volume.channels);
        let mut room = Room::new(workspace, inputs, outputs);
        room.sums.fill(F32x16::default());
        room.biases.fill(F32x16::default());
        for y in (0..dz_volume.height).step_by(2) {
            for x in (0..dz_volume.width).step_by(2) {
                let at = y * volume.row_stride() + x * inputs;
                room.read_patch(s, &input[at..], &volume);
                for block in 0..vectors_for(outputs) {
                    room.read_square(s, &dz[dz_volume.at(y, x)..], &dz_volume, block);
                    room.add_products(s, block);
                }
            }
        }
        room.write(s, totals, outputs);
    }
}

impl Room<'_> {
    /// Transforms the patch of the input that begins at `input`.
    #[inline(always)]
    fn read_patch<S: Simd>(&mut self, s: S, input: &[F32x16], volume: &Volume) {
        let (row, column) = (volume.row_stride(), volume.channels);
        for channel in 0..column {
            let patch = Grid { vectors: &input[channel..], row, column };
            let into = &mut self.patch[channel..];
            transform::<S, InputSide, PATCH, PATCH>(s, patch, into, stride(column));
        }
    }

    /// Transforms 16 channels, those of `block`, of the square that begins at `dz`.
    #[inline(always)]
    fn read_square<S: Simd>(&mut self, s: S, dz: &[F32x16], volume: &Volume, block: usize) {
        let (row, column) = (volume.row_stride(), volume.channels);
        let channels = block * LANES..column.min((block + 1) * LANES);
        let corners = [0, column, row, row + column];
        for (corner, square) in corners.into_iter().zip(self.square.chunks_exact_mut(LANES)) {
            let dz = &dz[corner..][channels.clone()];
            transpose_block(s, dz.iter().map(|vector| s.load(vector)), square);
        }
        for image in 0..LANES {
            let square = Grid { vectors: &self.square[image..], row: 2 * LANES, column: LANES };
            let into = &mut self.spread[image..];
            transform::<S, SumGradientSide, 2, PATCH>(s, square, into, stride(LANES));
        }
    }

    /// Adds the products of the patch and the square's `block` of channels, at all points.
    #[inline(always)]
    fn add_products<S: Simd>(&mut self, s: S, block: usize) {
        let inputs = self.inputs;
        for point in 0..POINTS {
            let at = stride(inputs) * point;
            let of_block = stride(inputs) * POINTS * block;
            let mut products = ImageProducts {
                dz: &self.spread[stride(LANES) * point..][..LANES],
                inputs: as_numbers(&self.patch[at..][..inputs]),
                sums: &mut self.sums[of_block + at..][..inputs],
            };
            by_channels(s, inputs, &mut products);
        }
        // Where both sides have their second point, the transform adds up the square.
        let square = &self.spread[stride(LANES) * (PATCH + 1)..][..LANES];
        let mut sum = s.load(&square[0]);
        for image in &square[1..] {
            sum = s.add(sum, s.load(image));
        }
        let bias = &mut self.biases[block];
        s.store(s.add(s.load(bias), sum), bias);
    }

    /// Writes the gradients of the weights, then those of the biases.
    #[inline(always)]
    fn write<S: Simd>(&self, s: S, totals: &mut [f32], outputs: usize) {
        let inputs = self.inputs;
        let (weights, biases) = totals.split_at_mut(KERNEL * KERNEL * inputs * outputs);
        let blocks = self.sums.chunks_exact(POINTS * stride(inputs));
        for (block, sums) in blocks.enumerate() {
            let channels = block * LANES..outputs.min((block + 1) * LANES);
            for input in 0..inputs {
                let (row, column) = (PATCH * stride(inputs), stride(inputs));
                let sums = Grid { vectors: &sums[input..], row, column };
                let kernel = sums.transformed::<S, WeightGradientSide, PATCH, KERNEL>(s);
                let taps = weights[input * outputs..].chunks_mut(inputs * outputs);
                for (number, tap) in kernel.as_flattened().iter().zip(taps) {
                    store_up_to_all(s, *number, &mut tap[channels.clone()]);
                }
            }
            store_up_to_all(s, s.load(&self.biases[block]), &mut biases[channels]);
        }
    }
}
