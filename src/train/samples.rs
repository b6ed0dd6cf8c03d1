//! The images of a set as the first layer wants them.

use crate::data::Split;
use crate::gemm::Products;
use crate::sparse::SparseRows;

/// Images, listed without their zeros where that pays, and labels.
pub(super) struct Samples<'a> {
    pub(super) split: &'a Split,
    /// `None` where the dense path is faster.
    pub(super) rows: Option<SparseRows>,
}

/// Of all pixels, the share of non-zero ones up to which the sparse products are faster than the
/// dense ones (bench `sparse`).
const SPARSE_UP_TO: f64 = 0.5;

impl<'a> Samples<'a> {
    /// Prepares `split`, on the current thread pool. Where another crate computes the dense products,
    /// the first layer's are dense too.
    pub(super) fn new(split: &'a Split, products: Products) -> Self {
        let size = split.shape().pixels();
        let fits = products == Products::Engine
            && size <= SparseRows::MOST_PIXELS
            && share_of_non_zero(split.pixels()) <= SPARSE_UP_TO;
        Self { split, rows: fits.then(|| SparseRows::new(split.pixels(), size)) }
    }

    /// The labels of all images.
    pub(super) fn labels(&self) -> &'a [u8] {
        self.split.labels()
    }
}

/// The share of non-zero pixels, judged by up to about a million of them.
fn share_of_non_zero(pixels: &[u8]) -> f64 {
    // An odd stride meets all columns of images of even width alike.
    let stride = (pixels.len() / 1_000_000).max(1) | 1;
    let seen = pixels.iter().step_by(stride);
    let (count, lit) =
        seen.fold((0_u64, 0_u64), |(count, lit), &x| (count + 1, lit + u64::from(x != 0)));
    lit as f64 / count.max(1) as f64
}
