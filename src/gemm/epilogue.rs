//! What a sum starts from and what becomes of it.

use crate::simd::Simd;

/// The two ends of a sum, for sixteen columns of a row of C at a time.
///
/// Rows and groups of columns are those of the whole product, whatever part of it is computed.
pub(crate) trait Epilogue<S: Simd> {
    /// What the sums of row `row`, group `group` start from.
    fn start(&self, s: S, row: usize, group: usize) -> S::F32;
    /// Takes the finished sums.
    fn finish(&mut self, s: S, row: usize, group: usize, sums: S::F32);
}
