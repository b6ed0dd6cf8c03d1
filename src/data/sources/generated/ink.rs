//! Draws the way of the pen on paper: each pixel is as dark as the stroke covers it.

use crate::data::sources::generated::curve::Touch;
use crate::image::{Frame, ImageShape, Raster};

/// Pixels of the paper for one of the finished image: edges come out in many shades of grey.
const FINE: f32 = 2.0;
/// Pixels of the paper for the longer side of a digit.
const LENGTH: f32 = Frame::MNIST.inner().height as f32 * FINE;
/// Height and width of the paper: a digit, and room for the edge of a stroke pressed hard.
const SIDE: usize = LENGTH as usize + 12;

/// Draws `way` with a pen `width` pixels of the finished image broad, on a square of paper that
/// is finer than that image; the digit all but fills the paper.
pub(super) fn draw(way: &[Touch], width: f32) -> Raster {
    let mut paper = Paper { cover: vec![0.0; SIDE * SIDE] };
    let radius = width / 2.0 * FINE;
    let ((left, right), (top, bottom)) = (range(way, |touch| touch.x), range(way, |touch| touch.y));
    let extent = (right - left).max(bottom - top).max(1e-3);
    let scale = (LENGTH - 2.0 * radius) / extent;
    let middle = SIDE as f32 / 2.0 - 0.5;
    let dot = |touch: &Touch| Dot {
        x: (touch.x - (left + right) / 2.0) * scale + middle,
        y: (touch.y - (top + bottom) / 2.0) * scale + middle,
        radius: touch.pressure * radius,
    };
    for pair in way.windows(2).filter(|pair| !pair[1].lifted) {
        paper.line(dot(&pair[0]), dot(&pair[1]));
    }
    paper.develop()
}

/// The least and the greatest value along `way`.
fn range(way: &[Touch], value: fn(&Touch) -> f32) -> (f32, f32) {
    way.iter()
        .map(value)
        .fold((f32::MAX, f32::MIN), |(low, high), value| (low.min(value), high.max(value)))
}

/// A round spot of ink, in pixels of the paper.
#[derive(Clone, Copy)]
struct Dot {
    x: f32,
    y: f32,
    radius: f32,
}

/// A square of paper: the share of each pixel that is covered with ink.
struct Paper {
    cover: Vec<f32>,
}

impl Paper {
    /// Draws from `a` to `b`, rounded at both ends.
    fn line(&mut self, a: Dot, b: Dot) {
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let inverse = 1.0 / (dx * dx + dy * dy).max(1e-6);
        let swell = b.radius - a.radius;
        let reach = a.radius.max(b.radius) + 1.0;
        // Casts keep within the paper: those of negative numbers give 0.
        let span = |a: f32, b: f32| {
            let end = ((a.max(b) + reach) as usize + 1).min(SIDE);
            ((a.min(b) - reach) as usize).min(end)..end
        };
        let (rows, columns) = (span(a.y, b.y), span(a.x, b.x));
        for row in rows {
            let py = row as f32 - a.y;
            let cover = &mut self.cover[row * SIDE..][columns.clone()];
            for (offset, cover) in cover.iter_mut().enumerate() {
                let px = (columns.start + offset) as f32 - a.x;
                let along = unit((px * dx + py * dy) * inverse);
                let (ex, ey) = (px - along * dx, py - along * dy);
                let depth = a.radius + along * swell - (ex * ex + ey * ey).sqrt();
                let covered = unit(depth + 0.5);
                *cover = if covered > *cover { covered } else { *cover };
            }
        }
    }

    fn develop(self) -> Raster {
        let mut raster = Raster::blank(ImageShape { height: SIDE, width: SIDE });
        for (pixel, cover) in raster.pixels_mut().iter_mut().zip(self.cover) {
            *pixel = (cover * 255.0 + 0.5) as u8;
        }
        raster
    }
}

/// `value`, kept within [0, 1] by comparisons that compile to vector instructions.
fn unit(value: f32) -> f32 {
    let value = if value > 0.0 { value } else { 0.0 };
    if value < 1.0 { value } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(x: f32, y: f32, lifted: bool) -> Touch {
        Touch { x, y, pressure: 1.0, lifted }
    }

    #[test]
    fn a_stroke_is_as_long_and_broad_as_it_should_be() {
        let paper = draw(&[touch(0.0, -1.0, true), touch(0.0, 1.0, false)], 3.0);
        let sum = |pixels: &mut dyn Iterator<Item = u8>| pixels.map(f32::from).sum::<f32>() / 255.0;
        let broad = sum(&mut paper.pixels()[SIDE / 2 * SIDE..][..SIDE].iter().copied());
        assert!((broad - 3.0 * FINE).abs() < 0.1, "{broad}");
        let long = sum(&mut paper.pixels().iter().skip(SIDE / 2).step_by(SIDE).copied());
        assert!((long - LENGTH).abs() < 0.5, "{long}");
    }

    #[test]
    fn a_lifted_pen_leaves_no_ink() {
        let strokes = [
            touch(-1.0, -1.0, true),
            touch(-1.0, 1.0, false),
            touch(1.0, -1.0, true),
            touch(1.0, 1.0, false),
        ];
        let paper = draw(&strokes, 2.0);
        assert!(paper.rows().all(|row| row[SIDE / 2] == 0));
        let spot = draw(&[touch(0.0, 0.0, true), touch(0.0, 0.0, false)], 2.0);
        assert!(spot.pixels().contains(&255));
    }
}
