//! Dilation and erosion by a square: the greatest and the least value around each.
//!
//! By the algorithm of van Herk (1992) and of Gil and Werman (1993): a few comparisons a value,
//! however large the square.

use crate::image::ImageShape;

/// What is looked for around each value, and what it is of none.
#[derive(Clone, Copy)]
struct Extreme {
    of: fn(f32, f32) -> f32,
    of_none: f32,
}

/// A closing, which is a dilation and then an erosion: what is darker than all around it, and
/// narrower than twice `reach` in rows or columns, is filled in.
pub(super) fn closed(mut values: Vec<f32>, shape: ImageShape, reach: usize) -> Vec<f32> {
    let greatest = Extreme { of: f32::max, of_none: f32::NEG_INFINITY };
    let least = Extreme { of: f32::min, of_none: f32::INFINITY };
    for extreme in [greatest, least] {
        around(&mut values, shape, reach, extreme);
    }
    values
}

/// Replaces each of `values` by the `extreme` of those up to `reach` rows and columns away.
fn around(values: &mut [f32], shape: ImageShape, reach: usize, extreme: Extreme) {
    let ImageShape { height, width } = shape;
    let mut line = Line::new(height.max(width), reach, extreme);
    for row in 0..height {
        line.filter(values, row * width, 1, width);
    }
    for column in 0..width {
        line.filter(values, column, width, height);
    }
}

/// A row or a column, with as much of nothing at both ends as a window reaches beyond them.
struct Line {
    reach: usize,
    extreme: Extreme,
    padded: Vec<f32>,
    /// The extreme of all from the beginning of a block of the window's length up to here,
    up_to: Vec<f32>,
    /// and of all from here to the end of the block.
    from: Vec<f32>,
}

impl Line {
    fn new(longest: usize, reach: usize, extreme: Extreme) -> Self {
        let room = || Vec::with_capacity(longest + 2 * reach);
        Self { reach, extreme, padded: room(), up_to: room(), from: room() }
    }

    /// Filters the `length` of `values` from `start` on that are `stride` apart.
    fn filter(&mut self, values: &mut [f32], start: usize, stride: usize, length: usize) {
        let Self { reach, extreme: Extreme { of, of_none }, .. } = *self;
        let window = 2 * reach + 1;
        let nothing = || std::iter::repeat_n(of_none, reach);
        let middle = (0..length).map(|place| values[start + place * stride]);
        self.padded.clear();
        self.padded.extend(nothing().chain(middle).chain(nothing()));
        self.up_to.clone_from(&self.padded);
        self.from.clone_from(&self.padded);
        for block in self.up_to.chunks_mut(window) {
            (1..block.len()).for_each(|at| block[at] = of(block[at - 1], block[at]));
        }
        for block in self.from.chunks_mut(window) {
            (1..block.len()).rev().for_each(|at| block[at - 1] = of(block[at - 1], block[at]));
        }
        // A window is the end of a block and the beginning of the next.
        for place in 0..length {
            values[start + place * stride] = of(self.from[place], self.up_to[place + 2 * reach]);
        }
    }
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
                assert_eq!(closed(values.clone(), shape, reach), expected, "{shape:?}, {reach}");
            }
        }
        assert!(closed(Vec::new(), ImageShape { height: 0, width: 3 }, 4).is_empty());
    }
}
