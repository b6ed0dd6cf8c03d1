//! Operands as the micro-kernel reads them: single numbers of A, groups of lanes of B.

use std::ops::Range;

use crate::simd::{LANES, Lanes, as_numbers};

/// Where the elements along one dimension stand: every `panel` of them `stride` apart, and the
/// panels `panel_stride` apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub(crate) stride: usize,
    pub(crate) panel: usize,
    pub(crate) panel_stride: usize,
}

impl Axis {
    /// Elements `stride` apart, without panels.
    pub(crate) const fn even(stride: usize) -> Self {
        Self { stride, panel: usize::MAX, panel_stride: 0 }
    }

    /// The place of element `index`.
    #[inline(always)]
    pub(crate) const fn offset(self, index: usize) -> usize {
        (index / self.panel) * self.panel_stride + (index % self.panel) * self.stride
    }

    /// The places of `N` elements from `first` on.
    #[inline(always)]
    pub(super) fn offsets<const N: usize>(self, first: usize) -> [usize; N] {
        // One division for all of them, and none without panels: it takes longer than a step of
        // the tile.
        let (mut panel, mut within) =
            if first < self.panel { (0, first) } else { (first / self.panel, first % self.panel) };
        let mut offsets = [0; N];
        for offset in &mut offsets {
            *offset = panel * self.panel_stride + within * self.stride;
            within += 1;
            if within == self.panel {
                (panel, within) = (panel + 1, 0);
            }
        }
        offsets
    }

    /// The greatest place among those of `indices`.
    fn reach(self, indices: &Range<usize>) -> usize {
        if indices.is_empty() {
            return 0;
        }
        // The greatest is the last, or the last of the panel before.
        let last = indices.end - 1;
        let before = (last / self.panel * self.panel).saturating_sub(1);
        self.offset(last).max(if before >= indices.start { self.offset(before) } else { 0 })
    }
}

/// The left operand: element (row, p) stands at the sum of both axes' offsets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) rows: Axis,
    pub(crate) depth: Axis,
}

impl Left<'_> {
    /// Checks that every element of `rows` × `depth` lies within the values.
    pub(crate) fn check(&self, rows: &Range<usize>, depth: usize) {
        if !rows.is_empty() && depth > 0 {
            let reach = self.rows.reach(rows) + self.depth.reach(&(0..depth));
            assert!(reach < self.values.len(), "the left operand is too short");
        }
    }
}

/// The right operand: row p of group g, sixteen columns, begins at `p · row + g · group`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Right<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) row: usize,
    pub(crate) group: usize,
}

impl<'a> Right<'a> {
    /// Row p of group g are the lanes `p · row + g · group`.
    pub(crate) fn of_lanes(lanes: &'a [Lanes], row: usize, group: usize) -> Self {
        Self { values: as_numbers(lanes), row: row * LANES, group: group * LANES }
    }

    /// The sixteen columns of row `p`, group `group`.
    #[inline(always)]
    pub(crate) fn at(&self, p: usize, group: usize) -> &'a [f32; LANES] {
        let columns = self.values[p * self.row + group * self.group..].first_chunk();
        columns.expect("the right operand is too short")
    }

    /// Checks that every group of `depth` × `groups` lies within the values.
    pub(crate) fn check(&self, depth: usize, groups: &Range<usize>) {
        if !groups.is_empty() && depth > 0 {
            let reach = (depth - 1) * self.row + (groups.end - 1) * self.group;
            assert!(reach + LANES <= self.values.len(), "the right operand is too short");
        }
    }
}
