//! Products with images that are mostly zeros, without the zeros.
//!
//! A product with zero adds nothing, so these give the very numbers of the dense products: each
//! sum runs over its index ascending, one fused multiply-add at a time.
//!
//! Both products take the pixels block by block. What a block needs, of the weights forward, of
//! their gradient backward, stays in L1 while all images of the minibatch pass by.

mod forward;
mod gradient;
mod rows;

pub(crate) use forward::forward;
pub(crate) use gradient::gradient;
pub(crate) use rows::{PIXEL_VALUES, SparseRows};

use crate::buffers::{Lanes, zeroed};

/// The lanes of a block: half an L1 cache of 32 KiB.
const BLOCK_LANES: usize = 256;

/// Pixels of a block, for `groups` groups of columns.
const fn block_pixels(groups: usize) -> usize {
    let pixels = BLOCK_LANES / groups;
    if pixels < 8 { 8 } else { pixels }
}

/// Buffers for the products of a minibatch.
pub(crate) struct Scratch {
    /// A block of the gradient, or the sums of all images.
    sums: Vec<Lanes>,
    /// How far the list of each image has been walked.
    cursors: Vec<u32>,
}

impl Scratch {
    /// For minibatches of up to `batch` images and up to `groups` groups of columns.
    pub(crate) fn new(batch: usize, groups: usize) -> Self {
        let pixels = block_pixels(groups.max(1));
        Self { sums: zeroed(groups * pixels.max(batch).max(BLOCK_LANES)), cursors: vec![0; batch] }
    }
}

/// Of `left` groups of columns, how many the next pass over the lists takes: at most the 7 that
/// 100 units have, in as few and as equal passes as a handful of kernels allows.
const fn pass_width(left: usize) -> usize {
    match left {
        0..=4 => left,
        5 | 6 => 3,
        8 => 4,
        _ => 7,
    }
}
