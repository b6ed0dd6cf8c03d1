//! How a layer's work is divided among the workers of a team.

use std::ops::Range;

use crate::exec::shares::{share_of, share_of_samples};
use crate::kernels::sparse::{TAIL, tail_vectors};
use crate::simd::{LANES, vectors_for};

/// The division of one layer: `inputs` × `units`, for minibatches of up to `batch` samples.
///
/// A layer is divided by columns: each rank owns some blocks of sixteen units from forward to
/// update, so their weights stay in its cache, and nobody else's work flows into them. The first
/// workers own one block more where they do not come out even. A layer that must be, and one that
/// would leave every second rank without columns, is divided by samples forward, and in the
/// update by rows of weights: those of the inputs that the rank owns in the layer below, which it
/// alone needs backward.
/// Either way every number is computed by one rank.
///
/// A rank's weights stand row after row, each row of whole blocks followed by its moments:
/// `[w | m | v]`. A [tail](crate::kernels::sparse::TailWeights) last block stands after them by itself: first
/// all w, then all m, then all v.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Partition {
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    pub(crate) batch: usize,
    workers: usize,
    by_columns: bool,
    /// Whether the last block is tail.
    ends_in_tail: bool,
    /// Whether that of the layer below is.
    has_tail_below: bool,
}

/// What one rank does.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Groups of sixteen units.
    pub(crate) blocks: Range<usize>,
    /// Samples of the minibatch whose outputs it computes.
    pub(crate) samples: Range<usize>,
    /// Rows of weights that it updates; the bias is the last row.
    pub(crate) rows: Range<usize>,
}

/// Where the weights of a block stand, counted in numbers: the first one, and how far it is to
/// that of the next row and to the next slot of the same weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WeightStrides {
    pub(crate) first: usize,
    pub(crate) row: usize,
    pub(crate) slot: usize,
}

impl Partition {
    /// Divides a layer among `workers`, either way or only `by_samples`.
    pub(crate) fn new(
        inputs: usize,
        units: usize,
        batch: usize,
        workers: usize,
        by_samples: bool,
    ) -> Self {
        let by_columns = !by_samples && 2 * vectors_for(units) > workers;
        let (ends_in_tail, has_tail_below) = (false, false);
        Self { inputs, units, batch, workers, by_columns, ends_in_tail, has_tail_below }
    }

    /// The same above a layer that is divided as `below`.
    pub(crate) fn above(self, below: &Partition) -> Self {
        Self { has_tail_below: below.ends_in_tail, ..self }
    }

    /// The same for a layer of images without their zeros, in which no time is spent on many lanes
    /// that are not there.
    pub(crate) fn of_sparse_images(self) -> Self {
        let last = self.units % LANES;
        // Its owner has whole blocks too.
        let pays = self.by_columns && self.units / LANES >= self.workers;
        Self { ends_in_tail: (1..=TAIL).contains(&last) && pays, ..self }
    }

    /// Whether each rank owns columns.
    pub(crate) fn is_by_columns(&self) -> bool {
        self.by_columns
    }

    /// Whether each rank updates just those rows of weights that it needs backward, into a layer
    /// divided as `below`.
    pub(crate) fn owns_rows(&self, below: &Partition) -> bool {
        !self.by_columns && below.by_columns
    }

    /// The share of `count` blocks that falls to `rank`; a tail one at the end to the last.
    fn share_of_blocks(&self, count: usize, has_tail: bool, rank: usize) -> Range<usize> {
        let tail = usize::from(has_tail);
        let mut own = share_of(count - tail, rank, self.workers);
        if rank + 1 == self.workers {
            own.end += tail;
        }
        own
    }

    /// Groups of sixteen units, the last one padded.
    pub(crate) fn column_blocks(&self) -> usize {
        vectors_for(self.units)
    }

    /// Rows of weights: the inputs and the bias.
    pub(crate) fn rows(&self) -> usize {
        self.inputs + 1
    }

    /// What `rank` does, with `samples` samples in the minibatch.
    pub(crate) fn part(&self, rank: usize, samples: usize) -> Part {
        if self.by_columns {
            let blocks = self.share_of_blocks(self.column_blocks(), self.ends_in_tail, rank);
            return Part { blocks, samples: 0..samples, rows: 0..self.rows() };
        }
        // The owner of a sample's place in the buffers does not depend on how many there are.
        let own = share_of_samples(self.batch, rank, self.workers);
        let inputs = self.share_of_blocks(vectors_for(self.inputs), self.has_tail_below, rank);
        let bias = usize::from(rank + 1 == self.workers);
        Part {
            blocks: 0..self.column_blocks(),
            samples: own.start.min(samples)..own.end.min(samples),
            rows: (inputs.start * LANES).min(self.inputs)
                ..(inputs.end * LANES).min(self.inputs) + bias,
        }
    }

    /// Whether the last block of `part` is tail.
    pub(crate) fn has_tail(&self, part: &Part) -> bool {
        self.ends_in_tail && part.blocks.end == self.column_blocks()
    }

    /// How many whole blocks `part` has.
    pub(crate) fn width(&self, part: &Part) -> usize {
        part.blocks.len() - usize::from(self.has_tail(part))
    }

    /// Where the lanes of the weights of `part`'s blocks begin, each weight having `slots` lanes
    /// (itself and its moments).
    pub(crate) fn weights_start(&self, part: &Part, slots: usize) -> usize {
        self.rows() * part.blocks.start * slots
    }

    /// The lanes of the weights that `part` updates.
    pub(crate) fn weights_range(&self, part: &Part, slots: usize) -> Range<usize> {
        let (start, width) = (self.weights_start(part, slots), self.width(part) * slots);
        let tail = if self.has_tail(part) { slots * tail_vectors(self.rows()) } else { 0 };
        start + part.rows.start * width..start + part.rows.end * width + tail
    }

    /// Where the weights of `block` stand.
    pub(crate) fn places(&self, block: usize, slots: usize) -> WeightStrides {
        let holds = |part: &Part| part.blocks.contains(&block);
        let mut parts = (0..self.workers).map(|rank| self.part(rank, 0));
        let part = parts.find(holds).expect("every block has an owner");
        let (start, width) = (self.weights_start(&part, slots), self.width(&part));
        if self.has_tail(&part) && block + 1 == part.blocks.end {
            let first = (start + self.rows() * width * slots) * LANES;
            return WeightStrides { first, row: TAIL, slot: tail_vectors(self.rows()) * LANES };
        }
        WeightStrides {
            first: (start + block - part.blocks.start) * LANES,
            row: width * slots * LANES,
            slot: width * LANES,
        }
    }

    /// F32x16 of all weights.
    pub(crate) fn weights_length(&self, slots: usize) -> usize {
        self.weights_range(&self.part(self.workers - 1, 0), slots).end
    }

    /// The lanes of the blocks of `rank` in a buffer of blocks × `batch`.
    pub(crate) fn own_panels(&self, rank: usize) -> Range<usize> {
        let Range { start, end } = self.part(rank, self.batch).blocks;
        start * self.batch..end * self.batch
    }

    /// The lanes of a buffer of blocks × `batch` that `rank` writes: the outputs of its part.
    pub(crate) fn outputs(&self, rank: usize) -> Vec<Range<usize>> {
        if self.by_columns {
            return Vec::from([self.own_panels(rank)]);
        }
        let Part { blocks, samples, .. } = self.part(rank, self.batch);
        let panel = |block| block * self.batch + samples.start..block * self.batch + samples.end;
        blocks.map(panel).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every lane of weights and outputs has one owner, whatever the shapes.
    #[test]
    fn everything_is_done_once() {
        for (inputs, units, batch, workers) in [
            (3, 5, 4, 1),
            (3, 100, 32, 2),
            (10, 100, 7, 3),
            (784, 17, 5, 8),
            (1, 512, 1, 5),
            (100, 300, 33, 4),
        ] {
            let whole = |by_samples| Partition::new(inputs, units, batch, workers, by_samples);
            let hidden = whole(false);
            let sparse = hidden.of_sparse_images();
            for division in [hidden, sparse, whole(true), whole(true).above(&sparse)] {
                let mut outputs = vec![0; division.column_blocks() * batch];
                let mut weights = vec![0; division.weights_length(3)];
                for rank in 0..workers {
                    division
                        .outputs(rank)
                        .into_iter()
                        .flatten()
                        .for_each(|lane| outputs[lane] += 1);
                    let part = division.part(rank, batch);
                    division.weights_range(&part, 3).for_each(|lane| weights[lane] += 1);
                }
                assert!(outputs.iter().chain(&weights).all(|&count| count == 1));
                let mut numbers = vec![0; weights.len() * LANES];
                for row in 0..division.rows() {
                    for unit in 0..units {
                        let places = division.places(unit / LANES, 3);
                        let at = places.first + row * places.row + unit % LANES;
                        (0..3).for_each(|slot| numbers[at + slot * places.slot] += 1);
                    }
                }
                let used = numbers.iter().map(|&count| usize::from(count == 1)).sum::<usize>();
                assert_eq!(used, division.rows() * units * 3);
                assert!(numbers.iter().all(|&count| count <= 1));
            }
        }
    }

    /// Backward into a layer by columns a rank needs the very rows of weights that it updates.
    #[test]
    fn rows_are_those_of_the_own_inputs() {
        for units in [16, 17, 20, 21, 36, 52, 100] {
            for workers in [1, 2, 3, 5, 8] {
                let below = Partition::new(784, units, 32, workers, false);
                for below in [below, below.of_sparse_images()] {
                    let last = Partition::new(units, 10, 32, workers, true).above(&below);
                    for rank in (0..workers).filter(|_| last.owns_rows(&below)) {
                        let Range { start, end } = below.part(rank, 0).blocks;
                        let [start, end] = [start, end].map(|block| units.min(block * LANES));
                        let bias = usize::from(rank + 1 == workers);
                        assert_eq!(last.part(rank, 0).rows, start..end + bias);
                    }
                }
            }
        }
    }

    /// In a short minibatch too, everyone computes what is theirs, and nothing is left out.
    #[test]
    fn a_short_minibatch_is_a_beginning() {
        let division = Partition::new(3, 10, 32, 5, true);
        for samples in 0..=32 {
            let shares = (0..5).flat_map(|rank| division.part(rank, samples).samples);
            assert!(shares.eq(0..samples));
            for rank in 0..5 {
                let (full, short) = (division.part(rank, 32), division.part(rank, samples));
                assert!(short.samples.start.min(samples) >= full.samples.start.min(samples));
                assert!(short.samples.end <= full.samples.end);
            }
        }
    }
}
