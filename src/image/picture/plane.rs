//! The grey levels of a picture as numbers.

use super::tiles::Tiles;
use crate::image::{ImageShape, Raster};

/// Grey levels, 0 to 255, as numbers.
#[derive(Clone)]
pub(super) struct Plane {
    pub(super) shape: ImageShape,
    pub(super) values: Vec<f32>,
}

impl Plane {
    /// `levels`, downsampled: each pixel is the mean of a square of them, of the least side that
    /// brings the longer side of the picture to `longest` or below; and that side.
    pub(super) fn downsampled(levels: &Raster, longest: usize) -> (Self, usize) {
        let ImageShape { height, width } = levels.shape();
        let side = height.max(width).div_ceil(longest).max(1);
        let mut squares = Tiles::new(levels.shape(), side);
        let mut pixels = levels.pixels().iter().map(|&pixel| Some(f32::from(pixel)));
        for row in 0..height {
            squares.add_row(row, &mut pixels);
        }
        (squares.means(), side)
    }

    /// Rows and columns exchanged.
    pub(super) fn transposed(&self) -> Self {
        let ImageShape { height, width } = self.shape;
        let column = |column| (0..height).map(move |row| self.values[row * width + column]);
        let values = (0..width).flat_map(column).collect();
        Self { shape: ImageShape { height: width, width: height }, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_made_smaller_by_a_whole_step() {
        let levels = Raster::new(ImageShape { height: 3, width: 5 }, (0..15).collect());
        let (plane, side) = Plane::downsampled(&levels.unwrap(), 3);
        assert_eq!((plane.shape, side), (ImageShape { height: 2, width: 3 }, 2));
        assert_eq!(plane.values, [3.0, 5.0, 6.5, 10.5, 12.5, 14.0]);
    }
}
