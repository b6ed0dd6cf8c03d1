//! The tail of a layer: its last column block, where that has four columns at most.

use crate::simd::LANES;

/// The columns of a tail block.
pub(crate) const TAIL: usize = 4;

/// The weights of a tail block, row after row: those of four pixels share a vector, so that next
/// to no time and memory goes to columns that are not there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TailWeights<'a>(pub(crate) &'a [[f32; TAIL]]);

/// Vectors that hold `rows` rows of a tail block.
pub(crate) const fn tail_vectors(rows: usize) -> usize {
    (rows * TAIL).div_ceil(LANES)
}
