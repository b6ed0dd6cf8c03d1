//! The plan: how the layers of a network are computed by a team, made once for a batch size.
//!
//! Layers become stages, between which stand blocked numbers that all workers read. Layers before
//! the first dense one see images and make one stage together; some layers are computed in one go
//! with the one before, and some not at all.

mod geometry;
mod images;
mod memory;

pub(crate) use self::geometry::{Geometry, GradientMethod};
pub(crate) use self::images::{ImageLayerKind, ImagesPlan};
pub(crate) use self::memory::TeamMemory;

use std::ops::Range;

use super::partition::{Partition, even_range};
use crate::kernels::gemm::GemmBackend;
use crate::kernels::sparse;
use crate::model::{Activation, Architecture, Layer};
use crate::simd::{Isa, LANES, vectors_for};
use crate::sync::oversubscribed;

/// So many sparse images for each worker are enough to divide them by samples: where a vector is one
/// register, a worker has walked all of them sooner, while weights are on their way as long
/// (docs/performance.md).
pub(crate) fn images_each(isa: Isa) -> usize {
    if isa.register_lanes() == LANES { 128 } else { 64 }
}

/// What a team is planned for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How many workers the team has.
    pub(crate) workers: usize,
    /// Whether they have fewer cores than they are.
    pub(crate) oversubscribed: bool,
    /// Whether they are threads of several ranks.
    pub(crate) spans_ranks: bool,
    /// The most samples of a minibatch.
    pub(crate) batch: usize,
    /// Slots of a weight: itself and what the optimiser keeps beside it; 1 where nothing is learnt.
    pub(crate) slots: usize,
    /// Whether numbers are dropped.
    pub(crate) drops: bool,
    /// Which share of each label is spread over all classes.
    pub(crate) smoothing: f32,
    pub(crate) isa: Isa,
    pub(crate) gemm: GemmBackend,
}

/// What a stage is, and who does what in it.
#[derive(Debug)]
pub(crate) struct StagePlan {
    pub(crate) kind: StageKind,
    pub(crate) partition: Partition,
    /// That of the stage below, if there is one.
    pub(crate) below: Option<Partition>,
    /// Whether it reads images and leaves out their zeros.
    pub(crate) reads_sparse: bool,
}

/// What is dropped in training, and where in the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropout {
    /// The share that becomes zero.
    pub(crate) rate: f32,
    /// Which of the network's layers it is, so that each drops others.
    pub(crate) layer: usize,
}

/// Where a stage stands, as far as that decides how it is divided.
#[derive(Clone, Copy, Debug)]
enum Role {
    /// It reads images and leaves out their zeros.
    ReadsSparse,
    Between,
    /// It puts out the logits.
    Last,
}

/// What a stage computes.
#[derive(Debug)]
pub(crate) enum StageKind {
    /// All layers before the first dense one, and flattening.
    Images(ImagesPlan),
    Dense(Activation),
    Dropout(Dropout),
}

impl Plan {
    /// The same for a team of `workers` of this process.
    pub(crate) fn by(self, workers: usize) -> Self {
        Self { workers, oversubscribed: oversubscribed(workers), spans_ranks: false, ..self }
    }

    /// The same for a team of one.
    pub(crate) fn alone(self) -> Self {
        self.by(1)
    }

    /// Whether weights change.
    pub(crate) fn learns(&self) -> bool {
        self.slots > 1
    }

    /// The image blocks of a minibatch, 16 images each, that worker `rank` computes.
    pub(crate) fn image_blocks(&self, rank: usize) -> Range<usize> {
        even_range(vectors_for(self.batch), rank, self.workers)
    }

    /// Into how many parts the work of the stage falls that has most of them: more workers than that
    /// would wait.
    pub(crate) fn parts(&self, architecture: &Architecture) -> usize {
        let of_samples = vectors_for(self.batch);
        let parts = |stage: &StagePlan| match stage.kind {
            StageKind::Images(_) => of_samples,
            StageKind::Dense(_) => stage.partition.column_blocks().max(of_samples),
            StageKind::Dropout(_) => 1,
        };
        self.alone().stages(architecture, false).iter().map(parts).max().unwrap_or(1)
    }

    /// The stages of a network of `architecture`, first to last, which leaves out the zeros
    /// of images where `is_sparse`.
    pub(crate) fn stages(&self, architecture: &Architecture, is_sparse: bool) -> Vec<StagePlan> {
        let mut stages: Vec<StagePlan> = Vec::new();
        let kinds = self.kinds(architecture);
        let last = kinds.len() - 1;
        let mut inputs = architecture.input().pixels();
        for (index, (kind, units)) in kinds.into_iter().enumerate() {
            let below = stages.last().map(|below| below.partition);
            let reads_sparse = is_sparse && index == 0;
            let partition = match (&kind, below) {
                (StageKind::Dropout(_), Some(below)) => below,
                (_, below) => {
                    let role = match index {
                        _ if index == last => Role::Last,
                        _ if reads_sparse => Role::ReadsSparse,
                        _ => Role::Between,
                    };
                    let partition = self.partition(role, inputs, units);
                    let partition = below.map_or(partition, |below| partition.above(&below));
                    if reads_sparse { partition.of_sparse_images() } else { partition }
                }
            };
            stages.push(StagePlan { kind, partition, below, reads_sparse });
            inputs = units;
        }
        stages
    }

    /// Who does what in a stage of `inputs` × `units`.
    fn partition(&self, role: Role, inputs: usize, units: usize) -> Partition {
        let by_samples = match role {
            // The worker who has a sample's logits shall have all of them.
            Role::Last => true,
            // By columns each worker walks all images. With so many of them that costs more than to
            // pass weights on, and gradients, unless they go to other ranks. Where there are columns for
            // several passes, workers divide these.
            Role::ReadsSparse if self.workers > 1 && !self.spans_ranks => {
                sparse::is_one_pass(units) && self.batch >= images_each(self.isa) * self.workers
            }
            _ => false,
        };
        // Where workers take turns at the cores, there are no caches of their own to keep columns in.
        if by_samples || self.oversubscribed && vectors_for(units) < self.workers {
            Partition::by_samples(inputs, units, self.batch, self.workers)
        } else {
            Partition::by_columns(inputs, units, self.batch, self.workers)
        }
    }

    /// What the stages compute, and how many numbers each puts out.
    fn kinds(&self, architecture: &Architecture) -> Vec<(StageKind, usize)> {
        let is_computed = |layer: &Layer| match layer {
            Layer::Flatten => false,
            Layer::Dropout { .. } => self.drops,
            _ => true,
        };
        let layers = architecture.layers().iter().enumerate();
        let layers: Vec<_> = layers
            .map(|(index, layer)| (index, layer.layer, layer.output.numbers()))
            .filter(|(_, layer, _)| is_computed(layer))
            .collect();
        let is_dense = |layer: &Layer| matches!(layer, Layer::Dense { .. });
        let first_dense = layers.iter().position(|(_, layer, _)| is_dense(layer));
        let (images, vectors) = layers.split_at(first_dense.unwrap_or(layers.len()));
        let mut kinds = Vec::new();
        if let Some((_, _, units)) = images.last() {
            let images: Vec<_> = images.iter().map(|&(index, layer, _)| (index, layer)).collect();
            let plan = ImagesPlan::new(architecture.input_volume(), &images);
            kinds.push((StageKind::Images(plan), *units));
        }
        for (number, &(index, layer, units)) in vectors.iter().enumerate() {
            let kind = match layer {
                // The loss is taken from the logits, whatever the last activation.
                Layer::Dense { .. } if number + 1 == vectors.len() => {
                    StageKind::Dense(Activation::Linear)
                }
                Layer::Dense { activation, .. } => StageKind::Dense(activation),
                Layer::Dropout { rate } => StageKind::Dropout(Dropout { rate, layer: index }),
                _ => continue,
            };
            kinds.push((kind, units));
        }
        kinds
    }
}

impl StagePlan {
    /// The vectors of its outputs that worker `rank` writes.
    pub(crate) fn outputs(&self, rank: usize, plan: &Plan) -> Vec<Range<usize>> {
        let StageKind::Images(_) = self.kind else { return self.partition.outputs(rank) };
        // Who computes an image has all that is found in it.
        let own = plan.image_blocks(rank);
        let [start, end] = [own.start, own.end].map(|block| (block * LANES).min(plan.batch));
        let layout = self.partition.layout();
        (0..self.partition.column_blocks()).map(|block| layout.row(block, start..end)).collect()
    }

    /// Through which activation the gradient of its outputs must go.
    pub(crate) fn activation(&self) -> Activation {
        match self.kind {
            StageKind::Dense(activation) => activation,
            // These take the gradient of their outputs.
            StageKind::Images(_) | StageKind::Dropout(_) => Activation::Linear,
        }
    }
}
