//! Operands as the micro-kernel reads them: single numbers of A, blocks of lanes of B.

use std::ops::Range;

use crate::simd::{F32x16, LANES, as_numbers};

/// Where the elements along one dimension stand: every `panel` of them `stride` apart, and the
/// panels `panel_stride` apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AxisLayout {
    pub(crate) stride: usize,
    pub(crate) panel: usize,
    pub(crate) panel_stride: usize,
}

impl AxisLayout {
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
pub(crate) struct Lhs<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) rows: AxisLayout,
    pub(crate) depth: AxisLayout,
}

impl Lhs<'_> {
    /// Checks that every element of `rows` × `depth` lies within the values.
    pub(crate) fn check(&self, rows: &Range<usize>, depth: usize) {
        if !rows.is_empty() && depth > 0 {
            let reach = self.rows.reach(rows) + self.depth.reach(&(0..depth));
            assert!(reach < self.values.len(), "the left operand is too short");
        }
    }
}

/// The right operand: row p of block g, sixteen columns, begins at `p · row + g · block`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rhs<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) row: usize,
    pub(crate) block: usize,
}

impl<'a> Rhs<'a> {
    /// Row p of block g are the lanes `p · row + g · block`.
    pub(crate) fn of_vectors(lanes: &'a [F32x16], row: usize, block: usize) -> Self {
        Self { values: as_numbers(lanes), row: row * LANES, block: block * LANES }
    }

    /// The sixteen columns of row `p`, block `block`.
    #[inline(always)]
    pub(crate) fn at(&self, p: usize, block: usize) -> &'a [f32; LANES] {
        let columns = self.values[p * self.row + block * self.block..].first_chunk();
        columns.expect("the right operand is too short")
    }

    /// Checks that every block of `depth` × `blocks` lies within the values.
    pub(crate) fn check(&self, depth: usize, blocks: &Range<usize>) {
        if !blocks.is_empty() && depth > 0 {
            let reach = (depth - 1) * self.row + (blocks.end - 1) * self.block;
            assert!(reach + LANES <= self.values.len(), "the right operand is too short");
        }
    }
}
