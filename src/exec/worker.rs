//! One worker of the team that trains or asks a network: its part of every stage.
//!
//! All workers run the same program, each on its own part. What one writes and others read goes
//! through the turns of a buffer, and waiting there is all that keeps them in step. After a worker
//! is made, nothing is allocated.

use super::input::{Input, Minibatch};
use super::layers::loss::{LossHead, Outcome, Totals};
use super::link::Link;
use super::pass::Pass;
use super::plan::Plan;
use super::samples::Samples;
use super::stage::Stage;
use super::streams::SampleStreams;
use crate::kernels::optim::UpdateRule;
use crate::model::Tensor;
use crate::simd::F32x16;
use crate::sync::{Barrier, Exchanges, StepSignals, TeamSync};

/// One worker.
pub(crate) struct Worker {
    pub(super) plan: Plan,
    pub(super) rank: usize,
    pub(super) minibatch: Minibatch,
    pub(super) stages: Vec<Stage>,
    /// What stands between the stages: one less than there are.
    pub(super) links: Vec<Link>,
    pub(super) head: LossHead,
    /// Where the workers wait for each other between epochs.
    pub(super) barrier: Barrier,
    pub(super) sync: TeamSync,
}

impl Worker {
    /// Takes the worker's part of `tensors` as slot `slot` of all parameters (0: the parameters
    /// themselves).
    pub(crate) fn load_parameters(&mut self, slot: usize, tensors: &[Tensor]) {
        self.stages.iter_mut().fold(tensors, |tensors, stage| stage.set(slot, tensors));
    }

    /// Has the parameters, and what the optimiser keeps beside them, be here where the team spans
    /// several ranks: before they are [copied](Self::copy_parameters). All workers call it.
    pub(crate) fn bring_parameters(&mut self) {
        self.stages.iter_mut().for_each(Stage::bring_all);
    }

    /// Copies slot `slot` of all parameters (0: the parameters themselves) into `tensors`.
    pub(crate) fn copy_parameters(&self, slot: usize, tensors: &mut [Tensor]) {
        self.stages.iter().fold(tensors, |tensors, stage| stage.get(slot, tensors));
    }

    /// Whether this is the worker that speaks for the team.
    pub(crate) fn is_primary(&self) -> bool {
        self.rank == 0
    }

    /// What the primary worker says.
    pub(crate) fn signals(&self) -> &StepSignals {
        self.sync.signals()
    }

    /// What telling the other ranks has cost this one.
    pub(crate) fn exchanges(&self) -> Exchanges {
        self.sync.exchanges()
    }

    /// Waits until every worker has come here.
    pub(crate) fn wait_for_all(&mut self) {
        self.barrier.wait();
    }

    /// Brings `samples` of `data` together: the minibatch that is worked on next.
    pub(crate) fn load(&mut self, data: &Samples<'_>, samples: &[u32]) {
        self.minibatch.load(self.plan.isa, data, samples);
    }

    /// Forward to the logits, x₁ … xₙ₊₁ with xᵢ₊₁ = stageᵢ(xᵢ); where the `loss` is wanted, on to
    /// it and its gradient. `streams` tell what is random, if anything is.
    fn forward(&mut self, data: &Samples<'_>, streams: Option<SampleStreams>, loss: bool) {
        self.minibatch.fill_pixels(data, streams);
        let Self { plan, minibatch, stages, links, head, .. } = self;
        let Some((last, stages)) = stages.split_last_mut() else { return };
        let pass = plan.pass(data, minibatch.samples(), streams);
        let mut x = minibatch.input();
        for (stage, link) in stages.iter_mut().zip(links) {
            stage.forward(&pass, x, &mut link.output.write());
            x = Input::Dense(link.output.read());
        }
        head.forward(&pass, loss, |logits| last.forward(&pass, x, logits));
    }

    /// Forward to the logits.
    pub(crate) fn infer(&mut self, data: &Samples<'_>) {
        self.forward(data, None, false);
    }

    /// Forward to the loss.
    pub(crate) fn evaluate(&mut self, data: &Samples<'_>) {
        self.forward(data, None, true);
    }

    /// The first half of a step of training: forward to the loss, whose totals it returns.
    ///
    /// By then every worker has finished its part of the step before, and all that it did before
    /// its outputs of this one is known to the others.
    pub(crate) fn forward_step(
        &mut self,
        data: &Samples<'_>,
        streams: Option<SampleStreams>,
    ) -> Totals {
        self.forward(data, streams, true);
        let mut totals = Totals::default();
        self.outcomes().for_each(|outcome| totals.add(outcome));
        totals
    }

    /// The second half: backward from dzₙ, the gradient of the logits. Each stage takes dzᵢ to
    /// dzᵢ₋₁ and, through `rule`, to new parameters. `next` are the samples of the step after.
    pub(crate) fn backward_step<R: UpdateRule>(
        &mut self,
        data: &Samples<'_>,
        streams: Option<SampleStreams>,
        next: &[u32],
        rule: R,
    ) {
        let Self { plan, minibatch, stages, links, head, .. } = self;
        let pass = plan.pass(data, minibatch.samples(), streams);
        stages.iter_mut().for_each(Stage::end_forward);
        for (index, stage) in stages.iter_mut().enumerate().rev() {
            let (below, above) = links.split_at_mut(index);
            let dz = above.first_mut().map_or(&mut head.logits, |link| &mut link.gradient);
            if let Some(below) = below.last_mut() {
                below.backward(|below| stage.backward_input(&pass, dz.read(), below));
            } else {
                data.prefetch(next);
            }
            let x = match below.last() {
                Some(below) => Input::Dense(below.output.read()),
                None => minibatch.input(),
            };
            stage.update(&pass, x, dz, rule);
            dz.release();
            if let Some(below) = below.last_mut() {
                below.output.release();
            }
        }
    }

    /// What became of each sample of the minibatch, in order.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        self.head.outcomes(self.minibatch.samples().len())
    }

    /// The logits of sample `sample` of the minibatch, after [`infer`](Self::infer).
    pub(crate) fn logits(&self, sample: usize) -> Vec<F32x16> {
        self.head.logits_of(sample)
    }
}

impl Plan {
    /// A pass over the minibatch of `samples` of `data`.
    fn pass<'a>(
        &self,
        data: &'a Samples<'a>,
        samples: &'a [u32],
        streams: Option<SampleStreams>,
    ) -> Pass<'a> {
        Pass { isa: self.isa, gemm: self.gemm, data, samples, streams }
    }
}
