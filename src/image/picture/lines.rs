//! Long thin straight lines in a drawing: the rules of paper, the walls of boxes.
//!
//! Thin runs of ink across a line vote for the lines that they may lie on (Hough, 1962), of all
//! places and of slopes up to that of paper that lies askew.

use std::cmp::Reverse;

use crate::image::{BoundingBox, ImageShape, Raster};

/// The steepest slope.
const SLOPE: f32 = 0.09;
/// A run of so many times the usual thickness of its line, and a pixel, is a stroke that meets it.
const STROKE: f32 = 1.6;
/// Ink that is so many times as strong as its line usually is, is a stroke along it.
const STRONGER: f32 = 1.5;
/// The most runs that vote, and the most places that are looked at: of a picture with more, no line is
/// found.
const MOST_RUNS: usize = 1 << 17;
const MOST_PLACES: usize = 1 << 15;

/// What lines are looked for.
#[derive(Clone, Copy)]
pub(super) struct Search {
    /// The part of the drawing in which they are.
    pub(super) within: BoundingBox,
    /// Through what share of its width they run at least.
    pub(super) span: f32,
    /// How thick they are at most, in pixels.
    pub(super) thick: usize,
}

impl Search {
    /// The same for a drawing with rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        Self { within: self.within.transposed(), ..self }
    }
}

/// A line that runs across a drawing.
pub(super) struct Line {
    place: Place,
    within: BoundingBox,
    /// In how many columns its own ink is seen.
    length: usize,
    /// How thick it usually is, and how strong its ink.
    pub(super) thickness: usize,
    pub(super) strength: u8,
}

/// Where a line is: its row in the first column, and by how many rows it is lower in the last.
#[derive(Clone, Copy)]
struct Place {
    row: isize,
    fall: isize,
}

impl Place {
    /// The row in `column` of `within`.
    fn row_at(self, column: usize, within: BoundingBox) -> isize {
        self.row + self.fall * (column - within.left) as isize / within.width.max(1) as isize
    }
}

/// A run of ink down a column.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) column: usize,
    pub(super) top: usize,
    /// The row below its last.
    pub(super) bottom: usize,
}

impl Run {
    fn height(self) -> usize {
        self.bottom - self.top
    }
}

/// The lines that run across `drawing`, those first that are seen best.
pub(super) fn level(drawing: &Raster, search: Search) -> Vec<Line> {
    let Search { within, span, .. } = search;
    let runs = thin_runs(drawing, search);
    if runs.len() > MOST_RUNS {
        return Vec::new();
    }
    let mut starts = vec![0; within.width + 1];
    for run in &runs {
        starts[run.column - within.left + 1] += 1;
    }
    for column in 0..within.width {
        starts[column + 1] += starts[column];
    }
    // The run that meets a place in the column that is so far across, by its index.
    let met = |place: Place, across: usize| {
        let row = usize::try_from(place.row_at(within.left + across, within)).ok()?;
        let (first, last) = (starts[across], starts[across + 1]);
        let index = first + runs[first..last].partition_point(|run| run.bottom <= row);
        (index < last && runs[index].top <= row).then_some(index)
    };
    let mut used = vec![false; runs.len()];
    let mut lines = Vec::new();
    for place in places(&runs, search).into_iter().take(MOST_PLACES) {
        let on_line = (0..within.width).filter_map(|across| met(place, across));
        let on_line: Vec<usize> = on_line.filter(|&index| !used[index]).collect();
        if on_line.len() as f32 >= span * within.width as f32 && !on_line.is_empty() {
            on_line.iter().for_each(|&index| used[index] = true);
            let runs: Vec<Run> = on_line.iter().map(|&index| runs[index]).collect();
            lines.push(Line::through(&runs, place, within, drawing));
        }
    }
    lines
}

/// The runs of ink down the columns that are no thicker than a line, column by column.
fn thin_runs(drawing: &Raster, Search { within, thick, .. }: Search) -> Vec<Run> {
    let mut runs = Vec::new();
    // Row by row, as they lie in memory: where the run begins that each column is in.
    let mut tops = vec![None; within.width];
    let rows = drawing.rows().enumerate().skip(within.top).take(within.height);
    let inked = rows.map(|(row, pixels)| (row, Some(&pixels[within.left..within.right()])));
    for (row, pixels) in inked.chain([(within.bottom(), None)]) {
        for (across, top) in tops.iter_mut().enumerate() {
            let inked = pixels.is_some_and(|pixels| pixels[across] > 0);
            match *top {
                None if inked => *top = Some(row),
                Some(start) if !inked => {
                    if row - start <= thick {
                        runs.push(Run { column: within.left + across, top: start, bottom: row });
                    }
                    *top = None;
                }
                _ => {}
            }
        }
    }
    runs.sort_by_key(|run| run.column);
    runs
}

/// Where enough of the runs lie on a line, best first.
fn places(runs: &[Run], Search { within, span, .. }: Search) -> Vec<Place> {
    let most = (SLOPE * within.width as f32) as isize;
    let least = (span * within.width as f32).max(1.0) as u32;
    let mut votes = vec![0_u32; within.bottom() + 2 * most as usize];
    let mut found = Vec::new();
    for fall in -most..=most {
        votes.fill(0);
        for run in runs {
            let fallen = Place { row: 0, fall }.row_at(run.column, within);
            // Never below 0: a line falls by `most` rows at most.
            let top = (run.top as isize - fallen + most) as usize;
            votes.iter_mut().skip(top).take(run.height()).for_each(|votes| *votes += 1);
        }
        let here = votes.iter().zip(0..).filter(|(votes, _)| **votes >= least);
        found.extend(here.map(|(&votes, row)| (votes, Place { row: row - most, fall })));
    }
    found.sort_by_key(|&(votes, place)| (Reverse(votes), place.fall.abs(), place.row));
    found.into_iter().map(|(_, place)| place).collect()
}

impl Line {
    fn through(runs: &[Run], place: Place, within: BoundingBox, drawing: &Raster) -> Self {
        let width = drawing.shape().width;
        let mut thicknesses: Vec<usize> = runs.iter().map(|run| run.height()).collect();
        let strongest = |run: &Run| {
            let rows = run.top..run.bottom;
            rows.map(|row| drawing.pixels()[row * width + run.column]).max().unwrap_or(0)
        };
        let mut strengths: Vec<u8> = runs.iter().map(strongest).collect();
        let middle = runs.len() / 2;
        let thickness = *thicknesses.select_nth_unstable(middle).1;
        let strength = *strengths.select_nth_unstable(middle).1;
        // The votes are for any row of a run: to the middle of them.
        let twice_off =
            |run: &Run| (run.top + run.bottom) as isize - 2 * place.row_at(run.column, within);
        let off = runs.iter().map(twice_off).sum::<isize>() as f32 / (2 * runs.len()) as f32;
        let place = Place { row: place.row + off.floor() as isize, ..place };
        Self { place, within, length: runs.len(), thickness, strength }
    }

    /// By how much it falls a column.
    pub(super) fn slope(&self) -> f32 {
        self.place.fall as f32 / self.within.width.max(1) as f32
    }

    /// In what share of the columns its own ink is seen.
    pub(super) fn share(&self) -> f32 {
        self.length as f32 / self.within.width.max(1) as f32
    }

    /// Its ink in `drawing`, column by column, without the strokes that cross it; of one that only
    /// touches it, the line is cut off.
    pub(super) fn own_runs(&self, drawing: &Raster) -> Vec<Run> {
        let ImageShape { height, width } = drawing.shape();
        let most = (STROKE * self.thickness as f32) as usize + 1;
        let half = self.thickness / 2;
        let columns = self.within.left..self.within.right();
        columns
            .filter_map(|column| {
                let inked = |row: usize| drawing.pixels()[row * width + column] > 0;
                let middle = usize::try_from(self.place.row_at(column, self.within)).ok()?;
                let (first, last) =
                    (middle.saturating_sub(half + 1), (middle + half + 1).min(height - 1));
                let met = (first..=last)
                    .filter(|&row| inked(row))
                    .min_by_key(|&row| row.abs_diff(middle))?;
                let top = (0..met).rev().take_while(|&row| inked(row)).last().unwrap_or(met);
                let bottom = (met + 1..height).find(|&row| !inked(row)).unwrap_or(height);
                let run = Run { column, top, bottom };
                if run.height() <= most {
                    return Some(run);
                }
                let (starts_here, ends_here) = (top >= first, bottom <= last + 1);
                match (starts_here, ends_here) {
                    (true, false) => {
                        Some(Run { bottom: (top + self.thickness).min(bottom), ..run })
                    }
                    (false, true) => {
                        Some(Run { top: bottom.saturating_sub(self.thickness).max(top), ..run })
                    }
                    _ => None,
                }
            })
            .collect()
    }

    /// Takes it out of `drawing`, but for strokes across and along it.
    pub(super) fn erase_from(&self, drawing: &mut Raster) {
        let width = drawing.shape().width;
        let strongest = STRONGER * f32::from(self.strength);
        for Run { column, top, bottom } in self.own_runs(drawing) {
            for row in top..bottom {
                let pixel = &mut drawing.pixels_mut()[row * width + column];
                if f32::from(*pixel) <= strongest {
                    *pixel = 0;
                }
            }
        }
    }
}
