//! Where the weights of a dense layer stand, and who may write them.
//!
//! First come all weights, then what the optimiser keeps beside them, its state: who reads others'
//! weights reads nothing else. Weights stand row by row, a row for each input and one for the bias: of
//! a layer by columns each worker's by themselves, of one by samples all together, of which each worker
//! has some rows. The state stands in the same order; of each row slot by slot, `[m | v]`. A tail stands
//! after the weights of whole column blocks, four numbers a row; of each of its vectors the slots of the
//! state stand side by side.

use std::ops::Range;

use crate::exec::partition::{Partition, WorkRange};
use crate::exec::plan::Plan;
use crate::kernels::sparse::{TAIL, TailWeights, tail_vectors};
use crate::model::Tensor;
use crate::simd::{F32x16, LANES, as_numbers, as_numbers_mut};
use crate::sync::{Reader, TeamSync, TurnBuffer, Writer, partly_told_turn_buffer};

/// A worker's handle of the weights of a layer.
pub(super) struct Weights {
    layout: Layout,
    rank: usize,
    turns: TurnBuffer,
}

/// The layout of all workers' weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) partition: Partition,
    /// Slots of a weight: itself and what the optimiser keeps beside it.
    pub(super) slots: usize,
}

/// The vectors that some work updates, in their order.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    /// Rows of weights of whole column blocks.
    pub(super) rows: Range<usize>,
    /// The weights of a tail.
    pub(super) tail: Range<usize>,
    /// The optimiser's state of the rows.
    pub(super) state: Range<usize>,
    /// That of the tail.
    pub(super) tail_state: Range<usize>,
}

/// Weights of whole column blocks, a row for each input and one for the bias, and those of a tail.
pub(super) struct WeightsRead<'a> {
    pub(super) rows: &'a [F32x16],
    pub(super) tail: Option<TailWeights<'a>>,
}

/// Where the weights of a whole column block stand, in vectors.
#[derive(Clone, Copy, Debug)]
pub(super) struct ColumnPlace {
    /// The first row of its owner.
    first_row: usize,
    /// Column blocks of a row.
    width: usize,
    /// Which of them it is.
    block: usize,
}

impl ColumnPlace {
    /// The vector of row `row`.
    pub(super) fn at(&self, row: usize) -> usize {
        self.first_row + row * self.width + self.block
    }
}

impl Weights {
    /// The weights of a layer, all zero: a handle a worker.
    pub(super) fn allocate(partition: Partition, plan: &Plan, sync: &TeamSync) -> Vec<Self> {
        let layout = Layout { partition, slots: plan.slots };
        let parts = |rank| layout.parts(&partition.work(rank, plan.batch));
        let own = (0..plan.workers).map(|rank| parts(rank).into_ranges()).collect();
        // What the optimiser keeps is its owner's alone.
        let told = |rank| {
            let Parts { rows, tail, .. } = parts(rank);
            Vec::from([rows, tail])
        };
        let handles = partly_told_turn_buffer(layout.length(), own, told, sync).into_iter();
        handles.enumerate().map(|(rank, turns)| Self { layout, rank, turns }).collect()
    }

    /// Where they stand.
    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Those that a forward pass of `work` reads: the worker's own of a layer by columns, everyone's of
    /// another, once all have updated theirs.
    pub(super) fn for_forward(&self, work: &WorkRange) -> WeightsRead<'_> {
        let partition = self.layout.partition;
        let (rows, tail) = if partition.is_by_columns() {
            let Parts { rows, tail, .. } = self.layout.parts(work);
            (self.turns.own(rows), self.turns.own(tail))
        } else {
            let all = self.turns.read().into_slice();
            let all = &all[..self.layout.weights()];
            all.split_at(self.layout.first_of_tail())
        };
        let tail = partition.has_tail(work).then(|| TailWeights(as_numbers(tail).as_chunks().0));
        WeightsRead { rows, tail }
    }

    /// The rows that the worker updates for `work`, as they are now.
    pub(super) fn own_rows(&self, work: &WorkRange) -> &[F32x16] {
        self.turns.own(self.layout.parts(work).rows)
    }

    /// Everyone's, once all have updated theirs.
    pub(super) fn read(&self) -> Reader<'_> {
        self.turns.read()
    }

    /// Has everyone's be here, and what the optimiser keeps beside them.
    pub(super) fn bring_all(&mut self) {
        self.turns.bring_all();
    }

    /// The worker's turn to update its own.
    pub(super) fn write(&mut self) -> Writer<'_> {
        self.turns.write()
    }

    /// The worker is done reading until it has written again.
    pub(super) fn release(&mut self) {
        self.turns.release();
    }

    /// Sets slot `slot` of the worker's own (0: the weight itself) from `kernel` (inputs × units)
    /// and `bias`.
    pub(super) fn set(&mut self, slot: usize, kernel: &Tensor, bias: &Tensor) {
        let Self { layout, rank, turns } = self;
        let Partition { inputs, units, .. } = layout.partition;
        let work = layout.partition.work(*rank, 0);
        let mut writer = turns.write();
        for block in work.blocks {
            let column = layout.whole_column(block);
            for row in work.rows.clone() {
                let values =
                    if row < inputs { &kernel.values[row * units..] } else { &bias.values };
                let columns = &values[block * LANES..units.min((block + 1) * LANES)];
                let at = layout.at(column, row, slot);
                let vector = writer.vectors(at / LANES..at / LANES + 1);
                as_numbers_mut(vector)[at % LANES..][..columns.len()].copy_from_slice(columns);
            }
        }
    }

    /// Copies slot `slot` of all weights (0: the weight itself) to `kernel` and `bias`.
    pub(super) fn get(&self, slot: usize, kernel: &mut Tensor, bias: &mut Tensor) {
        let weights = self.read();
        let numbers = as_numbers(&weights);
        let Partition { units, .. } = self.layout.partition;
        for block in 0..self.layout.partition.column_blocks() {
            let column = self.layout.whole_column(block);
            let rows = kernel.values.chunks_exact_mut(units).chain([&mut bias.values[..]]);
            for (row, values) in rows.enumerate() {
                let columns = &mut values[block * LANES..units.min((block + 1) * LANES)];
                let at = self.layout.at(column, row, slot);
                columns.copy_from_slice(&numbers[at..][..columns.len()]);
            }
        }
    }
}

impl Layout {
    /// Slots of the state: those beside the weight itself.
    fn beside(&self) -> usize {
        self.slots - 1
    }

    /// The first vector of a tail: those before are of whole column blocks.
    fn first_of_tail(&self) -> usize {
        self.partition.rows() * self.partition.whole_column_blocks()
    }

    /// Vectors of weights; the state comes after them.
    fn weights(&self) -> usize {
        let partition = &self.partition;
        let tail = if partition.ends_in_tail() { tail_vectors(partition.rows()) } else { 0 };
        self.first_of_tail() + tail
    }

    /// Vectors in all.
    fn length(&self) -> usize {
        self.weights() * self.slots
    }

    /// The first vector of the state that belongs to vector `weights`, the first of a row.
    fn state_of(&self, weights: usize) -> usize {
        self.weights() + weights * self.beside()
    }

    /// What `work` updates.
    pub(super) fn parts(&self, work: &WorkRange) -> Parts {
        let (start, width) = (self.start(work), self.partition.whole_blocks(work));
        let rows = start + work.rows.start * width..start + work.rows.end * width;
        let first = self.first_of_tail();
        let tail = match self.partition.has_tail(work) {
            // A worker's rows begin with a vector, as 16 of them do; the last one has the last row.
            true => first + tail_vectors(work.rows.start)..first + tail_vectors(work.rows.end),
            false => first..first,
        };
        let state =
            |weights: &Range<usize>| self.state_of(weights.start)..self.state_of(weights.end);
        Parts { state: state(&rows), tail_state: state(&tail), rows, tail }
    }

    /// The first vector of the weights of the blocks of `work`, in the first row.
    fn start(&self, work: &WorkRange) -> usize {
        self.partition.rows() * work.blocks.start
    }

    /// Where the weights of whole column block `block` stand.
    pub(super) fn column(&self, block: usize) -> ColumnPlace {
        let Self { partition, .. } = self;
        debug_assert!(!partition.is_tail(block), "a tail stands by itself");
        let mut works = (0..partition.workers).map(|rank| partition.work(rank, 0));
        let owner = works.find(|work| work.blocks.contains(&block));
        let work = owner.expect("every block has an owner");
        let (first_row, width) = (self.start(&work), partition.whole_blocks(&work));
        ColumnPlace { first_row, width, block: block - work.blocks.start }
    }

    /// Where `block` stands if it is whole; a tail has one place alone.
    fn whole_column(&self, block: usize) -> Option<ColumnPlace> {
        (!self.partition.is_tail(block)).then(|| self.column(block))
    }

    /// Where slot `slot` of the weights of a whole `column`, or of the tail, in row `row` stands, counted
    /// in numbers: they are side by side.
    fn at(&self, column: Option<ColumnPlace>, row: usize, slot: usize) -> usize {
        let Some(column) = column else {
            let weights = self.first_of_tail() + row * TAIL / LANES;
            let vector = if slot == 0 { weights } else { self.state_of(weights) + slot - 1 };
            return vector * LANES + row * TAIL % LANES;
        };
        if slot == 0 {
            return column.at(row) * LANES;
        }
        let state = self.state_of(column.first_row + row * column.width);
        (state + (slot - 1) * column.width + column.block) * LANES
    }
}

impl Parts {
    fn into_ranges(self) -> Vec<Range<usize>> {
        let Self { rows, tail, state, tail_state } = self;
        Vec::from([rows, tail, state, tail_state])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every vector of weights has one owner, and every weight and slot a place of its own, whatever
    /// the shapes.
    #[test]
    fn every_weight_stands_in_one_place() {
        for (inputs, units, batch, workers) in [
            (3, 5, 4, 1),
            (3, 100, 32, 2),
            (10, 100, 7, 3),
            (784, 17, 5, 8),
            (1, 512, 1, 5),
            (100, 300, 33, 4),
        ] {
            let hidden = Partition::by_columns(inputs, units, batch, workers);
            let sparse = hidden.of_sparse_images();
            let last = Partition::by_samples(inputs, units, batch, workers);
            let shared = last.of_sparse_images();
            for partition in [hidden, sparse, last, last.above(&sparse), shared] {
                let layout = Layout { partition, slots: 3 };
                let mut vectors = vec![0; layout.length()];
                for rank in 0..workers {
                    let own = layout.parts(&partition.work(rank, batch)).into_ranges();
                    assert!(own.is_sorted_by(|one, other| one.end <= other.start));
                    own.into_iter().flatten().for_each(|vector| vectors[vector] += 1);
                }
                assert!(vectors.iter().all(|&count| count == 1), "{partition:?}");
                let mut numbers = vec![0; vectors.len() * LANES];
                for row in 0..partition.rows() {
                    for unit in 0..units {
                        for slot in 0..3 {
                            let number = layout.at(layout.whole_column(unit / LANES), row, slot)
                                + unit % LANES;
                            numbers[number] += 1;
                            assert_eq!(number / LANES < layout.weights(), slot == 0);
                        }
                    }
                }
                let used = numbers.iter().filter(|&&count| count == 1).count();
                assert_eq!(used, partition.rows() * units * 3);
                assert!(numbers.iter().all(|&count| count <= 1));
            }
        }
    }
}
