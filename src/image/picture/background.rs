//! An estimate of a picture's background: how light it would be without ink.

use super::Plane;
use super::tiles::{Tiles, filter};
use crate::image::ImageShape;

/// Tiles along the longer side of a picture.
const TILES: usize = 64;
/// Tiles on each side that a closing spans: strokes of twice as many are narrower than background.
const CLOSING: usize = 6;
/// Tiles on each side that are averaged.
const SMOOTHING: usize = 3;

/// The background of a plane, in square tiles: it changes slowly.
pub(super) struct Background {
    /// Pixels along the side of a tile.
    side: usize,
    /// How many tiles there are, down and across.
    shape: ImageShape,
    values: Vec<f32>,
}

impl Background {
    /// Where ink may be anywhere and is darker than the background: what is light in the
    /// neighbourhood, by a morphological closing, which fills in what is dark and narrow.
    pub(super) fn closed(plane: &Plane) -> Self {
        let tiles = Tiles::of(plane, side(plane), |_| true);
        let dilated = filter(tiles.means(), tiles.shape, CLOSING, f32::max);
        let values = filter(dilated, tiles.shape, CLOSING, f32::min);
        Self { side: side(plane), shape: tiles.shape, values }
    }

    /// The mean of all that `is_background`, by the pixel's index, around each tile; where there is
    /// none, as it is in `self`.
    pub(super) fn refined(&self, plane: &Plane, is_background: impl Fn(usize) -> bool) -> Self {
        let tiles = Tiles::of(plane, self.side, is_background).smoothed(SMOOTHING);
        let values = tiles.tiles.iter().zip(&self.values);
        let values = values.map(|(tile, &old)| if tile.count > 0.0 { tile.mean() } else { old });
        Self { side: self.side, shape: self.shape, values: values.collect() }
    }

    /// The mean of all around each tile.
    pub(super) fn mean(plane: &Plane) -> Self {
        let tiles = Tiles::of(plane, side(plane), |_| true).smoothed(2 * SMOOTHING);
        Self { side: side(plane), shape: tiles.shape, values: tiles.means() }
    }

    /// The background of every pixel of a plane of `shape`, by bilinear interpolation between the
    /// tiles around it.
    pub(super) fn pixels(&self, shape: ImageShape) -> Vec<f32> {
        let between = |pixel: usize, tiles: usize| {
            let position = (pixel as f32 + 0.5) / self.side as f32 - 0.5;
            let position = position.clamp(0.0, (tiles - 1) as f32);
            let first = position as usize;
            (first, (first + 1).min(tiles - 1), position - first as f32)
        };
        let width = self.shape.width;
        let columns: Vec<_> = (0..shape.width).map(|column| between(column, width)).collect();
        let mut pixels = Vec::with_capacity(shape.pixels());
        for row in 0..shape.height {
            let (above, below, down) = between(row, self.shape.height);
            let tile = |column: usize| {
                let [a, b] = [above, below].map(|row| self.values[row * width + column]);
                a + down * (b - a)
            };
            pixels.extend(columns.iter().map(|&(left, right, across)| {
                let (a, b) = (tile(left), tile(right));
                a + across * (b - a)
            }));
        }
        pixels
    }
}

/// Pixels along the side of a tile.
fn side(plane: &Plane) -> usize {
    plane.shape.height.max(plane.shape.width).div_ceil(TILES).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(height: usize, width: usize, value: impl Fn(usize, usize) -> f32) -> Plane {
        let pixels = (0..height * width).map(|index| value(index / width, index % width));
        Plane { shape: ImageShape { height, width }, values: pixels.collect() }
    }

    #[test]
    fn the_background_is_seen_below_strokes() {
        // Light falls off to the right; a bar of ink is a seventh of the picture wide.
        let light = |column: usize| 220.0 - 0.2 * column as f32;
        let inked = |column: usize| (130..190).contains(&column);
        let picture = plane(300, 400, |_, column| if inked(column) { 40.0 } else { light(column) });
        let closed = Background::closed(&picture);
        let refined = closed.refined(&picture, |index| !inked(index % 400));
        let values = refined.pixels(picture.shape);
        let far = values.iter().enumerate().map(|(index, value)| value - light(index % 400));
        assert!(far.map(f32::abs).fold(0.0, f32::max) < 16.0);
    }
}
