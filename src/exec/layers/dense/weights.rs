//! Where the weights of a dense layer stand, and who may write them.
//!
//! Each worker's weights are one run of memory, a row for each input and one for the bias; in a
//! row the weights of its whole column blocks are followed by the optimiser's slots: `[w | m | v]`,
//! side by side, so that the three do not collide in the cache at multiples of 4 KiB. A tail stands
//! after the rows by itself: first all w, then all m, then all v.

use std::ops::Range;

use crate::exec::partition::{Partition, WorkRange};
use crate::exec::plan::Plan;
use crate::kernels::sparse::{TAIL, tail_vectors};
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

/// Where the weights of a column block stand, counted in numbers: the first one, and how far it is
/// to that of the next row and to the next slot of the same weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct WeightStrides {
    pub(super) first: usize,
    pub(super) row: usize,
    pub(super) slot: usize,
}

impl Weights {
    /// The weights of a layer, all zero: a handle a worker.
    pub(super) fn allocate(partition: Partition, plan: &Plan, sync: &TeamSync) -> Vec<Self> {
        let layout = Layout { partition, slots: plan.slots };
        let work = |rank| partition.work(rank, plan.batch);
        let own = (0..plan.workers).map(|rank| Vec::from([layout.range(&work(rank))])).collect();
        // What the optimiser keeps is its owner's alone.
        let told = |rank| layout.weights(&work(rank));
        let handles = partly_told_turn_buffer(layout.length(), own, told, sync).into_iter();
        handles.enumerate().map(|(rank, turns)| Self { layout, rank, turns }).collect()
    }

    /// Where they stand.
    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Those that the worker updates for `work`, as they are now.
    pub(super) fn own(&self, work: &WorkRange) -> &[F32x16] {
        self.turns.own(self.layout.range(work))
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
        let own = layout.range(&work);
        let first = own.start * LANES;
        let mut writer = turns.write();
        let weights = as_numbers_mut(writer.vectors(own));
        for block in work.blocks {
            let strides = layout.strides(block);
            for row in work.rows.clone() {
                let values =
                    if row < inputs { &kernel.values[row * units..] } else { &bias.values };
                let columns = &values[block * LANES..units.min((block + 1) * LANES)];
                let at = strides.first + row * strides.row + slot * strides.slot - first;
                weights[at..][..columns.len()].copy_from_slice(columns);
            }
        }
    }

    /// Copies slot `slot` of all weights (0: the weight itself) to `kernel` and `bias`.
    pub(super) fn get(&self, slot: usize, kernel: &mut Tensor, bias: &mut Tensor) {
        let weights = self.read();
        let numbers = as_numbers(&weights);
        let Partition { units, .. } = self.layout.partition;
        for block in 0..self.layout.partition.column_blocks() {
            let strides = self.layout.strides(block);
            let rows = kernel.values.chunks_exact_mut(units).chain([&mut bias.values[..]]);
            for (row, values) in rows.enumerate() {
                let columns = &mut values[block * LANES..units.min((block + 1) * LANES)];
                let at = strides.first + row * strides.row + slot * strides.slot;
                columns.copy_from_slice(&numbers[at..][..columns.len()]);
            }
        }
    }
}

impl Layout {
    /// The first vector of the weights of the blocks of `work`.
    pub(super) fn start(&self, work: &WorkRange) -> usize {
        self.partition.rows() * work.blocks.start * self.slots
    }

    /// The vectors that `work` updates.
    pub(super) fn range(&self, work: &WorkRange) -> Range<usize> {
        let Self { partition, slots } = self;
        let (start, width) = (self.start(work), partition.whole_blocks(work) * slots);
        let tail = match partition.has_tail(work) {
            true => slots * tail_vectors(partition.rows()),
            false => 0,
        };
        start + work.rows.start * width..start + work.rows.end * width + tail
    }

    /// The vectors of the weights themselves among those that `work` updates.
    fn weights(&self, work: &WorkRange) -> Vec<Range<usize>> {
        let Self { partition, slots } = self;
        let Range { start, end } = self.range(work);
        let width = partition.whole_blocks(work);
        let tail = if partition.has_tail(work) { tail_vectors(partition.rows()) } else { 0 };
        let rows = work.rows.clone().enumerate();
        let rows = rows.map(|(place, _)| start + place * width * slots);
        let rows = rows.map(|first| first..first + width);
        let first_of_tail = end - slots * tail;
        rows.chain(std::iter::once(first_of_tail..first_of_tail + tail)).collect()
    }

    /// Where the weights of column block `block` stand.
    pub(super) fn strides(&self, block: usize) -> WeightStrides {
        let Self { partition, slots } = self;
        let mut works = (0..partition.workers).map(|rank| partition.work(rank, 0));
        let owner = works.find(|work| work.blocks.contains(&block));
        let work = owner.expect("every block has an owner");
        let (start, width) = (self.start(&work), partition.whole_blocks(&work));
        if partition.has_tail(&work) && block + 1 == work.blocks.end {
            let first = (start + partition.rows() * width * slots) * LANES;
            let slot = tail_vectors(partition.rows()) * LANES;
            return WeightStrides { first, row: TAIL, slot };
        }
        WeightStrides {
            first: (start + block - work.blocks.start) * LANES,
            row: width * slots * LANES,
            slot: width * LANES,
        }
    }

    /// Vectors of all weights.
    fn length(&self) -> usize {
        self.range(&self.partition.work(self.partition.workers - 1, 0)).end
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
            for partition in [hidden, sparse, last, last.above(&sparse)] {
                let layout = Layout { partition, slots: 3 };
                let mut vectors = vec![0; layout.length()];
                for rank in 0..workers {
                    let own = layout.range(&partition.work(rank, batch));
                    own.for_each(|vector| vectors[vector] += 1);
                }
                assert!(vectors.iter().all(|&count| count == 1), "{partition:?}");
                let told =
                    (0..workers).flat_map(|rank| layout.weights(&partition.work(rank, batch)));
                let mut is_told = vec![false; vectors.len()];
                told.flatten().for_each(|vector| is_told[vector] = true);
                let mut numbers = vec![0; vectors.len() * LANES];
                for row in 0..partition.rows() {
                    for unit in 0..units {
                        let strides = layout.strides(unit / LANES);
                        let at = strides.first + row * strides.row + unit % LANES;
                        for slot in 0..3 {
                            let number = at + slot * strides.slot;
                            numbers[number] += 1;
                            assert_eq!(is_told[number / LANES], slot == 0, "{partition:?}");
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
