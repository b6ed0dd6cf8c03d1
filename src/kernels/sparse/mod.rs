//! Products with images that are mostly zeros.
//!
//! An image is the list of its non-zero pixels (measured on MNIST: 19 % of all). The zeros are left
//! out and change nothing: a product with zero adds nothing to a sum. What is summed is summed in
//! the same order as in a dense product, so the bits are the same.
//!
//! Forward walks the lists sample by sample, the sums of a few groups of columns in registers. The
//! gradient of the weights wants the minibatch the other way round, pixel by pixel: [`Columns`]
//! say which samples light a pixel, so that the sums of a pixel stay in registers too, and the
//! optimiser takes them from there.

mod columns;
mod forward;
mod gradient;
mod lists;
mod narrow;
mod rows;
#[cfg(test)]
mod tests;

pub(crate) use columns::Columns;
pub(crate) use forward::forward;
pub(crate) use gradient::{gradient, gradient_room};
pub(crate) use lists::Lists;
pub(crate) use narrow::{NARROW, Narrow, narrow_lanes};
pub(crate) use rows::{PIXEL_VALUES, SparseRows};

/// The most groups of columns that a pass takes: AVX2 keeps so many sums in registers (and has to
/// put some by where a narrow group comes with as many).
const MOST_GROUPS: usize = 7;

/// How many groups of columns the next pass takes, of `left`: as few passes as there can be, and
/// as few kinds of passes as that takes.
const fn pass_width(left: usize) -> usize {
    match left {
        0..=4 | 6 => left,
        5 => 3,
        8 => 4,
        _ => MOST_GROUPS,
    }
}
