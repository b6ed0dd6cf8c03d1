//! Ruled and squared paper: its lines are taken out of a picture, and strokes that cross them stay
//! whole.

use super::Plane;
use super::lines::{Line, Run, Search, level};
use super::stroke::stroke_width;
use super::threshold::Ink;
use crate::image::{BoundingBox, ImageShape, Raster};

/// Smaller pictures show no rules that could be told from strokes.
const LEAST_SIDE: usize = 64;
/// A rule is at most so thick, in pixels and relative to the longer side.
const THICK: (usize, f32) = (3, 0.01);
/// Rules are seen along so much of the picture: where there are several, where there are fewer, and
/// one that is parallel to several and may be hidden by a stroke.
const SPAN: f32 = 0.6;
const SPAN_ALONE: f32 = 0.9;
const SPAN_PARALLEL: f32 = 0.35;
/// How far the falls of parallel rules differ, relative to their length.
const PARALLEL: f32 = 0.01;
/// So many make paper ruled.
const SEVERAL: usize = 3;
/// Fewer have at most so much of the strength of other ink, or of the width of its strokes.
const FAINT: f32 = 0.6;

/// `plane` without the rules that are in its part `picture`, if there are; `ink` is what stands out
/// in it.
pub(super) fn erased(plane: &Plane, ink: &Ink, picture: BoundingBox) -> Option<Plane> {
    if picture.height.min(picture.width) < LEAST_SIDE {
        return None;
    }
    let thick = THICK.0.max((THICK.1 * picture.height.max(picture.width) as f32) as usize);
    let search = Search { within: picture, span: SPAN_PARALLEL, thick };
    let rules = likely(level(&ink.drawing, search));
    let upright_rules = likely(level(&ink.drawing.transposed(), search.transposed()));
    if rules.is_empty() && upright_rules.is_empty() {
        return None;
    }
    let is_grid = rules.len().max(upright_rules.len()) >= SEVERAL;

    let mut sheet = Sheet { plane: plane.clone(), ink: ink.drawing.clone() };
    let level = sheet.erase(rules, is_grid);
    let mut turned = sheet.transposed();
    let upright = turned.erase(upright_rules, is_grid);
    (level || upright).then(|| turned.transposed().plane)
}

/// Those of `lines` that are seen far enough, or are parallel to several that are.
fn likely(mut lines: Vec<Line>) -> Vec<Line> {
    let is_long = |line: &Line| line.share() >= SPAN;
    let mut slopes: Vec<f32> = lines.iter().filter(|line| is_long(line)).map(Line::slope).collect();
    if slopes.len() < SEVERAL {
        lines.retain(is_long);
    } else {
        let middle = slopes.len() / 2;
        let usual = *slopes.select_nth_unstable_by(middle, f32::total_cmp).1;
        lines.retain(|line| is_long(line) || (line.slope() - usual).abs() <= PARALLEL);
    }
    lines
}

/// A picture, and the ink in it.
struct Sheet {
    plane: Plane,
    ink: Raster,
}

impl Sheet {
    /// Rows and columns exchanged.
    fn transposed(&self) -> Self {
        Self { plane: self.plane.transposed(), ink: self.ink.transposed() }
    }

    /// Takes out these rules, if they are surely such: any of a grid, or thin or faint ones that run
    /// through all of the picture. Says whether there were any.
    fn erase(&mut self, mut rules: Vec<Line>, is_grid: bool) -> bool {
        if !is_grid {
            rules.retain(|rule| rule.share() >= SPAN_ALONE);
        }
        let mut without = self.ink.clone();
        for rule in &rules {
            rule.erase_from(&mut without);
        }
        if rules.is_empty() || !(is_grid || rules.iter().all(|rule| is_faint(rule, &without))) {
            return false;
        }
        for rule in &rules {
            for run in rule.own_runs(&self.ink) {
                self.fill_in(run, &without);
            }
        }
        self.ink = without;
        true
    }

    /// Makes what a rule has in `run`, and is not in `without`, as light as what is above or below.
    fn fill_in(&mut self, Run { column, top, bottom }: Run, without: &Raster) {
        let ImageShape { height, width } = self.ink.shape();
        let at = |row: usize| row * width + column;
        // A pixel further, for the soft edge of the rule.
        let (first, last) = (top.saturating_sub(1), (bottom + 1).min(height) - 1);
        let around = [first.checked_sub(1), Some(last + 1).filter(|&row| row < height)];
        let light =
            around.into_iter().flatten().map(|row| self.plane.values[at(row)]).fold(0.0, f32::max);
        for row in first..=last {
            if without.pixels()[at(row)] == 0 {
                let value = &mut self.plane.values[at(row)];
                *value = value.max(light);
            }
        }
    }
}

/// Whether `rule` is thinner or fainter than the ink that is there `without` it.
fn is_faint(rule: &Line, without: &Raster) -> bool {
    let strong = without.pixels().iter().filter(|&&pixel| pixel > 127);
    let (sum, count) =
        strong.fold((0.0, 0.0), |(sum, count), &pixel| (sum + f32::from(pixel), count + 1.0));
    count > 0.0
        && (f32::from(rule.strength) <= FAINT * sum / count
            || rule.thickness as f32 <= FAINT * stroke_width(without))
}
