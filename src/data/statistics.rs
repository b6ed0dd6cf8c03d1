//! What can be counted in a data set.

use serde::Serialize;

use super::Split;
use crate::sync::map_in_parallel;

/// Counts of images and pixels.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Statistics {
    /// The number of images.
    pub images: usize,
    /// The number of images of each class.
    pub per_class: Vec<usize>,
    /// The share of pixels that are not zero.
    pub nonzero: f64,
    /// The mean of all pixels, from 0 to 1.
    pub mean: f64,
    /// The standard deviation of all pixels from their mean.
    pub deviation: f64,
}

impl Statistics {
    /// Counts the images and pixels of `split`, whose labels are below `classes`.
    #[must_use]
    pub fn of(split: &Split, classes: usize) -> Self {
        let mut per_class = vec![0; classes];
        for &label in split.labels() {
            if let Some(count) = per_class.get_mut(usize::from(label)) {
                *count += 1;
            }
        }
        let levels = histogram(split.pixels());
        let total = split.pixels().len() as f64;
        let share = |level: usize| levels[level] as f64 / total;
        let value = |level: usize| level as f64 / 255.0;
        let mean = (0..256).map(|level| share(level) * value(level)).sum::<f64>();
        let variance =
            (0..256).map(|level| share(level) * (value(level) - mean).powi(2)).sum::<f64>();
        Self {
            images: split.len(),
            per_class,
            nonzero: 1.0 - share(0),
            mean,
            deviation: variance.sqrt(),
        }
    }
}

/// How many pixels have each level.
fn histogram(pixels: &[u8]) -> [u64; 256] {
    let count = |chunk: &[u8]| {
        let mut levels = [0; 256];
        chunk.iter().for_each(|&level| levels[usize::from(level)] += 1);
        levels
    };
    let add = |a: [u64; 256], b: [u64; 256]| std::array::from_fn(|level| a[level] + b[level]);
    let counts = map_in_parallel(pixels.chunks(1 << 20).collect(), count);
    counts.into_iter().fold([0; 256], add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Bytes;
    use crate::image::ImageShape;

    #[test]
    fn a_data_set_that_can_be_counted_by_hand() {
        let shape = ImageShape { height: 1, width: 2 };
        let pixels = Bytes::from(vec![0, 0, 0, 255, 0, 255, 0, 0]);
        let split = Split::new(shape, pixels, Bytes::from(vec![2, 0, 2, 2])).unwrap();
        let expected = Statistics {
            images: 4,
            per_class: vec![1, 0, 3],
            nonzero: 0.25,
            mean: 0.25,
            deviation: 0.1875_f64.sqrt(),
        };
        assert_eq!(Statistics::of(&split, 3), expected);
    }

    #[test]
    fn many_chunks_are_counted_as_one() {
        let pixels: Vec<u8> = (0..5 << 20).map(|index: u32| (index % 251) as u8).collect();
        let mut expected = [0; 256];
        for pixel in &pixels {
            expected[usize::from(*pixel)] += 1;
        }
        assert_eq!(histogram(&pixels), expected);
    }
}
