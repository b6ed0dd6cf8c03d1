//! The lists of the next minibatches, brought together.
//!
//! Training meets the images in random order, and to fetch each list from wherever it stands in
//! memory takes longer than to multiply it. So the lists of some minibatches at a time are copied
//! side by side, in the order of use: many are waited for at once, and then the cache sees one
//! sequence. Each member of a team has copies of its own: to take them from another core's cache
//! costs more than to make them.

use std::ops::Range;

use super::rows::{Minibatch, Pixel, SparseRows};

/// Copies of the lists of some images.
pub(crate) struct Window {
    pixels: Vec<Pixel>,
    /// Where the list of each image stands.
    lists: Vec<Range<usize>>,
}

/// Lists that are asked for before they are copied.
const AHEAD: usize = 8;

impl Window {
    /// Makes room for up to `images` lists of `rows`.
    pub(crate) fn new(rows: &SparseRows, images: usize) -> Self {
        Self {
            pixels: Vec::with_capacity(images * rows.longest()),
            lists: Vec::with_capacity(images),
        }
    }

    /// Brings the lists of the images `indices` of `rows` together.
    pub(crate) fn fill(&mut self, rows: &SparseRows, indices: &[u32]) {
        let Self { pixels, lists } = self;
        pixels.clear();
        lists.clear();
        for (image, &index) in indices.iter().enumerate() {
            if let Some(&later) = indices.get(image + AHEAD) {
                rows.prefetch(later);
            }
            let start = pixels.len();
            pixels.extend_from_slice(rows.row(index as usize));
            lists.push(start..pixels.len());
        }
    }

    /// The lists of the images `range` of those that were brought together last.
    pub(crate) fn minibatch(&self, range: Range<usize>) -> Minibatch<'_> {
        Minibatch { pixels: &self.pixels, lists: &self.lists[range] }
    }
}
