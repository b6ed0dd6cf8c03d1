//! Dilation and erosion by a square: the greatest and the least value around each.
//!
//! By the algorithm of van Herk (1992) and of Gil and Werman (1993): a few comparisons a value,
//! however large the square.

use super::plane::Plane;
use crate::image::ImageShape;

/// A closing, which is a dilation and then an erosion: what is darker than all around it, and
/// narrower than twice `reach` in rows or columns, is filled in.
pub(super) fn closed(plane: Plane, reach: usize) -> Plane {
    let greatest = |a, b| if a > b { a } else { b };
    let least = |a, b| if a < b { a } else { b };
    around(around(plane, reach, greatest), reach, least)
}

/// The `extreme` of what is up to `reach` rows and columns away from each value.
fn around(plane: Plane, reach: usize, extreme: impl Fn(f32, f32) -> f32) -> Plane {
    let below = in_columns(plane, reach, &extreme);
    in_columns(below.transposed(), reach, &extreme).transposed()
}

/// The `extreme` of what is up to `reach` rows away from each value, all columns at once.
fn in_columns(plane: Plane, reach: usize, extreme: &impl Fn(f32, f32) -> f32) -> Plane {
    let Plane { shape, values } = plane;
    let ImageShape { height, width } = shape;
    let window = 2 * reach + 1;
    let fold = |row: &mut [f32], other: &[f32]| {
        row.iter_mut().zip(other).for_each(|(value, &other)| *value = extreme(*value, other));
    };
    // Of all from the beginning of a block of the window's length up to here,
    let mut up_to = values.clone();
    for row in (1..height).filter(|row| row % window != 0) {
        let (above, here) = up_to.split_at_mut(row * width);
        fold(here, &above[(row - 1) * width..]);
    }
    // and of all from here to the end of the block.
    let mut from = values;
    for row in (1..height).rev().filter(|row| row % window != 0) {
        let (above, here) = from.split_at_mut(row * width);
        fold(&mut above[(row - 1) * width..], here);
    }
    let mut values = Vec::with_capacity(shape.pixels());
    for row in 0..height {
        let (first, last) = (row.saturating_sub(reach), (row + reach).min(height - 1));
        let end = &from[first * width..][..width];
        let beginning = &up_to[last * width..][..width];
        if first / window < last / window {
            values.extend(end.iter().zip(beginning).map(|(&a, &b)| extreme(a, b)));
        } else {
            // A window that is cut off within the first block or the last.
            values.extend_from_slice(if first == 0 { beginning } else { end });
        }
    }
    Plane { shape, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Stream};

    /// As it is defined.
    fn plain(values: &[f32], shape: ImageShape, reach: usize, of: fn(f32, f32) -> f32) -> Vec<f32> {
        let ImageShape { height, width } = shape;
        let window =
            |at: usize, length: usize| at.saturating_sub(reach)..(at + reach + 1).min(length);
        let at = |index: usize| {
            let rows = window(index / width, height);
            let around = rows.flat_map(|row| {
                window(index % width, width).map(move |column| values[row * width + column])
            });
            around.reduce(of).unwrap()
        };
        (0..values.len()).map(at).collect()
    }

    #[test]
    fn a_closing_is_what_it_is_defined_as() {
        let mut rng = Rng::stream(1, Stream::Label, 1);
        for (height, width) in [(1, 1), (1, 9), (8, 1), (7, 11), (30, 23), (3, 90)] {
            let shape = ImageShape { height, width };
            let values: Vec<f32> = (0..height * width).map(|_| rng.range(0.0, 255.0)).collect();
            for reach in [0, 1, 2, 5, 38] {
                let dilated = plain(&values, shape, reach, f32::max);
                let expected = plain(&dilated, shape, reach, f32::min);
                let plane = Plane { shape, values: values.clone() };
                assert_eq!(closed(plane, reach).values, expected, "{shape:?}, {reach}");
            }
        }
        let empty = Plane { shape: ImageShape { height: 0, width: 3 }, values: Vec::new() };
        assert!(closed(empty, 4).values.is_empty());
    }
}
