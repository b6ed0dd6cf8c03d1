//! The lists of a minibatch, brought together.
//!
//! Training meets the images in random order, and to fetch each list from wherever it stands in
//! memory takes longer than to multiply it. So the lists of the next minibatch are asked for while
//! there is other work, and copied side by side: the cache then sees one sequence. Each rank of a
//! team has copies of its own: to take them from another core's cache costs more than to make
//! them.

use std::ops::Range;

use crate::kernels::sparse::rows::{Pixel, SparseRows};

/// Copies of the lists of some images.
#[derive(Debug)]
pub(crate) struct Lists {
    pixels: Vec<Pixel>,
    /// Where the list of each image stands.
    places: Vec<Range<usize>>,
}

impl Lists {
    /// Makes room for up to `images` lists of `rows`.
    pub(crate) fn new(rows: &SparseRows, images: usize) -> Self {
        Self {
            pixels: Vec::with_capacity(images * rows.longest()),
            places: Vec::with_capacity(images),
        }
    }

    /// Copies the lists of the images `indices` of `rows`.
    pub(crate) fn fill(&mut self, rows: &SparseRows, indices: &[u32]) {
        let Self { pixels, places } = self;
        pixels.clear();
        places.clear();
        for &index in indices {
            let start = pixels.len();
            pixels.extend_from_slice(rows.row(index as usize));
            places.push(start..pixels.len());
        }
    }

    /// How many lists there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The list of image `image` of those that were copied.
    #[inline(always)]
    pub(super) fn list(&self, image: usize) -> &[Pixel] {
        &self.pixels[self.places[image].clone()]
    }
}
