//! The gradient of a kernel of many filters, and of the biases: dw\[k\] = Σ x\[o · stride + k\] · dz\[o\]
//! over the positions o and the images of a block.
//!
//! Filters are lanes, so that the products of 16 images are added in registers, and the lanes need not
//! be added in the end. At each position products are added up image after image, and the sums of the
//! positions after one another.

use super::GradientSource;
use super::micro_kernel::{ImageProducts, by_channels};
use super::window::taps_in;
use crate::simd::{
    F32x16, Kernel, LANES, Simd, as_numbers, store_up_to_all, transpose_block, vectors_for,
};

/// The gradient of a kernel, filters being lanes.
pub(crate) struct FilterGradient<'a> {
    pub(crate) source: GradientSource<'a>,
    /// A number for each parameter: height × width × inputs × filters, then the biases.
    pub(crate) totals: &'a mut [f32],
    /// To work in: [`filter_workspace_len`] vectors, with anything in them.
    pub(crate) workspace: &'a mut [F32x16],
}

/// Whether so many filters fill the lanes well enough.
pub(crate) fn fill_lanes(filters: usize) -> bool {
    4 * filters >= 3 * LANES * vectors_for(filters)
}

/// How many vectors the gradient of a kernel with so many weights a filter needs to work in.
pub(crate) fn filter_workspace_len(taps: usize) -> usize {
    taps.saturating_add(LANES)
}

impl Kernel for FilterGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        for block in 0..vectors_for(self.source.dz_volume.channels) {
            self.filters(s, block);
        }
    }
}

impl FilterGradient<'_> {
    /// Computes the gradients of the 16 filters of `block`.
    #[inline(always)]
    fn filters<S: Simd>(&mut self, s: S, block: usize) {
        let Self { source, totals, workspace } = self;
        let GradientSource { input, volume, ref nonzero, kernel, stride, dz, dz_volume } = *source;
        let (inputs, filters) = (volume.channels, dz_volume.channels);
        let lanes = block * LANES..filters.min((block + 1) * LANES);
        let nonzero_rows = volume.rows_with_border(nonzero);
        let nonzero_columns = volume.columns_with_border(nonzero);
        let row_of_taps = kernel.width * inputs;
        let taps = kernel.height * row_of_taps;
        let (images, sums) = workspace.split_at_mut(LANES);
        let sums = &mut sums[..taps];
        sums.fill(F32x16::default());
        let mut bias = s.zero();
        for y in (0..dz_volume.height).step_by(stride.height) {
            let rows = taps_in(&nonzero_rows, kernel.height, y, y);
            for x in (0..dz_volume.width).step_by(stride.width) {
                let dz = &dz[dz_volume.at(y, x)..][lanes.clone()];
                transpose_block(s, dz.iter().map(|vector| s.load(vector)), &mut *images);
                bias = s.add(bias, sum(s, images));
                let columns = taps_in(&nonzero_columns, kernel.width, x, x);
                let run = columns.len() * inputs;
                for ky in rows.clone() {
                    let at = (y + ky) * volume.row_stride() + (x + columns.start) * inputs;
                    let mut products = ImageProducts {
                        dz: images,
                        inputs: as_numbers(&input[at..][..run]),
                        sums: &mut sums[ky * row_of_taps + columns.start * inputs..][..run],
                    };
                    by_channels(s, run, &mut products);
                }
            }
        }
        let (weights, biases) = totals.split_at_mut(taps * filters);
        for (sum, tap) in sums.iter().zip(weights.chunks_exact_mut(filters)) {
            store_up_to_all(s, s.load(sum), &mut tap[lanes.clone()]);
        }
        store_up_to_all(s, bias, &mut biases[lanes]);
    }
}

/// The sum of vectors, in their order.
#[inline(always)]
fn sum<S: Simd>(s: S, vectors: &[F32x16]) -> S::F32 {
    let mut sum = s.zero();
    for vector in vectors {
        sum = s.add(sum, s.load(vector));
    }
    sum
}
