//! The connected parts of what is drawn, put together to digits in reading order.

use super::Place;
use crate::image::picture::ink::Inked;
use crate::image::{Error, ImageShape, Raster};

/// The most parts that are put together: a page of digits has fewer.
const MOST_PARTS: usize = 1000;

/// A digit is at least so much as high as the highest.
const LEAST_HEIGHT: f32 = 0.4;
/// A part of a digit is at least so much as high or as wide.
const LEAST_PART: f32 = 0.25;
/// What is lower than a part of a digit and so much wider than a digit is high is a line.
const LINE: f32 = 1.5;
/// What touches the edge of the picture and is so much longer than a digit, or shorter, or so
/// much fainter, is something beside the paper, or a shadow.
const BESIDE: (f32, f32) = (0.5, 2.0);
const SHADOW: f32 = 0.6;
/// Parts of one digit lie no farther above one another, relative to the height of a digit, and
/// share so much of the narrower one's columns.
const GAP: f32 = 0.25;
const SHARED: f32 = 0.5;
/// Lines of digits are at least so far apart, from middle to middle.
const BETWEEN_LINES: f32 = 0.5;

/// The digits that are drawn, in reading order, each with its place.
///
/// # Errors
/// When there are too many parts.
pub(super) fn digits(inked: &Inked) -> Result<Vec<(Raster, Place)>, Error> {
    let (parts, height) = parts(inked)?;
    let mut digits = joined(parts, height);
    digits.retain(|digit| digit.place.height as f32 >= LEAST_HEIGHT * height);
    in_reading_order(&mut digits, height);
    Ok(digits.into_iter().map(|digit| (digit.raster(&inked.drawing), digit.place)).collect())
}

/// All that is drawn, as one.
///
/// # Errors
/// When there are too many parts.
pub(super) fn whole(inked: &Inked) -> Result<Option<Raster>, Error> {
    let all = parts(inked)?.0.into_iter().reduce(Part::and);
    Ok(all.map(|all| all.raster(&inked.drawing)))
}

/// Ink that is connected, or belongs together.
struct Part {
    /// Indices into the drawing.
    pixels: Vec<u32>,
    place: Place,
}

impl Part {
    /// Both as one.
    fn and(mut self, other: Self) -> Self {
        self.pixels.extend(other.pixels);
        self.place = self.place.and(other.place);
        self
    }

    /// This part of `drawing` alone.
    fn raster(&self, drawing: &Raster) -> Raster {
        let Place { top, left, height, width } = self.place;
        let all = drawing.shape().width;
        let mut raster = Raster::blank(ImageShape { height, width });
        for &pixel in &self.pixels {
            let (row, column) = (pixel as usize / all, pixel as usize % all);
            raster.pixels_mut()[(row - top) * width + column - left] =
                drawing.pixels()[pixel as usize];
        }
        raster
    }

    /// How strong its ink is in `drawing`, on average.
    fn strength(&self, drawing: &Raster) -> f32 {
        let strengths = self.pixels.iter().map(|&pixel| drawing.pixels()[pixel as usize]);
        strengths.map(f32::from).sum::<f32>() / self.pixels.len() as f32
    }

    /// Whether it reaches the edge of a picture of `shape`.
    fn is_at_edge(&self, shape: ImageShape) -> bool {
        let Place { top, left, .. } = self.place;
        top == 0
            || left == 0
            || self.place.bottom() == shape.height
            || self.place.right() == shape.width
    }
}

impl Place {
    fn bottom(self) -> usize {
        self.top + self.height
    }

    fn right(self) -> usize {
        self.left + self.width
    }

    /// The smallest place that holds both.
    fn and(self, other: Self) -> Self {
        let (top, left) = (self.top.min(other.top), self.left.min(other.left));
        Self {
            top,
            left,
            height: self.bottom().max(other.bottom()) - top,
            width: self.right().max(other.right()) - left,
        }
    }

    /// Twice the row of its middle.
    fn twice_middle(self) -> usize {
        self.top + self.bottom()
    }
}

/// The parts that may be digits or parts of digits, and the height of the highest.
fn parts(inked: &Inked) -> Result<(Vec<Part>, f32), Error> {
    let all = connected(inked);
    let (edge, mut parts): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|part| part.is_at_edge(inked.drawing.shape()));
    let strength = |part: &Part| part.strength(&inked.drawing);
    match highest(&parts) {
        None => parts = edge,
        Some(highest) => {
            let usual = parts.iter().map(strength).sum::<f32>() / parts.len() as f32;
            parts.extend(edge.into_iter().filter(|part| {
                let long = part.place.height.max(part.place.width) as f32 / highest;
                (BESIDE.0..BESIDE.1).contains(&long) && strength(part) >= SHADOW * usual
            }));
        }
    }
    let highest = highest(&parts).unwrap_or(0.0);
    parts.retain(|part| {
        let (high, wide) = (part.place.height as f32 / highest, part.place.width as f32 / highest);
        high.max(wide) >= LEAST_PART && !(high < LEAST_PART && wide > LINE)
    });
    if parts.len() > MOST_PARTS {
        return Err(Error::TooManyComponents { found: parts.len(), most: MOST_PARTS });
    }
    Ok((parts, highest))
}

/// The height of the highest part.
fn highest(parts: &[Part]) -> Option<f32> {
    parts.iter().map(|part| part.place.height as f32).reduce(f32::max)
}

/// The connected parts of the drawing, over edges and corners, that have ink that surely is.
fn connected(inked: &Inked) -> Vec<Part> {
    let ImageShape { height, width } = inked.drawing.shape();
    let pixels = inked.drawing.pixels();
    let mut seen = vec![false; pixels.len()];
    let mut parts = Vec::new();
    for start in 0..pixels.len() {
        if pixels[start] < inked.sure || seen[start] {
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
        let place = Place { top, left, height: bottom + 1 - top, width: right + 1 - left };
        parts.push(Part { pixels: found, place });
    }
    parts
}

/// Puts parts together that lie above one another, near, as those of a 5 whose bar is set apart.
fn joined(parts: Vec<Part>, height: f32) -> Vec<Part> {
    let mut digits: Vec<Part> = Vec::with_capacity(parts.len());
    for mut part in parts {
        // What belongs to this part may belong together only through it.
        while let Some(index) =
            digits.iter().position(|digit| belong(digit.place, part.place, height))
        {
            part = digits.swap_remove(index).and(part);
        }
        digits.push(part);
    }
    digits
}

fn belong(a: Place, b: Place, height: f32) -> bool {
    let common = |start: usize, end: usize| end as f32 - start as f32;
    let across = common(a.left.max(b.left), a.right().min(b.right()));
    let gap = -common(a.top.max(b.top), a.bottom().min(b.bottom()));
    across >= SHARED * a.width.min(b.width) as f32 && gap <= GAP * height
}

/// Line by line from the top, and from the left within a line.
fn in_reading_order(digits: &mut [Part], height: f32) {
    digits.sort_by_key(|digit| digit.place.twice_middle());
    let same_line = |above: &Part, below: &Part| {
        let apart = below.place.twice_middle() - above.place.twice_middle();
        apart as f32 <= 2.0 * BETWEEN_LINES * height
    };
    for line in digits.chunk_by_mut(same_line) {
        line.sort_by_key(|digit| digit.place.left);
    }
}
