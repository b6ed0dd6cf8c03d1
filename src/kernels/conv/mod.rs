//! Convolution and pooling of image blocks: 16 images side by side, one image a lane, weights
//! broadcast to all lanes, so that no kernel or channel size needs a shuffle or a padding of its
//! own. Only where sums go over images, in gradients of many filters, filters are lanes for a while.
//!
//! The numbers of an image block stand in a [`Volume`]: row by row, column by column, channel by
//! channel. The taps of a window are then runs of neighbours, a run for each row of the window, and
//! in the order of Keras's kernels: height × width × inputs.

mod correlate;
mod filter_gradient;
mod gradient;
mod micro_kernel;
mod pool;
#[cfg(test)]
mod tests;
mod volume;
mod window;
pub(crate) mod winograd;

pub(crate) use correlate::{Correlation, Position, Tiling};
pub(crate) use filter_gradient::{FilterGradient, fill_lanes, filter_workspace_len};
pub(crate) use gradient::{GradientSource, KernelGradient, reduce, workspace_len};
pub(crate) use pool::{PoolBackward, PoolForward, Pooling, Windows, greatest};
pub(crate) use volume::{Border, NonZeroBounds, Volume};
pub(crate) use window::Steps;
pub use window::{Padding, Window};

use crate::simd::Simd;

/// How many vectors the sums of a tile may take: most that the registers hold, as many sums hide the
/// latency of the multiply-adds, but room is left for the operands.
const fn vectors_for_sums<S: Simd>() -> usize {
    S::REGISTERS / 4 * 3 / S::REGISTERS_PER_VECTOR
}
