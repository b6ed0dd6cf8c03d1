//! A product cut into tiles.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::epilogue::Epilogue;
use super::kernel::tile;
use super::operand::{Left, Right};
use super::second_opinion::second_opinion;
use crate::simd::Simd;

/// The part of C to compute: rows, and groups of sixteen columns.
#[derive(Clone, Debug)]
pub(crate) struct Area {
    pub(crate) rows: Range<usize>,
    pub(crate) groups: Range<usize>,
}

/// Who computes the dense products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Products {
    /// The engine's own kernels.
    #[default]
    Engine,
    /// The crate `matrixmultiply`: a second opinion, outside the promise of equal bits.
    Matrixmultiply,
}

impl Products {
    /// Computes the `area` of C = `left` · `right` over `depth`.
    #[inline(always)]
    pub(crate) fn multiply<S: Simd, E: Epilogue<S>>(
        self,
        s: S,
        left: &Left<'_>,
        right: &Right<'_>,
        depth: usize,
        area: Area,
        epilogue: &mut E,
    ) {
        match self {
            Self::Engine => multiply(s, left, right, depth, area, epilogue),
            Self::Matrixmultiply => second_opinion(s, left, right, depth, area, epilogue),
        }
    }
}

/// Whether tiles of `rows` rows are used: full ones, and a few for what is left over.
#[inline(always)]
const fn is_a_height<S: Simd>(rows: usize) -> bool {
    rows == S::TILE_ROWS || (rows == 4 && S::TILE_ROWS > 4) || rows == 1
}

/// Computes the `area` of C = `left` · `right` over `depth`, tile by tile: a few groups of columns
/// at a time, so that their share of `right` stays in the cache for all rows.
#[inline(always)]
#[allow(unsafe_code, reason = "calls the micro-kernel")]
pub(super) fn multiply<S: Simd, E: Epilogue<S>>(
    s: S,
    left: &Left<'_>,
    right: &Right<'_>,
    depth: usize,
    area: Area,
    epilogue: &mut E,
) {
    left.check(&area.rows, depth);
    right.check(depth, &area.groups);
    let mut group = area.groups.start;
    while group < area.groups.end {
        let width = (area.groups.end - group).min(S::TILE_GROUPS);
        let mut row = area.rows.start;
        while row < area.rows.end {
            let left_over = area.rows.end - row;
            let at = (row, group);
            // SAFETY: the checks above cover the whole area, and the tile lies within it.
            macro_rules! tiles {
                ($($rows:literal),+) => {
                    $(if left_over >= $rows && is_a_height::<S>($rows) {
                        match width {
                            3 if S::TILE_GROUPS >= 3 => unsafe { tile::<S, E, $rows, 3>(s, left, right, depth, at, epilogue) },
                            2 if S::TILE_GROUPS >= 2 => unsafe { tile::<S, E, $rows, 2>(s, left, right, depth, at, epilogue) },
                            _ => unsafe { tile::<S, E, $rows, 1>(s, left, right, depth, at, epilogue) },
                        }
                        row += $rows;
                        continue;
                    })+
                };
            }
            tiles!(8, 6, 4, 2, 1);
        }
        group += width;
    }
}
