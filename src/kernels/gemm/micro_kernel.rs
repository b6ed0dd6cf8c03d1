//! The micro-kernel: a tile of C in registers.

#![allow(unsafe_code, reason = "the innermost loop of the engine goes without bounds checks")]

use super::operand::Product;
use crate::kernels::Epilogue;
use crate::simd::Simd;

/// Computes the tile of `ROWS` rows × `BLOCKS` column blocks of C that begins at row `row`, block
/// `block`; returns `ROWS`.
///
/// For each p, `BLOCKS` vectors of B are loaded and `ROWS` numbers of A broadcast, for `ROWS` ·
/// `BLOCKS` multiply-adds.
///
/// # Safety
/// The operands hold what the tile reads: for the product's `k`,
/// [`Lhs::check`](super::Lhs::check) passes for rows `row..row + ROWS`, and
/// [`Rhs::check`](super::Rhs::check) for blocks `block..block + BLOCKS`.
#[inline(always)]
pub(super) unsafe fn micro_kernel<S, E, const ROWS: usize, const BLOCKS: usize>(
    s: S,
    &Product { lhs, rhs, k, .. }: &Product<'_>,
    row: usize,
    block: usize,
    epilogue: &mut E,
) -> usize
where
    S: Simd,
    E: Epilogue<S>,
{
    let mut sums = [[s.zero(); BLOCKS]; ROWS];
    for (i, sums) in sums.iter_mut().enumerate() {
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum = epilogue.start(s, row + i, block + j);
        }
    }
    let offsets = lhs.rows.offsets::<ROWS>(row);
    let mut rhs_at = block * rhs.block_stride;
    let mut block_at = 0;
    let mut left = k;
    while left > 0 {
        // Without blocks along k there is but one round.
        let steps = left.min(lhs.k.block);
        let mut lhs_at = block_at;
        for _ in 0..steps {
            let mut b = [s.zero(); BLOCKS];
            for (j, b) in b.iter_mut().enumerate() {
                // SAFETY: `rhs_at` is the offset of row p of `block`, and by the caller's check the
                // 16 columns of each of the tile's blocks lie within the values.
                let columns =
                    unsafe { &*rhs.values.as_ptr().add(rhs_at + j * rhs.block_stride).cast() };
                *b = s.load_unaligned(columns);
            }
            for (offset, sums) in offsets.iter().zip(&mut sums) {
                // SAFETY: `offset + lhs_at` is the offset of A[row + i, p], which by the caller's
                // check lies within the values.
                let a = s.splat(unsafe { *lhs.values.get_unchecked(offset + lhs_at) });
                for (sum, &b) in sums.iter_mut().zip(&b) {
                    *sum = s.mul_add(a, b, *sum);
                }
            }
            rhs_at += rhs.row_stride;
            lhs_at += lhs.k.stride;
        }
        block_at += lhs.k.block_stride;
        left -= steps;
    }
    epilogue.finish_tile(s, &std::array::from_fn(|i| row + i), block, sums);
    ROWS
}
