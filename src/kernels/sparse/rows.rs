//! Images as lists of their pixels that are not zero: a matrix in compressed sparse rows (CSR).

use rayon::prelude::*;

use crate::memory::{Shortage, reserve};
use crate::simd::prefetch;

/// A pixel that is not zero: its index in the image (the column of CSR) and its value, in 32 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Pixel(u32);

impl Pixel {
    #[inline(always)]
    fn new(index: usize, value: u8) -> Self {
        Self((index as u32) << 8 | u32::from(value))
    }

    /// Its index in the image.
    #[inline(always)]
    pub(crate) fn index(self) -> usize {
        (self.0 >> 8) as usize
    }

    /// Its value, scaled to \[0, 1\].
    #[inline(always)]
    pub(crate) fn value(self) -> f32 {
        PIXEL_VALUES[usize::from(self.byte())]
    }

    /// Its value.
    #[inline(always)]
    pub(super) fn byte(self) -> u8 {
        self.0 as u8
    }
}

/// What a network sees of each pixel value: x / 255.
pub(crate) static PIXEL_VALUES: [f32; 256] = {
    let mut values = [0.0; 256];
    let mut x = 0;
    while x < 256 {
        values[x] = x as f32 / 255.0;
        x += 1;
    }
    values
};

/// The lists of all images of a data set, cut into runs.
#[derive(Debug)]
pub(crate) struct SparseRows {
    runs: Vec<Run>,
    /// The binary logarithm of the images of a run.
    log_images: u32,
}

/// The lists of some images, one after the other: pixels and row pointers of CSR.
#[derive(Debug)]
struct Run {
    pixels: Vec<Pixel>,
    /// Where each image's list begins; one more for the end.
    starts: Vec<usize>,
}

/// Pixels of a run, or of its only image: what one thread lists at a time, in memory that stays in
/// its cache.
const PIXELS: usize = 1 << 17;

impl SparseRows {
    /// The most pixels that an image may have: an index has 24 bits.
    pub(crate) const MOST_PIXELS: usize = 1 << 24;

    /// Lists the non-zero pixels of images of `size` pixels each, on the current thread pool.
    ///
    /// # Errors
    /// When the system refuses the memory.
    pub(crate) fn new(images: &[u8], size: usize) -> Result<Self, Shortage> {
        assert!(
            0 < size && size <= Self::MOST_PIXELS,
            "images of {size} pixels have no sparse form"
        );
        let task = ("listing the pixels of the images", "those that are not zero");
        let run = |scratch: &mut Vec<Pixel>, images: &[u8]| {
            let mut starts = Vec::new();
            reserve(&mut starts, images.len() / size + 1, task)?;
            let mut end = 0;
            starts.push(end);
            starts.extend(images.chunks_exact(size).map(|image| {
                end += list_non_zero(image, &mut scratch[end..]);
                end
            }));
            let mut pixels = Vec::new();
            reserve(&mut pixels, end, task)?;
            pixels.extend_from_slice(&scratch[..end]);
            Ok(Run { pixels, starts })
        };
        let log_images = log_images_of_run(size);
        let count = 1 << log_images;
        let scratch = || vec![Pixel(0); count * size + 1];
        let runs = images.par_chunks(count * size).map_init(scratch, run);
        Ok(Self { runs: runs.collect::<Result<_, _>>()?, log_images })
    }

    /// The bytes that the lists of `images` images of `size` pixels take, with `mean` pixels in a
    /// list.
    pub(crate) fn bytes(images: usize, size: usize, mean: f64) -> u128 {
        let pixels = (images as f64 * mean) as u128 * size_of::<Pixel>() as u128;
        let runs = images.div_ceil(1 << log_images_of_run(size));
        let starts = (images + runs) * size_of::<usize>() + runs * size_of::<Run>();
        pixels + starts as u128
    }

    /// The bytes that `threads` threads take while they make those lists.
    pub(crate) fn bytes_to_make(images: usize, size: usize, threads: usize) -> u128 {
        let images_of_run = 1 << log_images_of_run(size);
        let makers = threads.min(images.div_ceil(images_of_run));
        makers as u128 * ((images_of_run * size + 1) * size_of::<Pixel>()) as u128
    }

    /// The length of the longest list.
    pub(crate) fn longest(&self) -> usize {
        let ends = self.runs.iter().flat_map(|run| run.starts.windows(2));
        ends.map(|ends| ends[1] - ends[0]).max().unwrap_or(0)
    }

    /// Prefetches the lists of the images `indices`, which will be read soon.
    pub(crate) fn prefetch(&self, indices: &[u32]) {
        // The ends of longer lists the hardware prefetches by itself.
        const MOST: usize = 1024;
        for &index in indices {
            prefetch(self.row(index as usize), MOST);
        }
    }

    /// The list of image `index`, by ascending pixel.
    #[inline(always)]
    pub(crate) fn row(&self, index: usize) -> &[Pixel] {
        let Run { pixels, starts } = &self.runs[index >> self.log_images];
        let list = index & ((1 << self.log_images) - 1);
        &pixels[starts[list]..starts[list + 1]]
    }
}

/// The binary logarithm of the images of a run, of `size` pixels each.
fn log_images_of_run(size: usize) -> u32 {
    (PIXELS / size).max(1).ilog2()
}

/// Lists the pixels of `image` that are not zero at the start of `list`, which has space for all and
/// one more; returns how many.
fn list_non_zero(image: &[u8], list: &mut [Pixel]) -> usize {
    let mut count = 0;
    for (start, eight) in (0..).step_by(8).zip(image.chunks(8)) {
        // Most of an image is black: look at eight pixels at a time.
        if eight.first_chunk().is_some_and(|eight| u64::from_ne_bytes(*eight) == 0) {
            continue;
        }
        for (index, &value) in (start..).zip(eight) {
            // Written in any case, and kept by the count: no branch that nobody can predict.
            list[count] = Pixel::new(index, value);
            count += usize::from(value != 0);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_what_images_hold() {
        for size in [1, 7, 8, 9, 784] {
            let images: Vec<u8> = (0..1300 * size)
                .map(|i| if i % 3 == 0 || i % 50 < 20 { 0 } else { (i % 251) as u8 })
                .collect();
            let rows = SparseRows::new(&images, size).unwrap();
            for (index, image) in images.chunks_exact(size).enumerate() {
                let listed = rows.row(index).iter().map(|pixel| (pixel.index(), pixel.value()));
                let expected = image.iter().enumerate().filter(|&(_, &value)| value != 0);
                assert!(
                    listed.eq(expected.map(|(index, &value)| (index, f32::from(value) / 255.0)))
                );
            }
        }
    }
}
