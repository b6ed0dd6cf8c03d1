//! Seams along which a drawing may be cut into digits that touch: paths from the top to the bottom
//! that cross as little ink as there is to cross (seam carving: Avidan and Shamir, 2007).

use super::stroke::stroke_width;
use crate::image::{ImageShape, Raster};

/// Rows at which seams are looked for: a drawing that is higher is made smaller.
const ROWS: usize = 48;
/// What a step aside costs, and a pixel without ink, in pixels of ink.
const ASIDE: f32 = 0.3;
const FREE: f32 = 0.02;
/// A seam crosses ink of at most so many strokes.
const STROKES: f32 = 5.0;
/// The least share of the ink that is between seams, and beside them.
const APART: f32 = 0.03;
/// The most seams.
const MOST: usize = 10;

/// A path from the top of a drawing to its bottom.
#[derive(Clone, Debug)]
pub(super) struct Seam {
    /// The first column to the right of it, in each row.
    pub(super) columns: Vec<usize>,
    /// How many widths of a stroke it cuts through.
    pub(super) cost: f32,
}

/// The seams of `drawing`, from the left.
pub(super) fn seams(drawing: &Raster) -> Vec<Seam> {
    let side = drawing.shape().height.div_ceil(ROWS).max(1);
    let small = Small::of(drawing, side);
    let ImageShape { height, width } = small.shape;
    let stroke = (stroke_width(drawing) / side as f32).max(1.0);
    let paths = small.paths();

    let mut best: Vec<(f32, usize)> = (1..width)
        .map(|column| (paths.cost(column) / stroke, column))
        .filter(|&(cost, _)| cost <= STROKES)
        .collect();
    best.sort_by(|a, b| a.0.total_cmp(&b.0));
    let apart = APART * small.ink.iter().sum::<f32>();
    let mut chosen: Vec<(f32, Vec<usize>)> = Vec::new();
    let (first, last) = (vec![0; height], vec![width; height]);
    for (cost, column) in best {
        let path = paths.through(column);
        let is_apart = |left: &[usize], right: &[usize]| small.between(left, right) >= apart;
        let is_new = |other: &Vec<usize>| is_apart(other, &path) || is_apart(&path, other);
        let is_new =
            chosen.iter().all(|(_, other)| is_new(other)) && is_new(&first) && is_new(&last);
        if is_new && chosen.len() < MOST {
            chosen.push((cost, path));
        }
    }
    chosen.sort_by_key(|(_, path)| path.iter().sum::<usize>());
    let mut seams: Vec<Seam> = Vec::with_capacity(chosen.len());
    for (cost, path) in chosen {
        let columns = (0..drawing.shape().height).map(|row| path[row / side] * side);
        let mut columns: Vec<usize> = columns.collect();
        if let Some(left) = seams.last() {
            // Seams may join; they do not cross.
            columns
                .iter_mut()
                .zip(&left.columns)
                .for_each(|(column, left)| *column = (*column).max(*left));
        }
        seams.push(Seam { columns, cost });
    }
    seams
}

/// The part of `drawing` between two seams, either of which may be its edge.
pub(super) fn between(drawing: &Raster, left: Option<&Seam>, right: Option<&Seam>) -> Raster {
    let width = drawing.shape().width;
    let mut part = drawing.clone();
    for (row, pixels) in part.pixels_mut().chunks_exact_mut(width.max(1)).enumerate() {
        if let Some(left) = left {
            pixels[..left.columns[row].min(width)].fill(0);
        }
        if let Some(right) = right {
            pixels[right.columns[row].min(width)..].fill(0);
        }
    }
    part
}

/// A drawing made smaller: how much ink there is.
struct Small {
    shape: ImageShape,
    ink: Vec<f32>,
}

impl Small {
    fn of(drawing: &Raster, side: usize) -> Self {
        let ImageShape { height, width } = drawing.shape();
        let shape = ImageShape { height: height.div_ceil(side), width: width.div_ceil(side) };
        let mut ink = vec![0.0; shape.pixels()];
        let share = 1.0 / (side * side) as f32;
        for (row, pixels) in drawing.rows().enumerate() {
            for (column, _) in pixels.iter().enumerate().filter(|(_, pixel)| **pixel > 0) {
                ink[row / side * shape.width + column / side] += share;
            }
        }
        Self { shape, ink }
    }

    /// How much ink is to the right of one path and to the left of another.
    fn between(&self, left: &[usize], right: &[usize]) -> f32 {
        let rows = self.ink.chunks_exact(self.shape.width.max(1)).zip(left.iter().zip(right));
        rows.map(|(ink, (&left, &right))| ink[left.min(right)..right].iter().sum::<f32>()).sum()
    }

    /// The cheapest paths from the top to each pixel, and from the bottom.
    fn paths(&self) -> Paths {
        let ImageShape { height, width } = self.shape;
        let from = |rows: &mut dyn Iterator<Item = usize>| {
            let mut costs = vec![0.0_f32; self.shape.pixels()];
            let mut steps = vec![0_isize; self.shape.pixels()];
            let mut before: Option<usize> = None;
            for row in rows {
                for column in 0..width {
                    let here = row * width + column;
                    let (cost, step) = before.map_or((0.0, 0), |before| {
                        let step = |step: isize| {
                            let from =
                                column.checked_add_signed(step).filter(|&from| from < width)?;
                            Some((costs[before * width + from] + ASIDE * step.abs() as f32, step))
                        };
                        let steps = [0, -1, 1].into_iter().filter_map(step);
                        steps.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, 0))
                    });
                    costs[here] = cost + FREE + self.ink[here];
                    steps[here] = step;
                }
                before = Some(row);
            }
            (costs, steps)
        };
        let (down, steps_up) = from(&mut (0..height));
        let (up, steps_down) = from(&mut (0..height).rev());
        Paths { shape: self.shape, down, steps_up, up, steps_down }
    }
}

/// The cheapest paths from the top and from the bottom to each pixel: what they cost, and the last
/// step of each.
struct Paths {
    shape: ImageShape,
    down: Vec<f32>,
    steps_up: Vec<isize>,
    up: Vec<f32>,
    steps_down: Vec<isize>,
}

impl Paths {
    /// What the cheapest path from top to bottom costs that goes through `column` in the middle.
    fn cost(&self, column: usize) -> f32 {
        let ImageShape { height, width } = self.shape;
        let middle = height / 2 * width + column;
        self.down[middle] + self.up[middle] - FREE * (height + 1) as f32
    }

    /// The columns of that path.
    fn through(&self, column: usize) -> Vec<usize> {
        let ImageShape { height, width } = self.shape;
        let mut path = vec![column; height];
        for row in (0..height / 2).rev() {
            let below = path[row + 1];
            path[row] = below.saturating_add_signed(self.steps_up[(row + 1) * width + below]);
        }
        for row in height / 2 + 1..height {
            let above = path[row - 1];
            path[row] = above.saturating_add_signed(self.steps_down[(row - 1) * width + above]);
        }
        path
    }
}
