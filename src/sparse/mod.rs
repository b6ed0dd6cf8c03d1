//! Products with images that are mostly zeros, without the zeros.
//!
//! A product with zero adds nothing, so these give the very numbers of the dense products: each
//! sum runs over its index ascending, one fused multiply-add at a time.
//!
//! Both products take the pixels block by block. What a block needs, of the weights forward, of
//! their gradient backward, stays in a near cache while all images of the minibatch pass by. Each
//! visit of a list costs a mispredicted branch, so blocks are as large as that allows.

mod forward;
mod gradient;
mod rows;
#[cfg(test)]
mod tests;

pub(crate) use forward::forward;
pub(crate) use gradient::gradient;
pub(crate) use rows::{Minibatch, PIXEL_VALUES, SparseRows};

use crate::buffers::{Lanes, zeroed};

/// Lanes of weights of a block forward: read only, they stream well from L2.
const FORWARD_LANES: usize = 1024;
/// Lanes of a block of the gradient, read and written at every pixel: most of an L1 cache.
const GRADIENT_LANES: usize = 448;

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
        Self {
            sums: zeroed(GRADIENT_LANES.max(groups * batch).max(groups)),
            cursors: vec![0; batch],
        }
    }
}

/// Pixels of a block that has `lanes` lanes in all and `groups` a pixel.
const fn block_pixels(lanes: usize, groups: usize) -> usize {
    if lanes < groups { 1 } else { lanes / groups }
}

/// How many lists ahead of the one that is walked the cache is told of.
const AHEAD: usize = 2;

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
