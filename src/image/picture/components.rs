//! The connected components of what is drawn, put together to digits in reading order.

use super::enclosures;
use super::threshold::Ink;
use crate::image::{BoundingBox, Error, ImageShape, Raster};

/// The most components that are put together: a page of digits has fewer.
const MOST_COMPONENTS: usize = 1000;

/// A piece that is less than one of so many pixels does not count.
const SPECK: usize = 500;

/// A digit is at least one of so many of the picture's longer side high; less is dust.
const DUST: usize = 200;
/// A digit is at least so much as high as the highest.
const LEAST_HEIGHT: f32 = 0.4;
/// A component of a digit is at least so much as high or as wide.
const LEAST_COMPONENT: f32 = 0.25;
/// What is lower than a component of a digit and so much wider than a digit is high is a line.
const LINE: f32 = 1.2;
/// What touches the edge of the picture and is so much longer than a digit, or shorter, or so
/// much fainter, is something beside the paper, or a shadow.
const BESIDE: (f32, f32) = (0.5, 2.0);
const SHADOW: f32 = 0.6;
/// Components of one digit lie no farther above one another, relative to the height of a digit, and
/// share so much of the narrower one's columns.
const GAP: f32 = 0.25;
const SHARED: f32 = 0.5;
/// Lines of digits are at least so far apart, from middle to middle.
const BETWEEN_LINES: f32 = 0.5;

/// A digit cut out of a drawing.
pub(super) struct Cutout {
    pub(super) drawing: Raster,
    /// How many connected components it was put together from.
    pub(super) pieces: usize,
    /// Where it was.
    pub(super) bounds: BoundingBox,
}

/// The digits that are drawn, in reading order; `picture` is the part of the drawing that is no
/// margin.
///
/// # Errors
/// When there are too many components.
pub(super) fn digits(ink: &Ink, picture: BoundingBox) -> Result<Vec<Cutout>, Error> {
    let (components, height) = plausible(ink, picture)?;
    let mut digits = joined(components, height);
    let dust = picture.height.max(picture.width) / DUST;
    digits.retain(|digit| {
        digit.bounds.height >= dust && digit.bounds.height as f32 >= LEAST_HEIGHT * height
    });
    in_reading_order(&mut digits, height);
    let cutout = |digit: Component| Cutout {
        drawing: digit.cut_out_of(&ink.drawing),
        pieces: digit.pieces,
        bounds: digit.bounds,
    };
    Ok(digits.into_iter().map(cutout).collect())
}

/// All that is drawn, as one.
///
/// # Errors
/// When there are too many components.
pub(super) fn whole(ink: &Ink, picture: BoundingBox) -> Result<Option<Raster>, Error> {
    let all = plausible(ink, picture)?.0.into_iter().reduce(Component::union);
    Ok(all.map(|all| all.cut_out_of(&ink.drawing)))
}

/// Into how many pieces of some size what is not 0 in `mask` falls.
pub(super) fn pieces(mask: Raster) -> usize {
    let least = mask.pixels().len() / SPECK;
    let pieces = connected(&Ink { drawing: mask, strong: 1 });
    pieces.iter().filter(|piece| piece.pixels.len() > least).count()
}

/// Ink that is connected, or belongs together.
pub(super) struct Component {
    /// Indices into the drawing.
    pixels: Vec<u32>,
    pub(super) bounds: BoundingBox,
    /// How many connected components it was put together from.
    pieces: usize,
}

impl Component {
    /// Both as one.
    fn union(mut self, other: Self) -> Self {
        self.pixels.extend(other.pixels);
        self.bounds = self.bounds.union(other.bounds);
        self.pieces += other.pieces;
        self
    }

    /// This component of `drawing` alone.
    pub(super) fn cut_out_of(&self, drawing: &Raster) -> Raster {
        let BoundingBox { top, left, width, .. } = self.bounds;
        let all = drawing.shape().width;
        let mut raster = Raster::blank(self.bounds.shape());
        for &pixel in &self.pixels {
            let (row, column) = (pixel as usize / all, pixel as usize % all);
            raster.pixels_mut()[(row - top) * width + column - left] =
                drawing.pixels()[pixel as usize];
        }
        raster
    }

    /// This component of an image that was cut out at `place`, as one of the drawing, which is
    /// `width` pixels wide.
    pub(super) fn moved(mut self, place: BoundingBox, width: usize) -> Self {
        let moved = |pixel: &u32| {
            let (row, column) = (*pixel as usize / place.width, *pixel as usize % place.width);
            ((place.top + row) * width + place.left + column) as u32
        };
        self.pixels = self.pixels.iter().map(moved).collect();
        self.bounds.top += place.top;
        self.bounds.left += place.left;
        self
    }

    /// How strong its ink is in `drawing`, on average.
    fn strength(&self, drawing: &Raster) -> f32 {
        let strengths = self.pixels.iter().map(|&pixel| drawing.pixels()[pixel as usize]);
        strengths.map(f32::from).sum::<f32>() / self.pixels.len() as f32
    }

    /// Whether it reaches the edge of `picture`.
    fn is_at_edge(&self, picture: BoundingBox) -> bool {
        self.bounds.top <= picture.top
            || self.bounds.left <= picture.left
            || self.bounds.bottom() >= picture.bottom()
            || self.bounds.right() >= picture.right()
    }

    /// Twice the row of its middle.
    fn twice_middle(&self) -> usize {
        self.bounds.top + self.bounds.bottom()
    }
}

/// The components that may be digits or belong to digits, and the height of the highest.
fn plausible(ink: &Ink, picture: BoundingBox) -> Result<(Vec<Component>, f32), Error> {
    let all = enclosures::opened(connected(ink), &ink.drawing);
    let (edge, mut components): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|component| component.is_at_edge(picture));
    let strength = |component: &Component| component.strength(&ink.drawing);
    match highest(&components) {
        None => components = edge,
        Some(highest) => {
            let usual = components.iter().map(strength).sum::<f32>() / components.len() as f32;
            components.extend(edge.into_iter().filter(|component| {
                let BoundingBox { height, width, .. } = component.bounds;
                let long = height.max(width) as f32 / highest;
                (BESIDE.0..BESIDE.1).contains(&long) && strength(component) >= SHADOW * usual
            }));
        }
    }
    let highest = highest(&components).unwrap_or(0.0);
    components.retain(|component| {
        let BoundingBox { height, width, .. } = component.bounds;
        let (high, wide) = (height as f32 / highest, width as f32 / highest);
        high.max(wide) >= LEAST_COMPONENT && !(high < LEAST_COMPONENT && wide > LINE)
    });
    if components.len() > MOST_COMPONENTS {
        return Err(Error::TooManyComponents { found: components.len(), most: MOST_COMPONENTS });
    }
    Ok((components, highest))
}

/// The height of the highest component.
fn highest(components: &[Component]) -> Option<f32> {
    components.iter().map(|component| component.bounds.height as f32).reduce(f32::max)
}

/// The connected components of the drawing, over edges and corners, that have strong ink.
pub(super) fn connected(ink: &Ink) -> Vec<Component> {
    let ImageShape { height, width } = ink.drawing.shape();
    let pixels = ink.drawing.pixels();
    let mut seen = vec![false; pixels.len()];
    let mut components = Vec::new();
    for start in 0..pixels.len() {
        if pixels[start] < ink.strong || seen[start] {
            continue;
        }
        seen[start] = true;
        let mut found = vec![start as u32];
        let (mut top, mut left, mut bottom, mut right) = (height, width, 0, 0);
        let mut next = 0;
        while let Some(&pixel) = found.get(next) {
            next += 1;
            let (row, column) = (pixel as usize / width, pixel as usize % width);
            (top, bottom) = (top.min(row), bottom.max(row));
            (left, right) = (left.min(column), right.max(column));
            for row in row.saturating_sub(1)..(row + 2).min(height) {
                for column in column.saturating_sub(1)..(column + 2).min(width) {
                    let neighbour = row * width + column;
                    if pixels[neighbour] > 0 && !seen[neighbour] {
                        seen[neighbour] = true;
                        found.push(neighbour as u32);
                    }
                }
            }
        }
        let bounds = BoundingBox { top, left, height: bottom + 1 - top, width: right + 1 - left };
        components.push(Component { pixels: found, bounds, pieces: 1 });
    }
    components
}

/// Puts components together that lie above one another, near, as those of a 5 whose bar is set
/// apart.
fn joined(components: Vec<Component>, height: f32) -> Vec<Component> {
    let mut digits: Vec<Component> = Vec::with_capacity(components.len());
    for mut component in components {
        // What belongs to this component may belong together only through it.
        while let Some(index) =
            digits.iter().position(|digit| belong(digit.bounds, component.bounds, height))
        {
            component = digits.swap_remove(index).union(component);
        }
        digits.push(component);
    }
    digits
}

fn belong(a: BoundingBox, b: BoundingBox, height: f32) -> bool {
    let common = |start: usize, end: usize| end as f32 - start as f32;
    let across = common(a.left.max(b.left), a.right().min(b.right()));
    let gap = -common(a.top.max(b.top), a.bottom().min(b.bottom()));
    across >= SHARED * a.width.min(b.width) as f32 && gap <= GAP * height
}

/// Line by line from the top, and from the left within a line.
fn in_reading_order(digits: &mut [Component], height: f32) {
    digits.sort_by_key(Component::twice_middle);
    let same_line = |above: &Component, below: &Component| {
        let apart = below.twice_middle() - above.twice_middle();
        apart as f32 <= 2.0 * BETWEEN_LINES * height
    };
    for line in digits.chunk_by_mut(same_line) {
        line.sort_by_key(|digit| digit.bounds.left);
    }
}
