//! GemmBackend with images that are mostly zeros.
//!
//! An image is the list of its non-zero pixels (measured on MNIST: 19 % of all). The zeros are left
//! out and change nothing: a product with zero adds nothing to a sum. What is summed is summed in
//! the same order as in a dense product, so the bits are the same.
//!
//! Forward walks the lists sample by sample, the sums of a few blocks of columns in registers. The
//! gradient of the weights wants the minibatch the other way round, pixel by pixel: [`Columns`]
//! say which samples light a pixel, so that the sums of a pixel stay in registers too, and the
//! optimiser takes them from there.

mod columns;
mod forward;
mod gradient;
mod lists;
mod rows;
mod tail;
#[cfg(test)]
mod tests;

pub(crate) use columns::Columns;
pub(crate) use forward::forward;
pub(crate) use gradient::{gradient, gradient_room};
pub(crate) use lists::Lists;
pub(crate) use rows::{PIXEL_VALUES, SparseRows};
pub(crate) use tail::{TAIL, TailWeights, tail_vectors};

/// The most blocks of columns that a pass takes: AVX2 keeps so many sums in registers (and has to
/// put some by where a tail block comes with as many).
const MAX_BLOCKS: usize = 7;

/// How many blocks of columns the next pass takes, of `left`: as few passes as there can be, and
/// as few kinds of passes as that takes.
const fn pass_width(left: usize) -> usize {
    match left {
        0..=4 | 6 => left,
        5 => 3,
        8 => 4,
        _ => MAX_BLOCKS,
    }
}
