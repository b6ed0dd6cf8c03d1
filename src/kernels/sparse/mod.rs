//! Matrix products with images that are mostly zeros.
//!
//! A minibatch is transposed, pixel by pixel: [`Columns`] say of up to 32 images in which of them a
//! pixel is not zero (measured on MNIST: in 19 % of all), and most others are left out. That changes
//! nothing: a product with zero adds nothing to a sum of numbers, but for the sign of a zero. What is
//! summed is summed in the same order as in a dense product, so the bits are the same.
//!
//! Adjacent pixels are not zero in nearly the same images, so they are taken up to four at a time,
//! in all images where one of them is not zero: what is read of an image serves all four.
//! [`Forward`] keeps the weights of those pixels in registers and the sums of the images in L1. The
//! [`Gradient`] of the weights keeps its sums in registers, and the optimiser takes them from there.

mod columns;
mod forward;
mod gradient;
mod pixel_values;
mod tail;
#[cfg(test)]
mod tests;

pub(crate) use columns::{Columns, ColumnsRead};
pub(crate) use forward::Forward;
pub(crate) use gradient::Gradient;
pub(crate) use pixel_values::PIXEL_VALUES;
pub(crate) use tail::{TAIL, TailWeights, tail_vectors};

use columns::IMAGES;

use crate::simd::{F32x16, LANES};

/// The most column blocks that a pass takes.
const MAX_BLOCKS: usize = 6;

/// Whether so many units are no more than the widest pass over the images takes, with a tail.
pub(crate) const fn is_one_pass(units: usize) -> bool {
    units <= MAX_BLOCKS * LANES + TAIL
}

/// How many column blocks the next pass takes, of `left`: as few passes as there can be, and
/// as few kinds of passes as that takes.
const fn pass_width(left: usize) -> usize {
    match left {
        0..=4 | 6 => left,
        5 => 3,
        7 | 8 => 4,
        _ => MAX_BLOCKS,
    }
}

/// Has the macro `$pass` go over as many column blocks as `$count` says, one of what [`pass_width`]
/// gives: it takes them as a literal, so that their sums can stand in registers.
macro_rules! pass_over {
    ($pass:ident, $count:expr) => {
        match $count {
            1 => $pass!(1),
            2 => $pass!(2),
            3 => $pass!(3),
            4 => $pass!(4),
            _ => $pass!(6),
        }
    };
}
use pass_over;

/// Vectors of what a pass needs of `images` images: a row of its column blocks each, and a row of a
/// tail.
const fn rows_len(images: usize) -> usize {
    images.next_multiple_of(IMAGES) * (MAX_BLOCKS * LANES + TAIL) / LANES
}

/// The rows of so many images in `workspace`, whose length is that of [`rows_len`]: those of the
/// tail first.
fn split_rows(workspace: &mut [F32x16], images: usize) -> (&mut [F32x16], &mut [F32x16]) {
    workspace.split_at_mut(images.next_multiple_of(IMAGES) * TAIL / LANES)
}
