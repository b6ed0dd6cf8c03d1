//! The micro-kernel: a tile of C in registers.

#![allow(unsafe_code, reason = "the innermost loop of the engine goes without bounds checks")]

use std::slice::IterMut;

use super::operand::Product;
use crate::kernels::Epilogue;
use crate::simd::{F32x16, Lanes, Simd};

/// Computes the tile of `ROWS` rows × `BLOCKS` column blocks of C that begins at row `row`, block
/// `block`, and gives the rows of B to `rows_read`; returns `ROWS`.
///
/// # Safety
/// As for [`add_terms`].
#[inline(always)]
pub(super) unsafe fn micro_kernel<S, E, const ROWS: usize, const BLOCKS: usize>(
    s: S,
    product: &Product<'_>,
    row: usize,
    block: usize,
    epilogue: &mut E,
    rows_read: &mut impl RowsRead,
) -> usize
where
    S: Simd,
    E: Epilogue<S>,
{
    let rows = std::array::from_fn(|i| row + i);
    let sums = epilogue.start_tile(s, &rows, block);
    // SAFETY: the caller vouches for it.
    let sums: [[S::F32; BLOCKS]; ROWS] =
        unsafe { add_terms(s, product, row, block, sums, rows_read) };
    epilogue.finish_tile(s, &rows, block, sums);
    ROWS
}

/// The same of one column block, of which the first register has all columns that there are: the
/// others keep what they start from.
///
/// # Safety
/// As for [`add_terms`].
#[inline(always)]
pub(super) unsafe fn narrow_micro_kernel<S, E, const ROWS: usize>(
    s: S,
    product: &Product<'_>,
    row: usize,
    block: usize,
    epilogue: &mut E,
) -> usize
where
    S: Simd,
    E: Epilogue<S>,
{
    let register = s.register(0);
    let rows = std::array::from_fn(|i| row + i);
    // A vector comes apart, and together, in memory.
    let mut tile: [[S::F32; 1]; ROWS] = epilogue.start_tile(s, &rows, block);
    let mut vectors = [F32x16::default(); ROWS];
    let mut sums = [[register.zero()]; ROWS];
    for i in 0..ROWS {
        s.store(tile[i][0], &mut vectors[i]);
        sums[i] = [register.load(&vectors[i])];
    }
    // SAFETY: the caller vouches for it.
    let sums = unsafe { add_terms(register, product, row, block, sums, &mut ()) };
    for i in 0..ROWS {
        register.store(sums[i][0], &mut vectors[i]);
        tile[i] = [s.load(&vectors[i])];
    }
    epilogue.finish_tile(s, &rows, block, tile);
    ROWS
}

/// What becomes of the rows of B that a tile reads, but for its sums.
pub(super) trait RowsRead {
    /// Takes the next row.
    fn take<L: Lanes>(&mut self, l: L, row: &[L::F32]);
}

/// Nothing.
impl RowsRead for () {
    #[inline(always)]
    fn take<L: Lanes>(&mut self, _: L, _: &[L::F32]) {}
}

/// They fill a packed panel.
pub(super) struct Panel<'a>(pub(super) IterMut<'a, F32x16>);

impl RowsRead for Panel<'_> {
    #[inline(always)]
    fn take<L: Lanes>(&mut self, l: L, row: &[L::F32]) {
        for (&vector, packed) in row.iter().zip(&mut self.0) {
            l.store(vector, packed);
        }
    }
}

/// Adds the terms of the product to the `sums` of a tile, of the lanes `l`.
///
/// For each p, `BLOCKS` vectors of B are loaded and `ROWS` numbers of A broadcast, for `ROWS` ·
/// `BLOCKS` multiply-adds.
///
/// # Safety
/// The operands hold what the tile reads: for the product's `k`,
/// [`Lhs::check`](super::Lhs::check) passes for rows `row..row + ROWS`, and
/// [`Rhs::check`](super::Rhs::check) for blocks `block..block + BLOCKS`.
#[inline(always)]
unsafe fn add_terms<L: Lanes, const ROWS: usize, const BLOCKS: usize>(
    l: L,
    &Product { lhs, rhs, k, .. }: &Product<'_>,
    row: usize,
    block: usize,
    mut sums: [[L::F32; BLOCKS]; ROWS],
    rows_read: &mut impl RowsRead,
) -> [[L::F32; BLOCKS]; ROWS] {
    let offsets = lhs.rows.offsets::<ROWS>(row);
    let mut rhs_at = block * rhs.block_stride;
    let mut block_at = 0;
    let mut left = k;
    while left > 0 {
        // Without blocks along k there is but one round.
        let steps = left.min(lhs.k.block);
        let mut lhs_at = block_at;
        for _ in 0..steps {
            let mut b = [l.zero(); BLOCKS];
            for (j, b) in b.iter_mut().enumerate() {
                // SAFETY: `rhs_at` is the offset of row p of `block`, and by the caller's check the
                // 16 columns of each of the tile's blocks lie within the values.
                let columns =
                    unsafe { &*rhs.values.as_ptr().add(rhs_at + j * rhs.block_stride).cast() };
                *b = l.load_unaligned(columns);
            }
            rows_read.take(l, &b);
            for (offset, sums) in offsets.iter().zip(&mut sums) {
                // SAFETY: `offset + lhs_at` is the offset of A[row + i, p], which by the caller's
                // check lies within the values.
                let a = l.splat(unsafe { *lhs.values.get_unchecked(offset + lhs_at) });
                for (sum, &b) in sums.iter_mut().zip(&b) {
                    *sum = l.mul_add(a, b, *sum);
                }
            }
            rhs_at += rhs.row_stride;
            lhs_at += lhs.k.stride;
        }
        block_at += lhs.k.block_stride;
        left -= steps;
    }
    sums
}
