//! Matrix products with images that are mostly zeros.
//!
//! An image is the list of its non-zero pixels (measured on MNIST: 19 % of all), a minibatch a
//! matrix in compressed sparse rows. The zeros are left out and change nothing: a product with zero
//! adds nothing to a sum. What is summed is summed in the same order as in a dense product, so the
//! bits are the same.
//!
//! [`Forward`] walks the lists sample by sample, the sums of a few column blocks in registers. The
//! [`Gradient`] of the weights needs the minibatch transposed, pixel by pixel: [`Columns`] say in
//! which samples a pixel is not zero, so that the sums of a pixel stay in registers too, and the
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
pub(crate) use forward::Forward;
pub(crate) use gradient::Gradient;
pub(crate) use lists::Lists;
pub(crate) use rows::{PIXEL_VALUES, SparseRows};
pub(crate) use tail::{TAIL, TailWeights, tail_vectors};

/// The most column blocks that a pass takes: AVX2 keeps so many sums in registers (and has to spill
/// some where a tail comes with as many).
const MAX_BLOCKS: usize = 7;

/// How many column blocks the next pass takes, of `left`: as few passes as there can be, and
/// as few kinds of passes as that takes.
const fn pass_width(left: usize) -> usize {
    match left {
        0..=4 | 6 => left,
        5 => 3,
        8 => 4,
        _ => MAX_BLOCKS,
    }
}
