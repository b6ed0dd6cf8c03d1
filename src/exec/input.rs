//! What a stage reads, and the minibatch that the first one reads.

use super::layout::{Blocked, BlockedBuffer, BlockedLayout};
use super::partition::{Partition, WorkRange, sample_range};
use super::plan::{Plan, StageKind, StagePlan};
use super::samples::Samples;
use super::streams::SampleStreams;
use crate::kernels::sparse::{Columns, ColumnsRead};
use crate::simd::{Isa, Kernel, LANES, Simd, vectors_for};
use crate::sync::TeamSync;

/// The inputs of a stage, x, which are read sample by sample, or input by input as xᵀ.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// Images, pixel by pixel, without their zeros.
    Sparse(&'a Columns),
    /// Numbers in the blocked layout.
    Dense(Blocked<'a>),
}

/// One worker's view of the minibatch that is worked on.
pub(crate) struct Minibatch {
    rank: usize,
    /// Of the stage that reads it.
    partition: Partition,
    /// Which samples of the data make it.
    samples: Vec<u32>,
    /// The worker's copies of its images, where they are sparse.
    columns: Option<Columns>,
    /// Its pixels, where its images are not sparse and a dense layer reads them: each worker
    /// writes those of its samples.
    pixels: BlockedBuffer,
    /// Room for one of those images.
    image: Vec<f32>,
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
        let is_blocked = !data.is_sparse && matches!(first.kind, StageKind::Dense(_));
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
            partition: first.partition,
            samples: Vec::with_capacity(batch),
            columns: data.is_sparse.then(|| Columns::new(batch, inputs)),
            pixels,
            image: image.clone(),
        };
        pixels.into_iter().enumerate().map(minibatch).collect()
    }

    /// Brings `samples` of `data` together: the minibatch that is worked on next.
    pub(crate) fn load(&mut self, isa: Isa, data: &Samples<'_>, samples: &[u32]) {
        self.samples.clear();
        self.samples.extend_from_slice(samples);
        if let Some(columns) = &mut self.columns {
            // Forward it reads its samples, for the gradient those pixels whose weights it updates.
            let WorkRange { samples: whole, rows: pixels, .. } =
                self.partition.work(self.rank, samples.len());
            let pixels = pixels.start..pixels.end.min(self.partition.inputs);
            let read = ColumnsRead { whole, pixels };
            isa.run(Transpose { data, samples, read, columns });
        }
    }

    /// Its samples in the data.
    pub(crate) fn samples(&self) -> &[u32] {
        &self.samples
    }

    /// Writes the worker's pixels, where a dense layer reads them.
    pub(crate) fn fill_pixels(&mut self, data: &Samples<'_>, streams: Option<SampleStreams>) {
        if self.pixels.is_empty() {
            return;
        }
        let Self { samples, pixels, image, .. } = self;
        let Partition { batch, workers, .. } = self.partition;
        let own = sample_range(batch, self.rank, workers);
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
        match &self.columns {
            Some(columns) => Input::Sparse(columns),
            None => Input::Dense(self.pixels.read()),
        }
    }
}

/// Turns images to be read pixel by pixel.
struct Transpose<'a> {
    data: &'a Samples<'a>,
    samples: &'a [u32],
    read: ColumnsRead,
    columns: &'a mut Columns,
}

impl Kernel for Transpose<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { data, samples, read, columns } = self;
        columns.fill(s, samples.len(), &read, |index| data.image(samples[index]));
    }
}
