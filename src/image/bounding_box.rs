//! Rectangles of an image.

use super::{ImageShape, Raster};

/// A rectangle of an image, in pixels from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct BoundingBox {
    /// The first row.
    pub top: usize,
    /// The first column.
    pub left: usize,
    /// How many rows.
    pub height: usize,
    /// How many columns.
    pub width: usize,
}

impl BoundingBox {
    /// The whole of an image of `shape`.
    pub(super) fn whole(shape: ImageShape) -> Self {
        Self { top: 0, left: 0, height: shape.height, width: shape.width }
    }

    /// Height and width.
    pub(super) fn shape(self) -> ImageShape {
        ImageShape { height: self.height, width: self.width }
    }

    /// The row below the last one.
    pub(super) fn bottom(self) -> usize {
        self.top + self.height
    }

    /// The column beyond the last one.
    pub(super) fn right(self) -> usize {
        self.left + self.width
    }

    /// This rectangle and up to `more` pixels around it, as far as an image of `shape` reaches.
    pub(super) fn grown(self, more: usize, shape: ImageShape) -> Self {
        let (top, left) = (self.top.saturating_sub(more), self.left.saturating_sub(more));
        let height = (self.bottom() + more).min(shape.height) - top;
        let width = (self.right() + more).min(shape.width) - left;
        Self { top, left, height, width }
    }

    /// The same rectangle of an image with rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        Self { top: self.left, left: self.top, height: self.width, width: self.height }
    }

    /// The smallest rectangle that holds both.
    pub(super) fn union(self, other: Self) -> Self {
        let (top, left) = (self.top.min(other.top), self.left.min(other.left));
        Self {
            top,
            left,
            height: self.bottom().max(other.bottom()) - top,
            width: self.right().max(other.right()) - left,
        }
    }
}

impl Raster {
    /// The smallest rectangle that holds all ink: every pixel that is not 0. `None` without ink.
    pub(super) fn bounding_box(&self) -> Option<BoundingBox> {
        let inked = |row: &[u8]| row.iter().any(|&pixel| pixel != 0);
        let top = self.rows().position(inked)?;
        let bottom = self.rows().rposition(inked)?;
        let (mut left, mut right) = (usize::MAX, 0);
        for row in self.rows() {
            if let Some(first) = row.iter().position(|&pixel| pixel != 0) {
                left = left.min(first);
                right = row.iter().rposition(|&pixel| pixel != 0).unwrap_or(first).max(right);
            }
        }
        Some(BoundingBox { top, left, height: bottom + 1 - top, width: right + 1 - left })
    }
}
