//! Strokes made thick enough, by dilation, to be seen when a digit is made small.

use crate::image::{ImageShape, Raster};

/// The thinnest stroke that is left as it is, in pixels of the fitted digit, and what thinner ones
/// are brought to: the pens of MNIST drew 2 to 4.
const THIN: f32 = 1.6;
const THICKENED: f32 = 2.2;

/// `drawing`, with strokes that do not fade when it is fitted into `inner`.
pub(super) fn thickened(drawing: Raster, inner: ImageShape) -> Raster {
    let ImageShape { height, width } = drawing.shape();
    let (inner_height, inner_width) = (inner.height.max(1) as f32, inner.width.max(1) as f32);
    let step = (height as f32 / inner_height).max(width as f32 / inner_width);
    let stroke_width = stroke_width(&drawing);
    if stroke_width >= THIN * step {
        return drawing;
    }
    let more = THICKENED * step - stroke_width;
    // Even if all is faint, no stroke is wider than what it is fitted into.
    dilated(&drawing, (more.round() as usize).min(height.max(width)))
}

/// The width of the strokes of `drawing`, in its pixels: twice the area over the perimeter,
/// which is found by counting edges across and down (Crofton).
pub(super) fn stroke_width(drawing: &Raster) -> f32 {
    let width = drawing.shape().width;
    let inked = |pixel: u8| pixel > 127;
    let area = drawing.pixels().iter().map(|&pixel| f32::from(pixel)).sum::<f32>() / 255.0;
    let mut edges = 0;
    let mut count = |a: u8, b: u8| edges += usize::from(inked(a) != inked(b));
    let blank = vec![0; width];
    let mut above = &blank[..];
    for row in drawing.rows().chain([&blank[..]]) {
        let mut left = 0;
        for (&pixel, &pixel_above) in row.iter().zip(above) {
            count(left, pixel);
            count(pixel_above, pixel);
            left = pixel;
        }
        count(left, 0);
        above = row;
    }
    let perimeter = std::f32::consts::FRAC_PI_4 * edges as f32;
    2.0 * area / perimeter.max(1.0)
}

/// Dilates `drawing`: each stroke is wider by `more` pixels, to the left and up, as where a digit
/// lies does not matter.
fn dilated(drawing: &Raster, more: usize) -> Raster {
    let ImageShape { height, width } = drawing.shape();
    let shape = ImageShape { height: height + more, width: width + more };
    let mut thick = Raster::blank(shape);
    thick.paste(drawing.pixels(), drawing.shape(), more, more);
    for row in thick.pixels_mut().chunks_exact_mut(shape.width) {
        running_maximum(row, more, 1);
    }
    running_maximum(thick.pixels_mut(), more, shape.width);
    thick
}

/// Makes each value the greatest of itself and the `more` that follow it at intervals of `stride`.
fn running_maximum(values: &mut [u8], more: usize, stride: usize) {
    // How many values each is the greatest of, itself included: doubled, but not beyond the aim.
    let mut reach = 1;
    while reach <= more {
        let step = reach.min(more + 1 - reach);
        for index in 0..values.len().saturating_sub(step * stride) {
            values[index] = values[index].max(values[index + step * stride]);
        }
        reach += step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(width: usize) -> Raster {
        let shape = ImageShape { height: 200, width: 40 };
        let pixels = (0..shape.pixels())
            .map(|index| if (10..10 + width).contains(&(index % 40)) { 255 } else { 0 });
        Raster::new(shape, pixels.collect()).unwrap()
    }

    #[test]
    fn a_thin_stroke_gets_the_width_of_a_pen() {
        let inner = ImageShape { height: 20, width: 20 };
        let stroke_width = |drawing: &Raster| {
            drawing.pixels()[100 * drawing.shape().width..][..drawing.shape().width]
                .iter()
                .filter(|&&pixel| pixel > 0)
                .count()
        };
        let thick = thickened(bar(3), inner);
        assert!((20..=24).contains(&stroke_width(&thick)), "{}", stroke_width(&thick));
        assert_eq!(thickened(bar(25), inner), bar(25));
    }

    #[test]
    fn the_greatest_of_those_that_follow() {
        for more in 0..7 {
            let mut values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
            let expected: Vec<u8> = (0..values.len())
                .map(|index| values[index..].iter().take(more + 1).copied().max().unwrap())
                .collect();
            running_maximum(&mut values, more, 1);
            assert_eq!(values, expected[..], "{more}");
        }
    }
}
