//! Frames, boxes, rows of boxes and circles around digits, which are no digits themselves.
//!
//! A component whose outline is straight on all four sides has walls; what is within them is cut
//! free, and is what counts. A round one counts as an enclosure if something large is within it.

use super::components::{Component, connected};
use super::lines::{self, Line, Search};
use super::threshold::Ink;
use crate::image::{BoundingBox, ImageShape, Raster};

/// How far walls may lie from the bounding box, relative to its sides, in the middle part of each
/// side: boxes are drawn askew and with round corners.
const ASKEW: f32 = 0.08;
const MIDDLE: f32 = 0.6;
/// The least side of an enclosure, and the least height of what is within, in pixels.
const LEAST_SIDE: usize = 16;
const LEAST_WITHIN: usize = 4;
/// The largest share of its bounding box that an enclosure with what it touches covers with ink.
const COVERED: f32 = 0.5;
/// What is within walls, or within a round enclosure, is at least so high, relative to it.
const WITHIN_WALLS: f32 = 0.06;
const CUT_FREE: f32 = 0.25;
const WITHIN_ROUND: f32 = 0.25;
/// A run of so many times the usual width of a wall, and a pixel, is more than the wall.
const WIDER: f32 = 1.6;
/// A straight wall runs through so much of the box, and is at most so thick, relative to its shorter
/// side.
const SPANNED: f32 = 0.75;
const WALL: f32 = 0.05;
/// Empty boxes beside those with digits are as large, but for so much.
const ALIKE: f32 = 0.15;

/// The components without those that enclose others; what touches an enclosure is cut free of it.
pub(super) fn opened(components: Vec<Component>, drawing: &Raster) -> Vec<Component> {
    let mut kept = Vec::with_capacity(components.len());
    let mut opened: Vec<BoundingBox> = Vec::new();
    let mut empty = Vec::new();
    let large = |place: &BoundingBox| place.height >= LEAST_WITHIN;
    let bounds: Vec<BoundingBox> =
        components.iter().map(|component| component.bounds).filter(large).collect();
    for component in components {
        let place = component.bounds;
        if place.height.min(place.width) < LEAST_SIDE {
            kept.push(component);
            continue;
        }
        let within = bounds.iter().filter(|other| is_within(**other, place));
        let highest_within = within.map(|other| other.height).max().unwrap_or(0) as f32;
        let height = place.height as f32;
        let cut_out = component.cut_out_of(drawing);
        if let Some(walls) = Walls::of(&cut_out) {
            let freed: Vec<Component> = walls
                .cut_free(cut_out)
                .into_iter()
                .map(|freed| freed.moved(place, drawing.shape().width))
                .collect();
            let highest = freed.iter().map(|freed| freed.bounds.height).max().unwrap_or(0) as f32;
            if highest_within >= WITHIN_WALLS * height || highest >= CUT_FREE * height {
                let least = CUT_FREE * highest.max(highest_within);
                kept.extend(freed.into_iter().filter(|freed| freed.bounds.height as f32 >= least));
                opened.push(place);
            } else {
                empty.push(component);
            }
        } else if highest_within >= WITHIN_ROUND * height && is_hollow(&cut_out) {
            opened.push(place);
        } else {
            kept.push(component);
        }
    }
    let alike = |a: usize, b: usize| a.abs_diff(b) as f32 <= ALIKE * a.max(b) as f32;
    empty.retain(|component| {
        let BoundingBox { height, width, .. } = component.bounds;
        !opened.iter().any(|other| alike(other.height, height) && alike(other.width, width))
    });
    kept.extend(empty);
    kept
}

/// Whether `inner` lies within `outer` and touches no side of it.
fn is_within(inner: BoundingBox, outer: BoundingBox) -> bool {
    inner.top > outer.top
        && inner.left > outer.left
        && inner.bottom() < outer.bottom()
        && inner.right() < outer.right()
}

/// Whether the ink of `image`, cut out tightly, leaves most of its middle free.
fn is_hollow(image: &Raster) -> bool {
    let inked = image.pixels().iter().filter(|&&pixel| pixel > 0).count();
    inked as f32 <= COVERED * image.pixels().len() as f32
}

/// A box around digits, or a row of boxes, cut out tightly.
struct Walls {
    /// Straight walls that run across and, of the box with rows and columns exchanged, down.
    level: Vec<Line>,
    upright: Vec<Line>,
    /// The usual widths of walls on both sides, and at the top and the bottom, where they are too
    /// crooked for that.
    sides: Option<usize>,
    ends: Option<usize>,
}

impl Walls {
    /// Those of a component, cut out tightly; `None` where its outline is not straight, or it is
    /// solid.
    fn of(image: &Raster) -> Option<Self> {
        let ImageShape { height, width } = image.shape();
        if !is_hollow(image) {
            return None;
        }
        let thick = (WALL * height.min(width) as f32).max(3.0) as usize;
        let search = Search { within: BoundingBox::whole(image.shape()), span: SPANNED, thick };
        let turned = image.transposed();
        let level = lines::level(image, search);
        let upright = lines::level(&turned, search.transposed());
        let sides = if upright.len() < 2 { Some(side_width(image.rows(), width)?) } else { None };
        let ends = if level.len() < 2 { Some(side_width(turned.rows(), height)?) } else { None };
        Some(Self { level, upright, sides, ends })
    }

    /// What is left of the box `image` without its walls, in connected pieces.
    fn cut_free(&self, mut image: Raster) -> Vec<Component> {
        self.level.iter().for_each(|wall| wall.erase_from(&mut image));
        let mut turned = image.transposed();
        self.upright.iter().for_each(|wall| wall.erase_from(&mut turned));
        if let Some(usual) = self.ends {
            erase_sides(&mut turned, usual);
        }
        let mut image = turned.transposed();
        if let Some(usual) = self.sides {
            erase_sides(&mut image, usual);
        }
        connected(&Ink { drawing: image, strong: 1 })
    }
}

/// How wide the walls at both ends of `rows` are, if in the middle rows they are near the ends, and
/// no wider than walls are.
fn side_width<'a>(rows: impl ExactSizeIterator<Item = &'a [u8]>, width: usize) -> Option<usize> {
    let rows_count = rows.len();
    let skipped = ((1.0 - MIDDLE) / 2.0 * rows_count as f32) as usize;
    let most = (ASKEW * width as f32).max(2.0) as usize;
    let mut widths = Vec::new();
    for row in rows.skip(skipped).take(rows_count - 2 * skipped) {
        let mut runs = runs(row);
        let (first, last) = (runs.next()?, runs.last()?);
        if first.0 > most || width - last.1 > most {
            return None;
        }
        widths.extend([first.1 - first.0, last.1 - last.0]);
    }
    let middle = widths.len() / 2;
    let (_, &mut usual, _) = widths.select_nth_unstable(middle);
    Some(usual)
}

/// Erases the first and the last run of each row, or `usual` pixels of one that is wider than a wall.
fn erase_sides(image: &mut Raster, usual: usize) {
    let width = image.shape().width;
    let reach = (ASKEW * width as f32).max(2.0) as usize + usual;
    for row in image.pixels_mut().chunks_exact_mut(width.max(1)) {
        let found: Vec<_> = runs(row).collect();
        let (Some(&first), Some(&last)) = (found.first(), found.last()) else { continue };
        if first.0 <= reach {
            let end = if first.1 - first.0 <= wider(usual) { first.1 } else { first.0 + usual };
            row[first.0..end].fill(0);
        }
        if width - last.1 <= reach {
            let start = if last.1 - last.0 <= wider(usual) { last.0 } else { last.1 - usual };
            row[start..last.1].fill(0);
        }
    }
}

/// The widest run that is no more than a wall of the `usual` width.
fn wider(usual: usize) -> usize {
    (WIDER * usual as f32) as usize + 1
}

/// The runs of ink in a row: where each starts and where it has ended.
fn runs(row: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut place = 0;
    std::iter::from_fn(move || {
        let start = place + row[place..].iter().position(|&pixel| pixel > 0)?;
        let length = row[start..].iter().position(|&pixel| pixel == 0);
        place = length.map_or(row.len(), |length| start + length);
        Some((start, place))
    })
}
