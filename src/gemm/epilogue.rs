//! What a sum starts from and what becomes of it.

use crate::simd::Simd;

/// The two ends of a sum: where those of a group's sixteen columns start, and where a tile of them
/// ends.
///
/// Rows and groups of columns are those of the whole product, whatever part of it is computed.
pub(crate) trait Epilogue<S: Simd> {
    /// What the sums of row `row`, group `group` start from.
    fn start(&self, s: S, row: usize, group: usize) -> S::F32;
    /// Takes the finished sums of `ROWS` rows from `row` on, each of `N` groups from `group` on.
    fn finish<const ROWS: usize, const N: usize>(
        &mut self,
        s: S,
        row: usize,
        group: usize,
        sums: [[S::F32; N]; ROWS],
    );
}
