//! Operands as the micro-kernel reads them: single numbers of A, column blocks of B.

use std::ops::Range;

use crate::simd::{F32x16, LANES, as_numbers};

/// Where the elements along one dimension stand: `stride` apart within blocks of `block` elements,
/// and the blocks `block_stride` apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AxisLayout {
    pub(crate) stride: usize,
    pub(crate) block: usize,
    pub(crate) block_stride: usize,
}

impl AxisLayout {
    /// Elements `stride` apart, without blocks.
    pub(crate) const fn strided(stride: usize) -> Self {
        Self { stride, block: usize::MAX, block_stride: 0 }
    }

    /// Vectors of 16 elements side by side, the vectors `block_stride` numbers apart.
    pub(crate) const fn blocked(block_stride: usize) -> Self {
        Self { stride: 1, block: LANES, block_stride }
    }

    /// The offset of element `index`.
    #[inline(always)]
    pub(crate) const fn offset(self, index: usize) -> usize {
        (index / self.block) * self.block_stride + (index % self.block) * self.stride
    }

    /// The offsets of `N` elements from `first` on.
    #[inline(always)]
    pub(super) fn offsets<const N: usize>(self, first: usize) -> [usize; N] {
        // One division for all of them, and none without blocks: it takes longer than a step of the
        // micro-kernel. And one product: from one to the next there is a stride, or the way from the end of
        // a block to the next.
        let (block, mut within) =
            if first < self.block { (0, first) } else { (first / self.block, first % self.block) };
        let mut offset = block * self.block_stride + within * self.stride;
        let length = self.block.wrapping_sub(1).wrapping_mul(self.stride);
        let to_next_block = self.block_stride.wrapping_sub(length);
        let mut offsets = [0; N];
        for at in &mut offsets {
            *at = offset;
            within += 1;
            let ends = within == self.block;
            offset = offset.wrapping_add(if ends { to_next_block } else { self.stride });
            within = if ends { 0 } else { within };
        }
        offsets
    }

    /// The greatest offset among those of `indices`.
    fn reach(self, indices: &Range<usize>) -> usize {
        if indices.is_empty() {
            return 0;
        }
        // The greatest is the last, or the last of the block before.
        let last = indices.end - 1;
        let before = (last / self.block * self.block).saturating_sub(1);
        self.offset(last).max(if before >= indices.start { self.offset(before) } else { 0 })
    }
}

/// The left operand A: A\[i, p\] stands at the sum of both axes' offsets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lhs<'a> {
    pub(crate) values: &'a [f32],
    /// The axis of i.
    pub(crate) rows: AxisLayout,
    /// The axis of p.
    pub(crate) k: AxisLayout,
}

impl Lhs<'_> {
    /// A\[i, p\].
    #[inline(always)]
    pub(super) fn at(&self, i: usize, p: usize) -> f32 {
        self.values[self.rows.offset(i) + self.k.offset(p)]
    }

    /// Checks that `rows` × `k` numbers lie within the values.
    pub(crate) fn check(&self, rows: &Range<usize>, k: usize) {
        if !rows.is_empty() && k > 0 {
            let reach = self.rows.reach(rows) + self.k.reach(&(0..k));
            assert!(reach < self.values.len(), "the left operand is too short");
        }
    }
}

/// The right operand B: the 16 columns of row p, column block g, begin at
/// p · `row_stride` + g · `block_stride`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rhs<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) row_stride: usize,
    pub(crate) block_stride: usize,
    /// Columns that there are, from the first block on: those beyond are padding, whose sums nobody reads.
    pub(crate) columns: usize,
}

impl<'a> Rhs<'a> {
    /// Of `vectors`, strides being counted in vectors; all of their columns are there.
    pub(crate) fn of_vectors(
        vectors: &'a [F32x16],
        row_stride: usize,
        block_stride: usize,
    ) -> Self {
        Self {
            values: as_numbers(vectors),
            row_stride: row_stride * LANES,
            block_stride: block_stride * LANES,
            columns: usize::MAX,
        }
    }

    /// The same, of which no more `columns` are there.
    pub(crate) fn with_columns(self, columns: usize) -> Self {
        Self { columns, ..self }
    }

    /// The 16 columns of row `p`, column block `block`.
    #[inline(always)]
    pub(crate) fn at(&self, p: usize, block: usize) -> &'a [f32; LANES] {
        let columns = self.values[p * self.row_stride + block * self.block_stride..].first_chunk();
        columns.expect("the right operand is too short")
    }

    /// Checks that `k` rows of `blocks` lie within the values.
    pub(crate) fn check(&self, k: usize, blocks: &Range<usize>) {
        if !blocks.is_empty() && k > 0 {
            let reach = (k - 1) * self.row_stride + (blocks.end - 1) * self.block_stride;
            assert!(reach + LANES <= self.values.len(), "the right operand is too short");
        }
    }
}

/// The part of C to compute: rows, and blocks of 16 columns.
#[derive(Clone, Debug)]
pub(crate) struct OutputRange {
    pub(crate) rows: Range<usize>,
    pub(crate) blocks: Range<usize>,
}

/// The `output` part of C = A · B, each of its elements a sum of `k` terms.
#[derive(Clone, Debug)]
pub(crate) struct Product<'a> {
    pub(crate) lhs: Lhs<'a>,
    pub(crate) rhs: Rhs<'a>,
    pub(crate) k: usize,
    pub(crate) output: OutputRange,
}
