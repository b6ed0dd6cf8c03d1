//! A picture in numbers, and its ground: how light it would be without ink.

use crate::image::{ImageShape, Raster};

/// Grey levels, 0 to 255, as numbers.
pub(super) struct Plane {
    pub(super) shape: ImageShape,
    pub(super) values: Vec<f32>,
}

impl Plane {
    /// `levels`, each pixel the mean of a square of them, of the least side that brings the longer
    /// side to `longest` or below; and that side.
    pub(super) fn of(levels: &Raster, longest: usize) -> (Self, usize) {
        let ImageShape { height, width } = levels.shape();
        let step = height.max(width).div_ceil(longest).max(1);
        let shape = ImageShape { height: height.div_ceil(step), width: width.div_ceil(step) };
        let mut means = Means::new(shape);
        for (row, pixels) in levels.rows().enumerate() {
            for (column, &pixel) in pixels.iter().enumerate() {
                means.add(row / step, column / step, f32::from(pixel));
            }
        }
        let values = means.cells.iter().map(Cell::mean).collect();
        (Self { shape, values }, step)
    }
}

/// Cells of a ground along the longer side of its plane.
const CELLS: usize = 64;
/// Cells on each side that a closing spans: strokes of twice as many are narrower than ground.
const CLOSING: usize = 6;
/// Cells on each side that are averaged.
const SMOOTHING: usize = 3;

/// The ground of a plane, in square cells: it changes slowly.
pub(super) struct Ground {
    step: usize,
    shape: ImageShape,
    values: Vec<f32>,
}

impl Ground {
    /// Where ink may be anywhere and is darker than the ground: what is light in the
    /// neighbourhood, by a morphological closing, which fills in what is dark and narrow.
    pub(super) fn closed(plane: &Plane) -> Self {
        let means = Means::of(plane, |_| true);
        let values = means.cells.iter().map(Cell::mean).collect();
        let light = sweep(values, means.shape, CLOSING, f32::max);
        let values = sweep(light, means.shape, CLOSING, f32::min);
        Self { step: step(plane), shape: means.shape, values }
    }

    /// The mean of all that `is_ground`, by the pixel's index, around each cell; where there is
    /// none, as it is in `self`.
    pub(super) fn refined(&self, plane: &Plane, is_ground: impl Fn(usize) -> bool) -> Self {
        let means = Means::of(plane, is_ground).smoothed(SMOOTHING);
        let values = means.cells.iter().zip(&self.values);
        let values = values.map(|(cell, &old)| if cell.count > 0.0 { cell.mean() } else { old });
        Self { step: self.step, shape: self.shape, values: values.collect() }
    }

    /// The mean of all around each cell.
    pub(super) fn mean(plane: &Plane) -> Self {
        let means = Means::of(plane, |_| true).smoothed(2 * SMOOTHING);
        let values = means.cells.iter().map(Cell::mean).collect();
        Self { step: step(plane), shape: means.shape, values }
    }

    /// The ground of every pixel of a plane of `shape`, between those of the cells around it.
    pub(super) fn pixels(&self, shape: ImageShape) -> Vec<f32> {
        let between = |pixel: usize, cells: usize| {
            let place = (pixel as f32 + 0.5) / self.step as f32 - 0.5;
            let place = place.clamp(0.0, (cells - 1) as f32);
            let first = place as usize;
            (first, (first + 1).min(cells - 1), place - first as f32)
        };
        let width = self.shape.width;
        let columns: Vec<_> = (0..shape.width).map(|column| between(column, width)).collect();
        let mut pixels = Vec::with_capacity(shape.pixels());
        for row in 0..shape.height {
            let (above, below, down) = between(row, self.shape.height);
            let cell = |column: usize| {
                let [a, b] = [above, below].map(|row| self.values[row * width + column]);
                a + down * (b - a)
            };
            pixels.extend(columns.iter().map(|&(left, right, across)| {
                let (a, b) = (cell(left), cell(right));
                a + across * (b - a)
            }));
        }
        pixels
    }
}

/// Pixels along the side of a cell.
fn step(plane: &Plane) -> usize {
    plane.shape.height.max(plane.shape.width).div_ceil(CELLS).max(1)
}

/// What was added up in a cell.
#[derive(Clone, Copy, Default)]
struct Cell {
    sum: f32,
    count: f32,
}

impl Cell {
    fn mean(&self) -> f32 {
        self.sum / self.count.max(1.0)
    }
}

/// Means of values, cell by cell.
struct Means {
    shape: ImageShape,
    cells: Vec<Cell>,
}

impl Means {
    fn new(shape: ImageShape) -> Self {
        Self { shape, cells: vec![Cell::default(); shape.pixels()] }
    }

    /// Those of the pixels of `plane` that `counts`.
    fn of(plane: &Plane, counts: impl Fn(usize) -> bool) -> Self {
        let (step, ImageShape { height, width }) = (step(plane), plane.shape);
        let shape = ImageShape { height: height.div_ceil(step), width: width.div_ceil(step) };
        let mut means = Self::new(shape);
        for (index, &value) in plane.values.iter().enumerate().filter(|&(index, _)| counts(index)) {
            means.add(index / width / step, index % width / step, value);
        }
        means
    }

    fn add(&mut self, row: usize, column: usize, value: f32) {
        let cell = &mut self.cells[row * self.shape.width + column];
        cell.sum += value;
        cell.count += 1.0;
    }

    /// Each cell together with its neighbours up to `reach` cells away.
    fn smoothed(self, reach: usize) -> Self {
        let add = |a: Cell, b: Cell| Cell { sum: a.sum + b.sum, count: a.count + b.count };
        Self { shape: self.shape, cells: sweep(self.cells, self.shape, reach, add) }
    }
}

/// Replaces each value by `fold` of all values up to `reach` rows and columns away.
fn sweep<T: Copy>(
    values: Vec<T>,
    shape: ImageShape,
    reach: usize,
    fold: impl Fn(T, T) -> T,
) -> Vec<T> {
    let along = |values: Vec<T>, length: usize, stride: usize| {
        let swept = |index: usize| {
            let place = index / stride % length;
            let start = index - place * stride;
            let others = place.saturating_sub(reach)..(place + reach + 1).min(length);
            let others = others.filter(|&other| other != place);
            others.fold(values[index], |sum, other| fold(sum, values[start + other * stride]))
        };
        (0..values.len()).map(swept).collect::<Vec<T>>()
    };
    let rows = along(values, shape.width, 1);
    along(rows, shape.height, shape.width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(height: usize, width: usize, value: impl Fn(usize, usize) -> f32) -> Plane {
        let pixels = (0..height * width).map(|index| value(index / width, index % width));
        Plane { shape: ImageShape { height, width }, values: pixels.collect() }
    }

    #[test]
    fn a_picture_is_made_smaller_by_a_whole_step() {
        let levels = Raster::new(ImageShape { height: 3, width: 5 }, (0..15).collect());
        let (plane, step) = Plane::of(&levels.unwrap(), 3);
        assert_eq!((plane.shape, step), (ImageShape { height: 2, width: 3 }, 2));
        assert_eq!(plane.values, [3.0, 5.0, 6.5, 10.5, 12.5, 14.0]);
    }

    #[test]
    fn ground_is_seen_below_strokes() {
        // Light falls off to the right; a bar of ink is a seventh of the picture wide.
        let light = |column: usize| 220.0 - 0.2 * column as f32;
        let inked = |column: usize| (130..190).contains(&column);
        let picture = plane(300, 400, |_, column| if inked(column) { 40.0 } else { light(column) });
        let closed = Ground::closed(&picture);
        let refined = closed.refined(&picture, |index| !inked(index % 400));
        let ground = refined.pixels(picture.shape);
        let far = ground.iter().enumerate().map(|(index, ground)| ground - light(index % 400));
        assert!(far.map(f32::abs).fold(0.0, f32::max) < 16.0);
    }
}
