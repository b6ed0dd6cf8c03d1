//! What a stage reads, and the minibatch that the first one reads.

use super::layout::{Blocked, BlockedBuffer, BlockedLayout};
use super::partition::sample_range;
use super::plan::{Plan, StageKind, StagePlan};
use super::samples::Samples;
use super::streams::SampleStreams;
use crate::kernels::sparse::{Columns, Lists};
use crate::simd::{LANES, vectors_for};
use crate::sync::TeamSync;

/// The inputs of a stage, sample by sample: x.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// Images as lists of their non-zero pixels.
    Sparse(&'a Lists),
    /// Numbers in the blocked layout.
    Dense(Blocked<'a>),
}

/// The inputs of a stage, input by input: xᵀ.
#[derive(Clone, Copy)]
pub(crate) enum TransposedInput<'a> {
    /// For each pixel, the images where it is not zero.
    Sparse(&'a Columns),
    /// Numbers in the blocked layout, which are read either way.
    Dense(Blocked<'a>),
}

/// One worker's view of the minibatch that is worked on.
pub(crate) struct Minibatch {
    rank: usize,
    workers: usize,
    /// Which samples of the data make it.
    samples: Vec<u32>,
    /// The worker's copies of its images, where they are sparse.
    sparse: Option<Sparse>,
    /// Its pixels, where its images are not sparse and a dense layer reads them: each worker
    /// writes those of its samples.
    pixels: BlockedBuffer,
    /// Room for one of those images.
    image: Vec<f32>,
    batch: usize,
}

/// A worker's copies of a minibatch of sparse images.
struct Sparse {
    /// Image by image.
    lists: Lists,
    /// Pixel by pixel, for training.
    columns: Columns,
}

impl Minibatch {
    /// Each worker's view of minibatches of `data`, which `first` reads.
    pub(crate) fn allocate(
        first: &StagePlan,
        plan: &Plan,
        data: &Samples<'_>,
        sync: &TeamSync,
    ) -> Vec<Self> {
        let Plan { workers, batch, .. } = *plan;
        let inputs = first.partition.inputs;
        let is_blocked = data.sparse.is_none() && matches!(first.kind, StageKind::Dense(_));
        let (blocks, image) =
            if is_blocked { (vectors_for(inputs), vec![0.0; inputs]) } else { (0, Vec::new()) };
        let layout = BlockedLayout { batch };
        let own = |rank: usize| {
            let samples = sample_range(batch, rank, workers);
            (0..blocks).map(|block| layout.row(block, samples.clone())).collect()
        };
        let pixels = BlockedBuffer::allocate(layout, blocks, (0..workers).map(own).collect(), sync);
        let minibatch = |(rank, pixels)| Self {
            rank,
            workers,
            samples: Vec::with_capacity(batch),
            sparse: data.sparse.as_ref().map(|rows| Sparse {
                lists: Lists::new(rows, batch),
                columns: Columns::new(if plan.learns() { batch } else { 0 }, inputs),
            }),
            pixels,
            image: image.clone(),
            batch,
        };
        pixels.into_iter().enumerate().map(minibatch).collect()
    }

    /// Brings `samples` of `data` together: the minibatch that is worked on next.
    pub(crate) fn load(&mut self, data: &Samples<'_>, samples: &[u32]) {
        self.samples.clear();
        self.samples.extend_from_slice(samples);
        if let (Some(sparse), Some(rows)) = (&mut self.sparse, &data.sparse) {
            sparse.lists.fill(rows, samples);
        }
    }

    /// Its samples in the data.
    pub(crate) fn samples(&self) -> &[u32] {
        &self.samples
    }

    /// Turns it to be read input by input, before it is learnt from.
    pub(crate) fn transpose(&mut self) {
        if let Some(Sparse { lists, columns }) = &mut self.sparse {
            columns.fill(lists);
        }
    }

    /// Writes the worker's pixels, where a dense layer reads them.
    pub(crate) fn fill_pixels(&mut self, data: &Samples<'_>, streams: Option<SampleStreams>) {
        if self.pixels.is_empty() {
            return;
        }
        let Self { samples, pixels, image, .. } = self;
        let own = sample_range(self.batch, self.rank, self.workers);
        let own = own.start.min(samples.len())..own.end.min(samples.len());
        let mut pixels = pixels.write();
        for (sample, &index) in own.clone().zip(&samples[own]) {
            data.read(index, streams, image);
            for (block, numbers) in image.chunks(LANES).enumerate() {
                pixels.at(block, sample).0[..numbers.len()].copy_from_slice(numbers);
            }
        }
    }

    /// The inputs of the first stage, if that is a dense layer.
    pub(crate) fn input(&self) -> Input<'_> {
        match &self.sparse {
            Some(sparse) => Input::Sparse(&sparse.lists),
            None => Input::Dense(self.pixels.read()),
        }
    }

    /// The same, input by input.
    pub(crate) fn transposed(&self) -> TransposedInput<'_> {
        match &self.sparse {
            Some(sparse) => TransposedInput::Sparse(&sparse.columns),
            None => TransposedInput::Dense(self.pixels.read()),
        }
    }
}
