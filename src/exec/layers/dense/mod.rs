//! The dense layer, z = x · w + b and y = activation(z): one worker's part of it.
//!
//! Shapes: x is samples × inputs, w inputs × units, b units, y and dz samples × units. Activations
//! and gradients are [blocked](crate::exec::layout), weights stand as [`weights`] tells.

mod kernels;
mod weights;

use self::kernels::{BackwardInput, Forward, Update};
use self::weights::Weights;
use crate::exec::input::Input;
use crate::exec::layout::{Blocked, BlockedBuffer, BlockedMut};
use crate::exec::link::Below;
use crate::exec::partition::Partition;
use crate::exec::pass::Pass;
use crate::exec::plan::{Plan, StagePlan};
use crate::kernels::optim::UpdateRule;
use crate::kernels::sparse::{self, tail_vectors};
use crate::model::{Activation, Tensor};
use crate::simd::{F32x16, zeroed};
use crate::sync::TeamSync;

/// One worker's dense layer.
pub(crate) struct Dense {
    partition: Partition,
    rank: usize,
    activation: Activation,
    weights: Weights,
    /// Whether the worker needs, on the way back to the layer below, no weights but those that it
    /// updates.
    owns_rows: bool,
    /// Whether nobody needs the gradient of its inputs.
    is_first: bool,
    /// The weights that the worker's column blocks of inputs need, transposed: units × blocks.
    transposed: Vec<F32x16>,
    /// The workspace of the products with images without their zeros.
    sparse_workspace: Vec<F32x16>,
    /// The gradient of the weights of a tail.
    tail_gradients: Vec<F32x16>,
}

impl Dense {
    /// The layer of each worker, its weights yet to be set.
    pub(crate) fn allocate(
        stage: &StagePlan,
        activation: Activation,
        plan: &Plan,
        sync: &TeamSync,
    ) -> Vec<Self> {
        let StagePlan { partition, below, reads_sparse, .. } = *stage;
        let (batch, units) = (plan.batch, partition.units);
        let learns_sparse = reads_sparse && plan.learns();
        let layer = |(rank, weights)| {
            let work = partition.work(rank, batch);
            let inputs = below.map_or(0, |below| below.work(rank, batch).blocks.len());
            let workspace = match reads_sparse {
                true if learns_sparse => sparse::Gradient::workspace_len(batch),
                true => sparse::Forward::WORKSPACE_LEN,
                false => 0,
            };
            let has_tail = learns_sparse && partition.has_tail(&work);
            Self {
                partition,
                rank,
                activation,
                weights,
                owns_rows: below.is_some_and(|below| partition.owns_rows(&below)),
                is_first: below.is_none(),
                transposed: zeroed(units * inputs),
                sparse_workspace: zeroed(workspace),
                tail_gradients: zeroed(if has_tail { tail_vectors(work.rows.len()) } else { 0 }),
            }
        };
        Weights::allocate(partition, plan, sync).into_iter().enumerate().map(layer).collect()
    }

    /// y = activation(x · w + b), the worker's part.
    pub(crate) fn forward(&mut self, pass: &Pass<'_>, x: Input<'_>, y: &mut BlockedMut<'_>) {
        pass.isa.run(Forward { layer: self, gemm: pass.gemm, samples: pass.samples.len(), x, y });
    }

    /// Lets others update their weights as soon as they want to, where this worker has no need of
    /// any but its own backward. To be called between forward and backward of a step.
    pub(crate) fn end_forward(&mut self) {
        if self.owns_rows || self.is_first {
            self.weights.release();
        }
    }

    /// dz of the layer below, (dz · wᵀ) · activation′(y), the worker's part of it.
    pub(crate) fn backward_input(
        &mut self,
        pass: &Pass<'_>,
        dz: Blocked<'_>,
        below: Below<'_, '_>,
    ) {
        let samples = pass.samples.len();
        pass.isa.run(BackwardInput { layer: self, gemm: pass.gemm, samples, dz, below });
    }

    /// dw = xᵀ · dz and db = Σ dz, which `rule` turns into new weights while they are at hand: the
    /// worker's part.
    pub(crate) fn update<R: UpdateRule>(
        &mut self,
        pass: &Pass<'_>,
        x: Input<'_>,
        dz: &BlockedBuffer,
        rule: R,
    ) {
        let samples = pass.samples.len();
        let dz = match self.partition.is_by_columns() {
            true => dz.own(self.partition.work(self.rank, samples).blocks),
            false => dz.read(),
        };
        pass.isa.run(Update { layer: self, gemm: pass.gemm, samples, x, dz, rule });
    }

    /// Sets slot `slot` of the worker's own weights (0: the weight itself) from `kernel` (inputs ×
    /// units) and `bias`.
    pub(crate) fn set(&mut self, slot: usize, kernel: &Tensor, bias: &Tensor) {
        self.weights.set(slot, kernel, bias);
    }

    /// Has all weights be here, and what the optimiser keeps beside them.
    pub(crate) fn bring_all(&mut self) {
        self.weights.bring_all();
    }

    /// Copies slot `slot` of all weights (0: the weight itself) to `kernel` and `bias`.
    pub(crate) fn get(&self, slot: usize, kernel: &mut Tensor, bias: &mut Tensor) {
        self.weights.get(slot, kernel, bias);
    }
}
