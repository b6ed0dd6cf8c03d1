//! A product cut into tiles.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::kernels::gemm::epilogue::Epilogue;
use crate::kernels::gemm::kernel::tile;
use crate::kernels::gemm::matrixmultiply::matrixmultiply;
use crate::kernels::gemm::operand::{Lhs, Rhs};
use crate::simd::Simd;

/// The part of C to compute: rows, and blocks of sixteen columns.
#[derive(Clone, Debug)]
pub(crate) struct OutputRange {
    pub(crate) rows: Range<usize>,
    pub(crate) blocks: Range<usize>,
}

/// Who computes the dense products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GemmBackend {
    /// The engine's own kernels.
    #[default]
    Engine,
    /// The crate `matrixmultiply`: a second opinion, outside the promise of equal bits.
    Matrixmultiply,
}

impl GemmBackend {
    /// Computes the `area` of C = `left` · `right` over `depth`.
    #[inline(always)]
    pub(crate) fn multiply<S: Simd, E: Epilogue<S>>(
        self,
        s: S,
        left: &Lhs<'_>,
        right: &Rhs<'_>,
        depth: usize,
        area: OutputRange,
        epilogue: &mut E,
    ) {
        match self {
            Self::Engine => multiply(s, left, right, depth, area, epilogue),
            Self::Matrixmultiply => matrixmultiply(s, left, right, depth, area, epilogue),
        }
    }
}

/// Computes the `area` of C = `left` · `right` over `depth`, tile by tile: a few blocks of columns
/// at a time, so that their share of `right` stays in the cache for all rows.
#[inline(always)]
#[allow(unsafe_code, reason = "calls the micro-kernel")]
pub(super) fn multiply<S: Simd, E: Epilogue<S>>(
    s: S,
    left: &Lhs<'_>,
    right: &Rhs<'_>,
    depth: usize,
    area: OutputRange,
    epilogue: &mut E,
) {
    const { assert!(matches!(S::TILE_ROWS, 2 | 6 | 8) && S::TILE_BLOCKS <= 3, "see `tiles`") };
    left.check(&area.rows, depth);
    right.check(depth, &area.blocks);
    let OutputRange { rows, blocks } = area;
    let mut block = blocks.start;
    while block < blocks.end {
        let at = (rows.clone(), block);
        // SAFETY: the checks above cover the whole area, and the columns lie within it.
        block += unsafe {
            match blocks.end - block {
                3.. if S::TILE_BLOCKS >= 3 => tiles::<S, E, 3>(s, left, right, depth, at, epilogue),
                2.. if S::TILE_BLOCKS >= 2 => tiles::<S, E, 2>(s, left, right, depth, at, epilogue),
                _ => tiles::<S, E, 1>(s, left, right, depth, at, epilogue),
            }
        };
    }
}

/// Computes all `rows` of `BLOCKS` blocks of columns, in tiles as high as the instruction set
/// likes them and a few lower ones for what is left over; returns `BLOCKS`.
///
/// # Safety
/// As for [`tile`], for all of `rows`.
#[inline(always)]
#[allow(unsafe_code, reason = "calls the micro-kernel")]
unsafe fn tiles<S: Simd, E: Epilogue<S>, const BLOCKS: usize>(
    s: S,
    left: &Lhs<'_>,
    right: &Rhs<'_>,
    depth: usize,
    (rows, block): (Range<usize>, usize),
    epilogue: &mut E,
) -> usize {
    let mut row = rows.start;
    while row < rows.end {
        let left_over = rows.end - row;
        let at = (row, block);
        // SAFETY: no tile is higher than what is left over, and the caller vouches for that.
        row += unsafe {
            match left_over {
                8.. if S::TILE_ROWS == 8 => {
                    tile::<S, E, 8, BLOCKS>(s, left, right, depth, at, epilogue)
                }
                6.. if S::TILE_ROWS == 6 => {
                    tile::<S, E, 6, BLOCKS>(s, left, right, depth, at, epilogue)
                }
                4.. if S::TILE_ROWS > 4 => {
                    tile::<S, E, 4, BLOCKS>(s, left, right, depth, at, epilogue)
                }
                2.. if S::TILE_ROWS == 2 => {
                    tile::<S, E, 2, BLOCKS>(s, left, right, depth, at, epilogue)
                }
                _ => tile::<S, E, 1, BLOCKS>(s, left, right, depth, at, epilogue),
            }
        };
    }
    BLOCKS
}
