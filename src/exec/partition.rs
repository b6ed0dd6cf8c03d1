//! Who computes what: how the work of a stage is divided among the workers of a team.

use std::ops::Range;

use super::layout::BlockedLayout;
use crate::kernels::sparse::TAIL;
use crate::simd::{LANES, vectors_for};

/// The range of `total` things that falls to worker `rank` of `workers`: their sizes differ by
/// one at most.
pub(crate) fn even_range(total: usize, rank: usize, workers: usize) -> Range<usize> {
    let edge = |rank: usize| (total * rank).div_ceil(workers);
    edge(rank)..edge(rank + 1)
}

/// The samples of a minibatch of up to `batch` that fall to worker `rank`: whole vectors of 16, but for
/// the last, as what is done with samples is done with a vector of them at a time.
pub(crate) fn sample_range(batch: usize, rank: usize, workers: usize) -> Range<usize> {
    let vectors = even_range(vectors_for(batch), rank, workers);
    (vectors.start * LANES).min(batch)..(vectors.end * LANES).min(batch)
}

/// The partition of one layer of `inputs` × `units` weights, for minibatches of up to `batch`
/// samples.
///
/// A layer is partitioned by columns: each worker owns some column blocks of 16 units from
/// forward to update, so their weights stay in its cache, and nobody else's work flows into them.
/// Some workers own one block more where they do not come out even. A layer that must be, one that
/// reads many sparse images, and one that would leave every second worker without columns, is
/// partitioned by samples forward, and in the update by rows of weights: those of the inputs that the
/// worker owns in the layer below, which it alone needs backward, or of a first layer an even share of
/// the pixels. Either way every number is computed by one worker.
///
/// A last column block of few units may be a [tail](crate::kernels::sparse::TailWeights).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Partition {
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    pub(crate) batch: usize,
    pub(crate) workers: usize,
    by_columns: bool,
    /// Whether the last column block is a tail.
    ends_in_tail: bool,
    /// Whether that of the layer below is.
    has_tail_below: bool,
}

/// What one worker does in a layer.
#[derive(Clone, Debug)]
pub(crate) struct WorkRange {
    /// Column blocks of its outputs.
    pub(crate) blocks: Range<usize>,
    /// Samples of the minibatch whose outputs it computes.
    pub(crate) samples: Range<usize>,
    /// Rows of weights that it updates; the bias is the last row.
    pub(crate) rows: Range<usize>,
}

impl Partition {
    /// Divides a layer of `inputs` × `units` among `workers` by columns, unless that would leave
    /// every second worker without.
    pub(crate) fn by_columns(inputs: usize, units: usize, batch: usize, workers: usize) -> Self {
        let by_columns = 2 * vectors_for(units) > workers;
        let (ends_in_tail, has_tail_below) = (false, false);
        Self { inputs, units, batch, workers, by_columns, ends_in_tail, has_tail_below }
    }

    /// Divides it by samples.
    pub(crate) fn by_samples(inputs: usize, units: usize, batch: usize, workers: usize) -> Self {
        Self { by_columns: false, ..Self::by_columns(inputs, units, batch, workers) }
    }

    /// The same above a layer that is divided as `below`.
    pub(crate) fn above(self, below: &Partition) -> Self {
        Self { has_tail_below: below.ends_in_tail, ..self }
    }

    /// The same for a layer that reads sparse images: a last block of at most [`TAIL`] units is
    /// computed as a tail, not as a padded vector.
    pub(crate) fn of_sparse_images(self) -> Self {
        let last = self.units % LANES;
        let is_small = (1..=TAIL).contains(&last);
        let ends_in_tail = is_small
            && if self.by_columns {
                // Its owner has whole blocks too.
                self.units / LANES >= self.workers
            } else {
                // Each worker has whole vectors of its rows.
                self.units > LANES && vectors_for(self.inputs) >= self.workers
            };
        Self { ends_in_tail, ..self }
    }

    /// Whether each worker owns columns.
    pub(crate) fn is_by_columns(&self) -> bool {
        self.by_columns
    }

    /// Whether each worker updates just those rows of weights that it needs backward, into a layer
    /// divided as `below`.
    pub(crate) fn owns_rows(&self, below: &Partition) -> bool {
        !self.by_columns && below.by_columns
    }

    /// Those of `count` column blocks that fall to worker `rank`; a tail at the end to the last.
    fn own_blocks(&self, count: usize, has_tail: bool, rank: usize) -> Range<usize> {
        let tail = usize::from(has_tail);
        let mut own = even_range(count - tail, rank, self.workers);
        if rank + 1 == self.workers {
            own.end += tail;
        }
        own
    }

    /// Column blocks of 16 units, the last one padded.
    pub(crate) fn column_blocks(&self) -> usize {
        vectors_for(self.units)
    }

    /// Rows of weights: the inputs and the bias.
    pub(crate) fn rows(&self) -> usize {
        self.inputs + 1
    }

    /// What worker `rank` does, with `samples` samples in the minibatch.
    pub(crate) fn work(&self, rank: usize, samples: usize) -> WorkRange {
        if self.by_columns {
            let blocks = self.own_blocks(self.column_blocks(), self.ends_in_tail, rank);
            return WorkRange { blocks, samples: 0..samples, rows: 0..self.rows() };
        }
        // The owner of a sample's place in the buffers does not depend on how many there are.
        let own = sample_range(self.batch, rank, self.workers);
        let inputs = self.own_blocks(vectors_for(self.inputs), self.has_tail_below, rank);
        let bias = usize::from(rank + 1 == self.workers);
        WorkRange {
            blocks: 0..self.column_blocks(),
            samples: own.start.min(samples)..own.end.min(samples),
            rows: (inputs.start * LANES).min(self.inputs)
                ..(inputs.end * LANES).min(self.inputs) + bias,
        }
    }

    /// The columns from the first block of `work` on: none for a worker without blocks.
    pub(crate) fn columns_from(&self, work: &WorkRange) -> usize {
        self.units.saturating_sub(work.blocks.start * LANES)
    }

    /// Whether the last column block is a tail.
    pub(crate) fn ends_in_tail(&self) -> bool {
        self.ends_in_tail
    }

    /// Column blocks that are whole: all but a tail.
    pub(crate) fn whole_column_blocks(&self) -> usize {
        self.column_blocks() - usize::from(self.ends_in_tail)
    }

    /// Whether column block `block` is a tail.
    pub(crate) fn is_tail(&self, block: usize) -> bool {
        block == self.whole_column_blocks()
    }

    /// Whether the last block of `work` is a tail.
    pub(crate) fn has_tail(&self, work: &WorkRange) -> bool {
        self.ends_in_tail && work.blocks.end == self.column_blocks()
    }

    /// How many whole blocks `work` has.
    pub(crate) fn whole_blocks(&self, work: &WorkRange) -> usize {
        work.blocks.len() - usize::from(self.has_tail(work))
    }

    /// How its outputs, and their gradients, are laid out.
    pub(crate) fn layout(&self) -> BlockedLayout {
        BlockedLayout { batch: self.batch }
    }

    /// The vectors of a blocked buffer that worker `rank` writes: the outputs of its work.
    pub(crate) fn outputs(&self, rank: usize) -> Vec<Range<usize>> {
        let WorkRange { blocks, samples, .. } = self.work(rank, self.batch);
        if self.by_columns {
            return Vec::from([self.layout().blocks(blocks)]);
        }
        blocks.map(|block| self.layout().row(block, samples.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every output has one owner, whatever the shapes.
    #[test]
    fn every_output_is_computed_once() {
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
                let mut outputs = vec![0; partition.column_blocks() * batch];
                for rank in 0..workers {
                    let own = partition.outputs(rank).into_iter().flatten();
                    own.for_each(|vector| outputs[vector] += 1);
                }
                assert!(outputs.iter().all(|&count| count == 1), "{partition:?}");
            }
        }
    }

    /// Backward into a layer by columns a worker needs the very rows of weights that it updates.
    #[test]
    fn rows_are_those_of_the_own_inputs() {
        for units in [16, 17, 20, 21, 36, 52, 100] {
            for workers in [1, 2, 3, 5, 8] {
                let below = Partition::by_columns(784, units, 32, workers);
                for below in [below, below.of_sparse_images()] {
                    let last = Partition::by_samples(units, 10, 32, workers).above(&below);
                    for rank in (0..workers).filter(|_| last.owns_rows(&below)) {
                        let Range { start, end } = below.work(rank, 0).blocks;
                        let [start, end] = [start, end].map(|block| units.min(block * LANES));
                        let bias = usize::from(rank + 1 == workers);
                        assert_eq!(last.work(rank, 0).rows, start..end + bias);
                    }
                }
            }
        }
    }

    /// In a short minibatch too, everyone computes what is theirs, and nothing is left out.
    #[test]
    fn a_short_minibatch_is_a_beginning() {
        let partition = Partition::by_samples(3, 10, 32, 5);
        for samples in 0..=32 {
            let ranges = (0..5).flat_map(|rank| partition.work(rank, samples).samples);
            assert!(ranges.eq(0..samples));
            for rank in 0..5 {
                let (full, short) = (partition.work(rank, 32), partition.work(rank, samples));
                assert!(short.samples.start.min(samples) >= full.samples.start.min(samples));
                assert!(short.samples.end <= full.samples.end);
            }
        }
    }
}
