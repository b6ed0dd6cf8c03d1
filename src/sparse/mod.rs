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
