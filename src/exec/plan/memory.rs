//! How much memory a team takes for its plan: told without taking any.
//!
//! What each part of a team allocates is counted here once more, as its room writes it down: who
//! changes the one changes the other. A test compares the sums with what an allocator sees.

use super::{Dropout, Geometry, ImageLayerKind, ImagesPlan, Plan, StageKind, StagePlan};
use crate::kernels::conv::{Pooling, Volume};
use crate::kernels::sparse::{Columns, Forward, Gradient, tail_vectors};
use crate::model::Architecture;
use crate::simd::{F32x16, LANES, vectors_for};

/// The bytes that a team takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TeamMemory {
    /// Parameters with their slots, and the workers' copies of them.
    pub(crate) parameters: u128,
    /// What layers put out, its gradients, and what layers work in.
    pub(crate) activations: u128,
    /// The workers' copies of the images of a minibatch.
    pub(crate) images: u128,
}

/// What a worker keeps of a stage, or of a layer that sees images, besides what is counted: many of
/// them add up.
const LAYER: u128 = 512;

const VECTOR: u128 = size_of::<F32x16>() as u128;
const NUMBER: u128 = size_of::<f32>() as u128;
/// A range that a worker owns of a buffer.
const RANGE: u128 = size_of::<std::ops::Range<usize>>() as u128;

impl Plan {
    /// What a team for `architecture` takes, which leaves out the zeros of images where `is_sparse`.
    pub(crate) fn memory(&self, architecture: &Architecture, is_sparse: bool) -> TeamMemory {
        let stages = self.stages(architecture, is_sparse);
        let mut memory = TeamMemory::default();
        if let Some(first) = stages.first() {
            memory.images = self.minibatch(first);
        }
        for (index, stage) in stages.iter().enumerate() {
            memory.activations += self.workers() * LAYER;
            memory.activations += if index + 1 < stages.len() {
                // The outputs and their gradient.
                2 * self.buffer(stage)
            } else {
                self.head(stage)
            };
            match &stage.kind {
                StageKind::Images(images) => self.add_images(images, &mut memory),
                StageKind::Dense(_) => self.add_dense(stage, &mut memory),
                // Each worker has all factors; they are copied from some that are then dropped.
                StageKind::Dropout(Dropout { .. }) => {
                    memory.activations += (self.workers() + 1) * self.blocked(stage);
                }
            }
        }
        memory
    }

    fn workers(&self) -> u128 {
        self.workers as u128
    }

    /// Image blocks of a minibatch, of all workers.
    fn blocks(&self) -> u128 {
        vectors_for(self.batch) as u128
    }

    /// Each worker's view of a minibatch.
    fn minibatch(&self, first: &StagePlan) -> u128 {
        let inputs = first.partition.inputs;
        let indices = self.batch as u128 * size_of::<u32>() as u128;
        let of_worker = match first.kind {
            _ if first.reads_sparse => Columns::bytes(self.batch, inputs),
            StageKind::Dense(_) => inputs as u128 * NUMBER,
            _ => 0,
        };
        let pixels = match first.kind {
            StageKind::Dense(_) if !first.reads_sparse => {
                let image = inputs as u128 * NUMBER;
                let blocks = vectors_for(inputs) as u128;
                // An image more, of which those of the workers are copies.
                image + blocks * (self.batch as u128 * VECTOR + self.workers() * RANGE)
            }
            _ => 0,
        };
        self.workers() * (indices + of_worker) + pixels
    }

    /// Blocked numbers of a minibatch, as `stage` puts out.
    fn blocked(&self, stage: &StagePlan) -> u128 {
        stage.partition.column_blocks() as u128 * self.batch as u128 * VECTOR
    }

    /// A buffer of them that the workers share, and the ranges that they own of it.
    fn buffer(&self, stage: &StagePlan) -> u128 {
        let is_cut = !stage.partition.is_by_columns() || matches!(stage.kind, StageKind::Images(_));
        let ranges = if is_cut { stage.partition.column_blocks() as u128 } else { 1 };
        self.blocked(stage) + self.workers() * ranges * RANGE
    }

    /// The loss head: logits, outcomes, and each worker's room for the logits of 16 samples.
    fn head(&self, last: &StagePlan) -> u128 {
        let room = (last.partition.column_blocks() * LANES) as u128 * VECTOR;
        self.buffer(last) + 3 * self.blocks() * VECTOR + self.workers() * room
    }

    fn add_dense(&self, stage: &StagePlan, memory: &mut TeamMemory) {
        let StagePlan { partition, below, reads_sparse, .. } = stage;
        let rows = partition.rows() as u128;
        let tail =
            if partition.ends_in_tail() { tail_vectors(partition.rows()) as u128 } else { 0 };
        let blocks = partition.whole_column_blocks() as u128;
        memory.parameters += (rows * blocks + tail) * self.slots as u128 * VECTOR;
        if let Some(below) = below {
            // Transposed, of the inputs that each worker has in the stage below.
            let inputs = below.column_blocks() as u128;
            let copies = if below.is_by_columns() { 1 } else { self.workers() };
            memory.parameters += copies * partition.units as u128 * inputs * VECTOR;
        }
        if *reads_sparse {
            let (workspace, tail) = match self.learns() {
                true => (Gradient::workspace_len(self.batch), tail),
                false => (Forward::WORKSPACE_LEN, 0),
            };
            memory.activations += (self.workers() * workspace as u128 + tail) * VECTOR;
        }
    }

    fn add_images(&self, images: &ImagesPlan, memory: &mut TeamMemory) {
        for volume in &images.volumes {
            let gradient = numbers(&volume.without_border());
            memory.activations += (self.blocks() * numbers(volume) + self.workers() * gradient)
                * VECTOR
                + self.workers() * LAYER;
        }
        if let Some(first) = images.volumes.first() {
            // The pixels of a block, image by image.
            memory.images += self.workers() * numbers(&first.without_border()) * VECTOR;
        }
        let mut is_first = true;
        for (kind, volume) in images.layers.iter().zip(&images.volumes) {
            match kind {
                ImageLayerKind::Conv2d(geometry) => {
                    let has_input_gradient = !std::mem::take(&mut is_first);
                    self.add_convolution(geometry, has_input_gradient, memory);
                }
                ImageLayerKind::Pool(Pooling::Max, windows) => {
                    let winners = numbers(&windows.output.without_border());
                    memory.activations += self.blocks() * winners * VECTOR;
                }
                ImageLayerKind::Pool(Pooling::Average, _) => {}
                ImageLayerKind::Dropout(_) => {
                    let factors = numbers(&volume.without_border());
                    memory.activations += self.blocks() * factors * VECTOR;
                }
            }
        }
    }

    fn add_convolution(
        &self,
        geometry: &Geometry,
        has_input_gradient: bool,
        memory: &mut TeamMemory,
    ) {
        let vectors = vectors_for(geometry.parameters()) as u128;
        let (flipped, transformed) = (geometry.weights(), geometry.transformed_weights());
        let kernels = match has_input_gradient {
            true => flipped as u128 + 2 * transformed as u128,
            false => transformed as u128,
        };
        memory.parameters += vectors * self.slots as u128 * VECTOR
            + self.workers() * (vectors * VECTOR + kernels * NUMBER);
        // Of each image block: in its worker's own list, and in what all see where it is learnt.
        let gradients = self.blocks() * vectors * if self.learns() { 2 } else { 1 };
        let winners = if geometry.pooled { numbers(&geometry.output()) } else { 0 };
        let lane_sums = geometry.lane_sums() as u128;
        let dz = numbers(&geometry.gradient_volume());
        let workspace = geometry.workspace() as u128;
        let of_worker = lane_sums + dz + workspace;
        memory.activations +=
            (gradients + self.blocks() * winners + self.workers() * of_worker) * VECTOR;
    }
}

/// Numbers of a volume, the border included, also where they are more than a `usize` counts.
fn numbers(volume: &Volume) -> u128 {
    let Volume { height, width, channels, border } = volume;
    let [height, width, channels, top, bottom, left, right] =
        [*height, *width, *channels, border.top, border.bottom, border.left, border.right]
            .map(|side| side as u128);
    (top + height + bottom) * (left + width + right) * channels
}
