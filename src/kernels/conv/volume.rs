//! Where the numbers of an image block stand, and which of them are not zero.

use std::ops::Range;

/// Height × width × channels vectors, one image a lane, with a border of zeros about them for
/// windows that reach out of the image.
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

    /// Vectors from a row to the next.
    pub(crate) fn row_stride(&self) -> usize {
        (self.border.left + self.width + self.border.right) * self.channels
    }

    /// Vectors of all rows, the border included.
    pub(crate) fn vectors(&self) -> usize {
        (self.border.top + self.height + self.border.bottom) * self.row_stride()
    }

    /// Where the first channel of row `y`, column `x` of the image stands.
    pub(crate) fn at(&self, y: usize, x: usize) -> usize {
        (self.border.top + y) * self.row_stride() + (self.border.left + x) * self.channels
    }

    /// Where row `y` of the image stands, without the border.
    pub(crate) fn row(&self, y: usize) -> Range<usize> {
        let start = self.at(y, 0);
        start..start + self.width * self.channels
    }

    /// All of the image.
    pub(crate) fn whole(&self) -> NonZeroBounds {
        NonZeroBounds { rows: 0..self.height, columns: 0..self.width }
    }

    /// The rows of `bounds`, counted from the start of the border.
    pub(super) fn rows_with_border(&self, bounds: &NonZeroBounds) -> Range<usize> {
        let top = self.border.top;
        bounds.rows.start + top..bounds.rows.end + top
    }

    /// The columns of `bounds`, counted from the start of the border.
    pub(super) fn columns_with_border(&self, bounds: &NonZeroBounds) -> Range<usize> {
        let left = self.border.left;
        bounds.columns.start + left..bounds.columns.end + left
    }
}

/// The rectangle of an image outside which all is zero, so that it need not be multiplied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NonZeroBounds {
    pub(crate) rows: Range<usize>,
    pub(crate) columns: Range<usize>,
}
