//! The convolution, z = x ∗ w + b and y = activation(z): one worker's part of it.
//!
//! A worker computes its own images, a block of 16 at a time, all the way; only the parameters
//! are shared. Their gradient is added up in each image block for itself, and the sums of those in
//! their order, so that it does not matter who has which. Parameters stand in one row, kernel
//! (height × width × inputs × filters) then biases, each vector of them followed by the optimiser's
//! slots.
//!
//! A max pooling of 2 × 2 that follows at once is done while the sums are in registers.

mod kernels;
mod parameters;

use std::ops::Range;

use self::kernels::{ActivationGradient, BackwardInput, Forward, Reduce, Update};
use self::parameters::Parameters;
use super::image_block::{BlockPass, ImageLayer, ImagesMut, ImagesRef};
use crate::exec::plan::{Geometry, GradientMethod, Plan};
use crate::kernels::conv::{FilterGradient, GradientSource, KernelGradient, winograd};
use crate::kernels::optim::UpdateRule;
use crate::model::Tensor;
use crate::simd::{F32x16, Isa, as_numbers_mut, vectors_for, zeroed};
use crate::sync::{TeamSync, TurnBuffer, turn_buffer};

/// One worker's convolution.
pub(crate) struct Conv2d {
    geometry: Geometry,
    parameters: Parameters,
    /// The gradient of the parameters from each image block of the minibatch.
    gradients: TurnBuffer,
    /// For each image block of the worker, which number of its window is each pooled one.
    winners: Vec<F32x16>,
    /// The gradient of the sums of one image block.
    dz: Vec<F32x16>,
    /// That of the parameters, a vector each, where lanes are images: before they are added.
    lane_sums: Vec<F32x16>,
    /// What the convolution and its gradients need to work in.
    workspace: Vec<F32x16>,
    /// That of the parameters from each image block of the worker.
    block_sums: Vec<F32x16>,
    /// Whether anybody needs the gradient of its inputs.
    has_input_gradient: bool,
}

impl Conv2d {
    /// The convolution of each worker, its parameters yet to be set.
    pub(crate) fn allocate(
        geometry: Geometry,
        has_input_gradient: bool,
        plan: &Plan,
        sync: &TeamSync,
    ) -> Vec<Self> {
        let vectors = vectors_for(geometry.parameters());
        // Where nothing is learnt there is no gradient.
        let learnt = if plan.learns() { vectors } else { 0 };
        let own = |rank| {
            let own = plan.image_blocks(rank);
            std::iter::once(own.start * learnt..own.end * learnt).collect()
        };
        let own = (0..plan.workers).map(own).collect();
        let gradients = turn_buffer(vectors_for(plan.batch) * learnt, own, sync);
        let parameters = Parameters::allocate(&geometry, has_input_gradient, plan, sync);
        let convolution = |(rank, (parameters, gradients))| {
            let blocks = plan.image_blocks(rank).len();
            let winners = if geometry.pooled { blocks * geometry.output().vectors() } else { 0 };
            Self {
                geometry,
                parameters,
                gradients,
                winners: zeroed(winners),
                dz: zeroed(geometry.gradient_volume().vectors()),
                lane_sums: zeroed(geometry.lane_sums()),
                workspace: zeroed(geometry.workspace()),
                block_sums: zeroed(blocks * vectors),
                has_input_gradient,
            }
        };
        parameters.into_iter().zip(gradients).enumerate().map(convolution).collect()
    }

    /// Sets the worker's own parameters from `kernel` and `bias`.
    pub(crate) fn set(&mut self, slot: usize, kernel: &Tensor, bias: &Tensor) {
        self.parameters.set(slot, kernel, bias);
    }

    /// Has all parameters be here.
    pub(crate) fn bring_all(&mut self) {
        self.parameters.bring_all();
    }

    /// Copies slot `slot` of all parameters (0: the parameter itself) to `kernel` and `bias`.
    pub(crate) fn get(&self, slot: usize, kernel: &mut Tensor, bias: &mut Tensor) {
        self.parameters.get(slot, kernel, bias);
    }

    /// Takes the parameters as they are now: once before each minibatch.
    pub(crate) fn prepare(&mut self, isa: Isa) {
        self.parameters.spread(isa);
    }

    /// Lets the others see the gradients from the worker's image `blocks` of the minibatch.
    pub(crate) fn publish(&mut self, blocks: Range<usize>) {
        let count = vectors_for(self.geometry.parameters());
        let mut writer = self.gradients.write();
        let into = writer.vectors(blocks.start * count..blocks.end * count);
        into.copy_from_slice(&self.block_sums[..into.len()]);
    }

    /// Adds the gradients of all `blocks` image blocks of the minibatch, and has `rule` turn the
    /// worker's part of the sums into new parameters.
    pub(crate) fn update<R: UpdateRule>(&mut self, isa: Isa, blocks: usize, rule: R) {
        let gradients = self.gradients.read();
        let count = vectors_for(self.geometry.parameters());
        let gradients = &gradients[..blocks * count];
        self.parameters.update(|parameters, first| {
            isa.run(Update { gradients, count, first, parameters, rule });
        });
    }
}

impl ImageLayer for Conv2d {
    /// y = activation(x ∗ w + b), pooled where that follows.
    fn forward(&mut self, at: &BlockPass<'_>, x: ImagesRef<'_>, y: ImagesMut<'_>) {
        let Self { geometry, parameters, winners, workspace, .. } = self;
        let pooled = geometry.output().vectors();
        let winners = winners.chunks_exact_mut(pooled.max(1)).nth(at.block).unwrap_or_default();
        let (kernel, biases) = (parameters.kernel(), parameters.biases());
        at.isa().run(Forward { geometry, kernel, biases, x, y, winners, workspace });
    }

    /// From dy the gradient of the parameters, which is kept, and dx, if anybody needs that.
    fn backward(
        &mut self,
        at: &BlockPass<'_>,
        (x, y): (ImagesRef<'_>, ImagesRef<'_>),
        dy: &[F32x16],
        dx: &mut [F32x16],
    ) {
        let Self { geometry, parameters, winners, dz, lane_sums, workspace, block_sums, .. } = self;
        let geometry = &*geometry;
        let pooled = geometry.output().vectors();
        let winners = winners.chunks_exact(pooled.max(1)).nth(at.block).unwrap_or_default();
        at.isa().run(ActivationGradient { geometry, y, winners, dy, dz });
        let count = vectors_for(geometry.parameters());
        let totals = &mut block_sums[at.block * count..][..count];
        let source = GradientSource {
            input: x.vectors,
            volume: x.volume,
            nonzero: x.non_zero.clone(),
            kernel: geometry.kernel,
            stride: geometry.stride,
            dz,
            dz_volume: geometry.gradient_volume(),
        };
        match geometry.kernel_gradient() {
            GradientMethod::Winograd => {
                let totals = &mut as_numbers_mut(totals)[..geometry.parameters()];
                at.isa().run(winograd::KernelGradient { source, totals, workspace });
            }
            GradientMethod::Filters => {
                let totals = &mut as_numbers_mut(totals)[..geometry.parameters()];
                at.isa().run(FilterGradient { source, totals, workspace });
            }
            GradientMethod::Images => {
                at.isa().run(KernelGradient { source, sums: lane_sums, workspace });
                at.isa().run(Reduce { sums: lane_sums, totals });
            }
        }
        if self.has_input_gradient {
            let flipped = parameters.flipped();
            at.isa().run(BackwardInput { geometry, flipped, dz, dx, workspace });
        }
    }
}
