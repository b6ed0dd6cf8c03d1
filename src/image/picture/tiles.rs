//! Means over square tiles of an image.

use super::Plane;
use crate::image::ImageShape;

/// The values that fell into a tile.
#[derive(Clone, Copy, Default)]
pub(super) struct Tile {
    sum: f32,
    pub(super) count: f32,
}

impl Tile {
    pub(super) fn mean(&self) -> f32 {
        self.sum / self.count.max(1.0)
    }
}

/// An image cut into square tiles, each with its mean.
pub(super) struct Tiles {
    /// Pixels along the side of a tile.
    side: usize,
    /// The shape of the image.
    image: ImageShape,
    /// How many tiles there are, down and across.
    pub(super) shape: ImageShape,
    pub(super) tiles: Vec<Tile>,
}

impl Tiles {
    /// Those of an image of `shape`, without values yet; the last of a row or column may be cut
    /// off.
    pub(super) fn new(image: ImageShape, side: usize) -> Self {
        let shape =
            ImageShape { height: image.height.div_ceil(side), width: image.width.div_ceil(side) };
        Self { side, image, shape, tiles: vec![Tile::default(); shape.pixels()] }
    }

    /// Those of `plane`, with the pixels that `counts` holds for, by their index.
    pub(super) fn of(plane: &Plane, side: usize, counts: impl Fn(usize) -> bool) -> Self {
        let mut tiles = Self::new(plane.shape, side);
        let pixels = plane.values.iter().enumerate();
        let mut pixels = pixels.map(|(index, &value)| counts(index).then_some(value));
        for row in 0..plane.shape.height {
            tiles.add_row(row, &mut pixels);
        }
        tiles
    }

    /// Adds the next `pixels` as those of this row of the image; `None` counts nowhere.
    pub(super) fn add_row(&mut self, row: usize, pixels: &mut impl Iterator<Item = Option<f32>>) {
        let (width, first) = (self.image.width, row / self.side * self.shape.width);
        for (across, tile) in self.tiles[first..][..self.shape.width].iter_mut().enumerate() {
            for value in pixels.take(self.side.min(width - across * self.side)).flatten() {
                tile.sum += value;
                tile.count += 1.0;
            }
        }
    }

    /// The mean of each tile.
    pub(super) fn means(&self) -> Plane {
        Plane { shape: self.shape, values: self.tiles.iter().map(Tile::mean).collect() }
    }

    /// The value of every pixel of the image, by bilinear interpolation between the values of the
    /// tiles around it.
    pub(super) fn between(&self, Plane { values, .. }: &Plane) -> Vec<f32> {
        let image = self.image;
        let between = |pixel: usize, tiles: usize| {
            let position = (pixel as f32 + 0.5) / self.side as f32 - 0.5;
            let position = position.clamp(0.0, (tiles - 1) as f32);
            let first = position as usize;
            (first, (first + 1).min(tiles - 1), position - first as f32)
        };
        let width = self.shape.width;
        let columns: Vec<_> = (0..image.width).map(|column| between(column, width)).collect();
        let mut pixels = Vec::with_capacity(image.pixels());
        for row in 0..image.height {
            let (above, below, down) = between(row, self.shape.height);
            let tile = |column: usize| {
                let [a, b] = [above, below].map(|row| values[row * width + column]);
                a + down * (b - a)
            };
            pixels.extend(columns.iter().map(|&(left, right, across)| {
                let (a, b) = (tile(left), tile(right));
                a + across * (b - a)
            }));
        }
        pixels
    }

    /// Each tile together with its neighbours up to `reach` tiles away: a box filter.
    pub(super) fn smoothed(self, reach: usize) -> Self {
        let add = |a: Tile, b: Tile| Tile { sum: a.sum + b.sum, count: a.count + b.count };
        Self { tiles: filter(self.tiles, self.shape, reach, add), ..self }
    }
}

/// Replaces each value by `fold` of all values up to `reach` rows and columns away: a separable
/// filter, along rows, then along columns.
fn filter<T: Copy>(
    values: Vec<T>,
    shape: ImageShape,
    reach: usize,
    fold: impl Fn(T, T) -> T,
) -> Vec<T> {
    let along = |values: Vec<T>, length: usize, stride: usize| {
        let filtered = |index: usize| {
            let position = index / stride % length;
            let start = index - position * stride;
            let others = position.saturating_sub(reach)..(position + reach + 1).min(length);
            let others = others.filter(|&other| other != position);
            others.fold(values[index], |sum, other| fold(sum, values[start + other * stride]))
        };
        (0..values.len()).map(filtered).collect::<Vec<T>>()
    };
    let rows = along(values, shape.width, 1);
    along(rows, shape.height, shape.width)
}
