//! An estimate of a picture's background: how light it would be without ink.

use super::Plane;
use super::morphology::closed;
use super::tiles::Tiles;
use crate::image::ImageShape;

/// Tiles along the longer side of a picture: fine ones, so that the edge of a shadow stays sharp,
/// and coarse ones, which take the grain of paper away.
const FINE: usize = 400;
const COARSE: usize = 64;
/// Fine tiles on each side that a closing spans: strokes of twice as many are narrower than
/// background.
const CLOSING: usize = 38;
/// Coarse tiles on each side that are averaged.
const SMOOTHING: usize = 3;

/// The background of a plane: a value a pixel.
pub(super) struct Background {
    pub(super) values: Vec<f32>,
}

impl Background {
    /// Where ink may be anywhere and is darker than the background: what is light in the
    /// neighbourhood, by a morphological closing, which fills in what is dark and narrow, and leaves
    /// edges where they are.
    pub(super) fn closed(plane: &Plane) -> Self {
        let tiles = Tiles::of(plane, side(plane.shape, FINE), |_| true);
        let closed = closed(tiles.means(), CLOSING);
        Self { values: tiles.between(&closed) }
    }

    /// The same, brought to the mean of all that `is_background`, by the pixel's index, in the
    /// neighbourhood: by what those differ on average, so that edges stay.
    pub(super) fn refined(mut self, plane: &Plane, is_background: impl Fn(usize) -> bool) -> Self {
        let differences = plane.values.iter().zip(&self.values).map(|(value, old)| value - old);
        let differences = Plane { shape: plane.shape, values: differences.collect() };
        let tiles = Tiles::of(&differences, side(plane.shape, COARSE), is_background);
        let tiles = tiles.smoothed(SMOOTHING);
        for (value, difference) in self.values.iter_mut().zip(tiles.between(&tiles.means())) {
            *value += difference;
        }
        self
    }

    /// The mean of all in the neighbourhood of each pixel.
    pub(super) fn mean(plane: &Plane) -> Self {
        let tiles = Tiles::of(plane, side(plane.shape, COARSE), |_| true).smoothed(2 * SMOOTHING);
        Self { values: tiles.between(&tiles.means()) }
    }
}

/// Pixels along the side of a tile, if there are to be so many along the longer side of an image.
fn side(image: ImageShape, tiles: usize) -> usize {
    image.height.max(image.width).div_ceil(tiles).max(1)
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
        let far =
            refined.values.iter().enumerate().map(|(index, value)| value - light(index % 400));
        assert!(far.map(f32::abs).fold(0.0, f32::max) < 16.0);
    }
}
