//! Convolution and pooling with sixteen images side by side: one image a lane, weights spread over
//! all lanes, so that no kernel or channel size needs a shuffle or a padding of its own.
//!
//! The numbers of sixteen images stand in a [`Volume`]: row by row, position by position, channel
//! by channel. The taps of a window are then runs of neighbours, a run a row of the window, and
//! stand in the order of Keras's kernels: height, width, inputs.

mod correlate;
mod gradient;
mod pool;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use correlate::{Correlation, Finish, Place, Tiling};
pub(crate) use gradient::{KernelGradient, reduce};
pub(crate) use pool::{PoolBackward, PoolForward, Pooling, Windows, greatest};
pub(crate) use window::Steps;
pub use window::{Padding, Window};

use std::ops::Range;

use crate::simd::Simd;

/// Whether the registers hold the 24 sums of a wide tile, as the tile of matrix products shows.
#[inline(always)]
const fn has_many_registers<S: Simd>() -> bool {
    S::TILE_ROWS * S::TILE_BLOCKS >= 24
}

/// Where the numbers of sixteen images stand: height × width × channels lanes, with a border of
/// zeros about them for windows that reach out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Volume {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) border: Border,
}

/// Rows and columns of zeros about an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Border {
    pub(crate) top: usize,
    pub(crate) bottom: usize,
    pub(crate) left: usize,
    pub(crate) right: usize,
}

impl Volume {
    /// Without a border.
    pub(crate) fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels, border: Border::default() }
    }

    /// The same without the border.
    pub(crate) fn without_border(&self) -> Self {
        Self::new(self.height, self.width, self.channels)
    }

    /// F32x16 from a row to the next.
    pub(crate) fn pitch(&self) -> usize {
        (self.border.left + self.width + self.border.right) * self.channels
    }

    /// F32x16 of all rows, those of the border too.
    pub(crate) fn lanes(&self) -> usize {
        (self.border.top + self.height + self.border.bottom) * self.pitch()
    }

    /// The lanes of the first channel of row `y`, column `x` of the image.
    pub(crate) fn at(&self, y: usize, x: usize) -> usize {
        (self.border.top + y) * self.pitch() + (self.border.left + x) * self.channels
    }

    /// The lanes of row `y` of the image, without the border.
    pub(crate) fn row(&self, y: usize) -> Range<usize> {
        let start = self.at(y, 0);
        start..start + self.width * self.channels
    }

    /// All of the image.
    pub(crate) fn whole(&self) -> NonZeroBounds {
        NonZeroBounds { rows: 0..self.height, columns: 0..self.width }
    }
}

/// The part of an image outside which all is zero, so that it need not be multiplied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NonZeroBounds {
    pub(crate) rows: Range<usize>,
    pub(crate) columns: Range<usize>,
}

/// Of the `size` taps of a window along one side, those that meet something lit in one of the
/// positions that begin at `first` to `last`, all counted from the start of the border.
fn taps(size: usize, (first, last): (usize, usize), lit: &Range<usize>) -> Range<usize> {
    let start = lit.start.saturating_sub(last).min(size);
    start..lit.end.saturating_sub(first).clamp(start, size)
}

/// Of `count` positions, `stride` apart, those where one of `taps` meets something lit, all
/// counted from the start of the border.
fn positions(count: usize, stride: usize, taps: &Range<usize>, lit: &Range<usize>) -> Range<usize> {
    if lit.is_empty() || taps.is_empty() {
        return 0..0;
    }
    let start = (lit.start + 1).saturating_sub(taps.end).div_ceil(stride).min(count);
    let end = lit.end.saturating_sub(taps.start).div_ceil(stride);
    start..end.clamp(start, count)
}
