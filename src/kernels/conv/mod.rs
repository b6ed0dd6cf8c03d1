//! Convolution and pooling of image blocks: 16 images side by side, one image a lane, weights
//! broadcast to all lanes, so that no kernel or channel size needs a shuffle or a padding of its
//! own.
//!
//! The numbers of an image block stand in a [`Volume`]: row by row, column by column, channel by
//! channel. The taps of a window are then runs of neighbours, a run for each row of the window, and
//! in the order of Keras's kernels: height × width × inputs.

mod correlate;
mod gradient;
mod pool;
#[cfg(test)]
mod tests;
mod volume;
mod window;

pub(crate) use correlate::{Correlation, Position, Tiling};
pub(crate) use gradient::{KernelGradient, reduce};
pub(crate) use pool::{PoolBackward, PoolForward, Pooling, Windows, greatest};
pub(crate) use volume::{Border, NonZeroBounds, Volume};
pub(crate) use window::Steps;
pub use window::{Padding, Window};

use crate::simd::Simd;

/// Whether the registers hold the 24 sums of a wide tile, and its operands.
#[inline(always)]
const fn fits_wide_tiles<S: Simd>() -> bool {
    S::REGISTERS >= 32
}
