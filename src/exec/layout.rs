//! The blocked layout: how activations and gradients of a minibatch stand in memory.
//!
//! Columns (units) are padded to 16 and cut into column blocks of one vector. Column block b of
//! sample i is vector `b · batch + i`: a worker that owns blocks owns one run of memory, the
//! samples of a block stand side by side for the gradient of weights, and no product needs packing.

use std::ops::Range;

use crate::kernels::gemm::{AxisLayout, Lhs, Rhs};
use crate::simd::{F32x16, LANES, as_numbers};
use crate::sync::{TeamSync, TurnBuffer, Writer, turn_buffer};

/// Where the vectors of a blocked buffer stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockedLayout {
    /// Samples of a block: the most that a minibatch has.
    pub(crate) batch: usize,
}

impl BlockedLayout {
    /// The vector of column block `block` of sample `sample`.
    #[inline(always)]
    pub(crate) fn at(self, block: usize, sample: usize) -> usize {
        block * self.batch + sample
    }

    /// The vectors of column block `block` of `samples`.
    #[inline(always)]
    pub(crate) fn row(self, block: usize, samples: Range<usize>) -> Range<usize> {
        self.at(block, samples.start)..self.at(block, samples.end)
    }

    /// The vectors of all samples of `blocks`.
    pub(crate) fn blocks(self, blocks: Range<usize>) -> Range<usize> {
        self.at(blocks.start, 0)..self.at(blocks.end, 0)
    }
}

/// Blocked numbers of a minibatch, to be read.
#[derive(Clone, Copy)]
pub(crate) struct Blocked<'a> {
    vectors: &'a [F32x16],
    layout: BlockedLayout,
}

impl<'a> Blocked<'a> {
    /// Column block `block` of sample `sample`.
    #[inline(always)]
    pub(crate) fn at(&self, block: usize, sample: usize) -> &'a F32x16 {
        &self.vectors[self.layout.at(block, sample)]
    }

    /// Column block `block` of `samples`.
    #[inline(always)]
    pub(crate) fn row(&self, block: usize, samples: Range<usize>) -> &'a [F32x16] {
        &self.vectors[self.layout.row(block, samples)]
    }

    /// The vectors of `range`, wherever they stand.
    pub(crate) fn vectors(&self, range: Range<usize>) -> &'a [F32x16] {
        &self.vectors[range]
    }

    /// Samples × columns, as the left operand of a product.
    pub(crate) fn as_lhs(&self) -> Lhs<'a> {
        let (rows, k) = (self.samples_axis(), self.columns_axis());
        Lhs { values: as_numbers(self.vectors), rows, k }
    }

    /// Columns × samples, as the left operand of a product.
    pub(crate) fn transposed_as_lhs(&self) -> Lhs<'a> {
        let (rows, k) = (self.columns_axis(), self.samples_axis());
        Lhs { values: as_numbers(self.vectors), rows, k }
    }

    /// Samples × columns, as the right operand of a product: its k are the samples.
    pub(crate) fn as_rhs(&self) -> Rhs<'a> {
        Rhs::of_vectors(self.vectors, 1, self.layout.batch)
    }

    fn samples_axis(&self) -> AxisLayout {
        AxisLayout::strided(LANES)
    }

    fn columns_axis(&self) -> AxisLayout {
        AxisLayout::blocked(self.layout.batch * LANES)
    }
}

/// A worker's part of a blocked buffer, to be written; published when dropped.
pub(crate) struct BlockedMut<'a> {
    writer: Writer<'a>,
    layout: BlockedLayout,
}

impl<'a> BlockedMut<'a> {
    /// What `writer` writes, blocked as `layout` says.
    pub(crate) fn new(writer: Writer<'a>, layout: BlockedLayout) -> Self {
        Self { writer, layout }
    }

    /// Column block `block` of sample `sample`, which must be the worker's own.
    #[inline(always)]
    pub(crate) fn at(&mut self, block: usize, sample: usize) -> &mut F32x16 {
        self.writer.at(self.layout.at(block, sample))
    }

    /// Column block `block` of `samples`, which must be the worker's own.
    #[inline(always)]
    pub(crate) fn row(&mut self, block: usize, samples: Range<usize>) -> &mut [F32x16] {
        self.writer.vectors(self.layout.row(block, samples))
    }

    /// The vectors of `range`, which must be the worker's own.
    #[inline(always)]
    pub(crate) fn vectors(&mut self, range: Range<usize>) -> &mut [F32x16] {
        self.writer.vectors(range)
    }
}

/// A worker's handle of a blocked buffer that the team shares in turns.
pub(crate) struct BlockedBuffer {
    turns: TurnBuffer,
    layout: BlockedLayout,
}

impl BlockedBuffer {
    /// A buffer of `blocks` column blocks, of which each worker writes its `own` vectors: a handle
    /// a worker.
    pub(crate) fn allocate(
        layout: BlockedLayout,
        blocks: usize,
        own: Vec<Vec<Range<usize>>>,
        sync: &TeamSync,
    ) -> Vec<Self> {
        Self::allocate_vectors(layout, layout.at(blocks, 0), own, sync)
    }

    /// The same with other vectors behind the last block: `length` in all.
    pub(crate) fn allocate_vectors(
        layout: BlockedLayout,
        length: usize,
        own: Vec<Vec<Range<usize>>>,
        sync: &TeamSync,
    ) -> Vec<Self> {
        let handles = turn_buffer(length, own, sync).into_iter();
        handles.map(|turns| Self { turns, layout }).collect()
    }

    /// Whether it holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// The worker's turn to write its part.
    pub(crate) fn write(&mut self) -> BlockedMut<'_> {
        BlockedMut::new(self.turns.write(), self.layout)
    }

    /// All of it, once all workers have published their parts.
    pub(crate) fn read(&self) -> Blocked<'_> {
        blocked(self.turns.read().into_slice(), self.layout)
    }

    /// The worker's own column `blocks`, without waiting for anybody; the first of them is block 0.
    pub(crate) fn own(&self, blocks: Range<usize>) -> Blocked<'_> {
        blocked(self.turns.own(self.layout.blocks(blocks)), self.layout)
    }

    /// The worker is done reading until it has written again.
    pub(crate) fn release(&mut self) {
        self.turns.release();
    }
}

/// `vectors` as blocked numbers.
pub(crate) fn blocked(vectors: &[F32x16], layout: BlockedLayout) -> Blocked<'_> {
    Blocked { vectors, layout }
}
