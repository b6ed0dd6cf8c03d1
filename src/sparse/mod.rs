//! Products with images that are mostly zeros, without the zeros.
//!
//! A product with zero adds nothing, so these give the very numbers of the dense products: each
//! sum runs over its index ascending, one fused multiply-add at a time.

mod forward;
mod gradient;
mod rows;

pub(crate) use forward::forward;
pub(crate) use gradient::{BLOCK, gradient};
pub(crate) use rows::{PIXEL_VALUES, SparseRows};

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
