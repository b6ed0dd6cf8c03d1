//! The last columns of a layer, where they are four at most.

use crate::simd::LANES;

/// The columns of a narrow group.
pub(crate) const NARROW: usize = 4;

/// The weights of a narrow group, row after row: those of four pixels share a vector, so that next
/// to no time and no room goes to lanes that are not there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Narrow<'a>(pub(crate) &'a [[f32; NARROW]]);

/// Vectors that hold `rows` rows of a narrow group, and room for a whole one from any row on.
pub(crate) const fn narrow_lanes(rows: usize) -> usize {
    (rows * NARROW).div_ceil(LANES) + 1
}
