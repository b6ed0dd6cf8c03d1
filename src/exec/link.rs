//! What stands between two stages: the outputs of the one below and their gradient.

use super::layout::{Blocked, BlockedBuffer, BlockedMut};
use super::partition::Partition;
use super::plan::{Plan, StagePlan};
use crate::model::Activation;
use crate::sync::TeamSync;

/// What follows a stage: its outputs y and, of the loss, the gradient of its sums dz.
pub(crate) struct Link {
    partition: Partition,
    activation: Activation,
    pub(crate) output: BlockedBuffer,
    pub(crate) gradient: BlockedBuffer,
}

/// What a stage needs backward of the one below.
pub(crate) struct Below<'a, 'w> {
    pub(crate) partition: Partition,
    pub(crate) activation: Activation,
    /// Its outputs y.
    pub(crate) output: Blocked<'a>,
    /// Where the gradient of its sums goes.
    pub(crate) gradient: &'a mut BlockedMut<'w>,
}

impl Link {
    /// Each worker's handles of what follows `stage`.
    pub(crate) fn allocate(stage: &StagePlan, plan: &Plan, sync: &TeamSync) -> Vec<Self> {
        let (partition, activation) = (stage.partition, stage.activation());
        let (layout, blocks) = (partition.layout(), partition.column_blocks());
        let own = |rank| stage.outputs(rank, plan);
        let own = (0..plan.workers).map(own).collect();
        let outputs = BlockedBuffer::allocate(layout, blocks, own, sync);
        let own = (0..plan.workers).map(|rank| partition.outputs(rank)).collect();
        let gradients = BlockedBuffer::allocate(layout, blocks, own, sync);
        let link = |(output, gradient)| Self { partition, activation, output, gradient };
        outputs.into_iter().zip(gradients).map(link).collect()
    }

    /// The worker's turn to write the gradient: `backward` is told what it needs.
    pub(crate) fn backward(&mut self, backward: impl FnOnce(Below<'_, '_>)) {
        let Self { partition, activation, output, gradient } = self;
        backward(Below {
            partition: *partition,
            activation: *activation,
            output: output.read(),
            gradient: &mut gradient.write(),
        });
    }
}
