//! What the sums of a kernel start from and what becomes of them.

use crate::simd::Simd;

/// The two ends of the sums that a kernel keeps in registers.
///
/// Results stand in rows of vectors: the rows and column blocks of a matrix product, or the
/// positions ([`conv::Position`](super::conv::Position)) and channels of a convolution, in which
/// case each lane is an image. Rows and columns are those of the whole result, whatever part of it
/// is computed.
///
/// One of [`start`](Self::start) and [`start_tile`](Self::start_tile) must be implemented, and one of
/// [`finish`](Self::finish) and [`finish_tile`](Self::finish_tile), as each does by default what the other
/// does.
pub(crate) trait Epilogue<S: Simd, Row: Copy = usize> {
    /// What the sums of vector `column` of `row` start from.
    #[inline(always)]
    fn start(&self, s: S, row: Row, column: usize) -> S::F32 {
        let [[start]] = self.start_tile(s, &[row], column);
        start
    }

    /// What those of a tile start from: of each of `rows`, `N` vectors from `column` on.
    #[inline(always)]
    fn start_tile<const ROWS: usize, const N: usize>(
        &self,
        s: S,
        rows: &[Row; ROWS],
        column: usize,
    ) -> [[S::F32; N]; ROWS] {
        let mut tile = [[s.zero(); N]; ROWS];
        for (starts, &row) in tile.iter_mut().zip(rows) {
            for (n, start) in starts.iter_mut().enumerate() {
                *start = self.start(s, row, column + n);
            }
        }
        tile
    }

    /// Takes the finished sums of `row`, of `N` vectors from `column` on.
    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, row: Row, column: usize, sums: [S::F32; N]) {
        self.finish_tile(s, &[row], column, [sums]);
    }

    /// Takes those of a tile: of each of `rows`, `N` vectors from `column` on.
    #[inline(always)]
    fn finish_tile<const ROWS: usize, const N: usize>(
        &mut self,
        s: S,
        rows: &[Row; ROWS],
        column: usize,
        tile: [[S::F32; N]; ROWS],
    ) {
        for (&row, sums) in rows.iter().zip(tile) {
            self.finish(s, row, column, sums);
        }
    }
}
