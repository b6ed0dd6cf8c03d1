//! The micro-kernel: a tile of C in registers.

#![allow(unsafe_code, reason = "the innermost loop of the engine goes without bounds checks")]

use crate::kernels::gemm::epilogue::Epilogue;
use crate::kernels::gemm::operand::{Lhs, Rhs};
use crate::simd::Simd;

/// Computes `ROWS` rows × `BLOCKS` blocks of C from row `row`, block `block`, summing over
/// `depth`; returns `ROWS`.
///
/// For each p, `BLOCKS` vectors of B are loaded and `ROWS` numbers of A spread over a vector, for
/// `ROWS` · `BLOCKS` multiply-adds.
///
/// # Safety
/// The operands hold what the tile reads: [`Lhs::check`] passes for rows `row..row + ROWS` and
/// [`Rhs::check`] for blocks `block..block + BLOCKS`, both for `depth`.
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, E: Epilogue<S>, const ROWS: usize, const BLOCKS: usize>(
    s: S,
    left: &Lhs<'_>,
    right: &Rhs<'_>,
    depth: usize,
    (row, block): (usize, usize),
    epilogue: &mut E,
) -> usize {
    let mut sums = [[s.zero(); BLOCKS]; ROWS];
    for (i, sums) in sums.iter_mut().enumerate() {
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum = epilogue.start(s, row + i, block + j);
        }
    }
    let offsets = left.rows.offsets::<ROWS>(row);
    let mut right_at = block * right.block;
    let mut panel_at = 0;
    let mut todo = depth;
    while todo > 0 {
        let steps = todo.min(left.depth.panel);
        let mut left_at = panel_at;
        for _ in 0..steps {
            let mut b = [s.zero(); BLOCKS];
            for (j, b) in b.iter_mut().enumerate() {
                // SAFETY: `right_at` is the place of (p, block), and by the caller's check the
                // sixteen columns of each of the tile's blocks lie within the values.
                let columns =
                    unsafe { &*right.values.as_ptr().add(right_at + j * right.block).cast() };
                *b = s.load_unaligned(columns);
            }
            for (offset, sums) in offsets.iter().zip(&mut sums) {
                // SAFETY: `offset + left_at` is the place of (row + i, p), which by the caller's
                // check lies within the values.
                let a = s.splat(unsafe { *left.values.get_unchecked(offset + left_at) });
                for (sum, &b) in sums.iter_mut().zip(&b) {
                    *sum = s.mul_add(a, b, *sum);
                }
            }
            right_at += right.row;
            left_at += left.depth.stride;
        }
        panel_at += left.depth.panel_stride;
        todo -= steps;
    }
    epilogue.finish_tile(s, row, block, sums);
    ROWS
}
