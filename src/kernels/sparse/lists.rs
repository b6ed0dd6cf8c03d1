//! The compressed rows of a minibatch, gathered.
//!
//! Training meets the images in random order, and to fetch each list from wherever it stands in
//! memory takes longer than to multiply it. So the lists of the next minibatch are prefetched while
//! there is other work, and copied side by side: the cache then sees one sequence. Each worker of a
//! team has copies of its own: to take them from another core's cache costs more than to make
//! them.

use std::ops::Range;

use super::rows::{Pixel, SparseRows};

/// Copies of the lists of some images: a matrix in compressed sparse rows (CSR), a row an image.
#[derive(Debug)]
pub(crate) struct Lists {
    pixels: Vec<Pixel>,
    /// Where the list of each image stands.
    ranges: Vec<Range<usize>>,
}

impl Lists {
    /// Allocates for up to `images` lists of `rows`.
    pub(crate) fn new(rows: &SparseRows, images: usize) -> Self {
        Self {
            pixels: Vec::with_capacity(images * rows.longest()),
            ranges: Vec::with_capacity(images),
        }
    }

    /// The bytes that they take where no list has more than `longest` pixels.
    pub(crate) fn bytes(images: usize, longest: usize) -> u128 {
        let image = longest * size_of::<Pixel>() + size_of::<Range<usize>>();
        images as u128 * image as u128
    }

    /// Copies the lists of the images `indices` of `rows`.
    pub(crate) fn fill(&mut self, rows: &SparseRows, indices: &[u32]) {
        let Self { pixels, ranges } = self;
        pixels.clear();
        ranges.clear();
        for &index in indices {
            let start = pixels.len();
            pixels.extend_from_slice(rows.row(index as usize));
            ranges.push(start..pixels.len());
        }
    }

    /// How many lists there are.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The list of image `image` of those that were copied, by ascending pixel.
    #[inline(always)]
    pub(super) fn row(&self, image: usize) -> &[Pixel] {
        &self.pixels[self.ranges[image].clone()]
    }
}
