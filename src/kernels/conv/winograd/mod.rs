//! Convolutions of 3 × 3 by minimal filtering, F(2 × 2, 3 × 3): of a patch of 4 × 4 inputs and a
//! kernel, both transformed, four sums take 16 multiplications in place of 36 (Winograd, Arithmetic
//! Complexity of Computations, 1980; Lavin and Gray, Fast Algorithms for Convolutional Neural
//! Networks, CVPR 2016).
//!
//! The transforms add and subtract, and halve weights. They are done once for each input of a patch,
//! once for each output of a square, while the products are one for each pair of both: with few
//! channels the direct way is faster. The sums are rounded otherwise than directly, so which way is
//! taken depends on sizes alone, never on the machine.

mod correlate;
mod gradient;
#[cfg(test)]
mod tests;
mod transform;
mod weights;

pub(crate) use correlate::{Correlation, correlation_workspace_len};
pub(crate) use gradient::{KernelGradient, gradient_workspace_len};
pub(crate) use weights::{TransformWeights, transformed_len};

use super::Window;

/// The side of a kernel.
const KERNEL: usize = 3;
/// The side of a patch, what the windows of a square see.
const PATCH: usize = 4;
/// The points where the transforms of patches and kernels are multiplied.
const POINTS: usize = PATCH * PATCH;
/// The positions of a square.
const CORNERS: usize = 4;

/// From one point to the next where `vectors` stand at each: one more, since places that are a power
/// of two apart share few lines of an L1 cache.
const fn stride(vectors: usize) -> usize {
    vectors.saturating_add(1)
}

/// The fewest inputs and filters that pay for the transforms.
const FEWEST_CHANNELS: usize = 12;

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) kernel: Window,
    pub(crate) stride: Window,
    pub(crate) inputs: usize,
    pub(crate) filters: usize,
    /// Rows and columns of positions.
    pub(crate) positions: Window,
}

impl Sizes {
    /// Whether the convolution, and its gradients, are computed by minimal filtering: kernels of
    /// 3 × 3 that go from pixel to pixel, over an even number of rows and of columns, of many
    /// channels.
    pub(crate) fn suit(&self) -> bool {
        let Self { kernel, stride, inputs, filters, positions } = *self;
        kernel == Window::square(KERNEL)
            && stride == Window::one()
            && inputs.min(filters) >= FEWEST_CHANNELS
            && positions.height.is_multiple_of(2)
            && positions.width.is_multiple_of(2)
    }
}
