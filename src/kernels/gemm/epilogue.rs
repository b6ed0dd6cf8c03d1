//! What a sum starts from and what becomes of it.

use crate::simd::Simd;

/// The two ends of a sum, for the sixteen columns of a block at a time.
///
/// Rows and blocks of columns are those of the whole product, whatever part of it is computed.
pub(crate) trait Epilogue<S: Simd> {
    /// What the sums of row `row`, block `block` start from.
    fn start(&self, s: S, row: usize, block: usize) -> S::F32;
    /// Takes the finished sums of row `row`, of `N` blocks from `block` on.
    fn finish<const N: usize>(&mut self, s: S, row: usize, block: usize, sums: [S::F32; N]);
    /// Takes those of a tile, `ROWS` rows from `row` on.
    #[inline(always)]
    fn finish_tile<const ROWS: usize, const N: usize>(
        &mut self,
        s: S,
        row: usize,
        block: usize,
        tile: [[S::F32; N]; ROWS],
    ) {
        for (row, sums) in (row..).zip(tile) {
            self.finish(s, row, block, sums);
        }
    }
}
