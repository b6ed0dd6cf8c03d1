//! A run: epochs of minibatches, walked by every worker of the team in step.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::error::{Error, Result};
use super::history::Progress;
use super::options::FitOptions;
use super::primary::Primary;
use super::schedule::StepIndex;
use super::state::{PartialEpoch, State};
use crate::exec::engine::Engine;
use crate::exec::layers::loss::Totals;
use crate::exec::plan::Plan;
use crate::exec::samples::Samples;
use crate::exec::streams::SampleStreams;
use crate::exec::worker::Worker;
use crate::kernels::optim::UpdateRule;
use crate::rng::{Rng, Stream};
use crate::sync::StepSignal;

/// What all workers know of a run.
pub(super) struct TrainingRun<'a> {
    data: Samples<'a>,
    options: FitOptions,
    /// The step after which the team meets, for the primary to take what there is.
    meeting: StepSignal,
    /// The last step.
    end: StepSignal,
}

impl<'a> TrainingRun<'a> {
    /// A run on `data`.
    pub(super) fn new(data: Samples<'a>, options: FitOptions) -> Self {
        Self { data, options, meeting: StepSignal::new(), end: StepSignal::new() }
    }

    /// Walks on from the state of `primary`, the parameters moved by the `rule` of each step.
    /// Returns whether the run was stopped before its end.
    pub(super) fn fit<R: UpdateRule>(
        &self,
        engine: &Engine,
        primary: Primary<'_>,
        rule: impl Fn(StepIndex) -> R + Sync,
    ) -> Result<bool> {
        let plan = Plan {
            slots: R::SLOTS,
            drops: true,
            smoothing: self.options.label_smoothing,
            ..engine.plan(self.options.batch_size.min(self.data.len()))
        };
        primary.state.reserve_slots(R::SLOTS);
        let start = primary.state.clone();
        let primary = Mutex::new(primary);
        let ends = engine.as_team(plan, start.network(), &self.data, |mut worker| {
            start.give_parameters(&mut worker);
            let mut primary = if worker.is_primary() { primary.lock().ok() } else { None };
            self.work(&mut worker, &start, primary.as_deref_mut(), &rule)
        });
        ends.into_iter().collect::<Result<()>>()?;
        let primary = primary.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(primary.is_stopped())
    }

    /// The program of each worker.
    fn work<R: UpdateRule>(
        &self,
        worker: &mut Worker,
        start: &State,
        mut primary: Option<&mut Primary<'_>>,
        rule: impl Fn(StepIndex) -> R,
    ) -> Result<()> {
        let Self { data, options, meeting, end } = self;
        let steps = data.len().div_ceil(options.batch_size);
        let mut at = StepIndex::after(start.steps_done(data.len()), steps, options.epochs);
        let mut partial = start.partial;
        for epoch in start.epochs.len() + 1..=options.epochs {
            let clock = Instant::now();
            // How long the team met, which is no training.
            let mut aside = Duration::ZERO;
            let PartialEpoch { steps: first, seconds, .. } = partial;
            let order = EpochOrder::new(data.len(), options, epoch);
            let streams = Some(SampleStreams { seed: options.seed, epoch });
            for step in first..steps {
                at.step += 1;
                worker.load(data, order.minibatch(step));
                let seen = worker.forward_step(data, streams);
                // At the end of an epoch the team has met.
                if step > first && meeting.is_at(at.step - 1) {
                    let mut met = Ok(false);
                    if let Some(primary) = primary.as_deref_mut() {
                        let trained = clock.elapsed();
                        partial.seconds = seconds + (trained - aside).as_secs_f64();
                        met = primary.meet(worker, partial);
                        self.end_after(at.step - 1, &met);
                        aside += clock.elapsed() - trained;
                    }
                    worker.wait_for_all();
                    met?;
                    if end.is_at(at.step - 1) {
                        return Ok(());
                    }
                }
                let loss = seen.mean_loss() as f32;
                if !loss.is_finite() {
                    return Err(Error::NotFinite { epoch, step: step + 1, loss });
                }
                partial.steps += 1;
                partial.totals += seen;
                if let Some(primary) = primary.as_deref_mut() {
                    let progress = progress(epoch, step + 1, loss, &partial.totals);
                    if primary.end_step(&progress) {
                        meeting.say(at.step);
                    }
                }
                worker.backward_step(data, streams, order.minibatch(step + 1), rule(at));
            }
            let mut ends = Ok(false);
            if let Some(primary) = primary.as_deref_mut() {
                partial.seconds = seconds + (clock.elapsed() - aside).as_secs_f64();
                ends = primary.end_epoch(worker, partial);
                self.end_after(at.step, &ends);
            }
            worker.wait_for_all();
            ends?;
            if end.is_at(at.step) {
                return Ok(());
            }
            partial = PartialEpoch::default();
        }
        Ok(())
    }

    /// Ends the run with step `step` where the primary has said so, or failed.
    fn end_after(&self, step: u64, said: &Result<bool>) {
        if !matches!(said, Ok(false)) {
            self.end.say(step);
        }
    }
}

/// The order in which an epoch meets the samples.
struct EpochOrder {
    samples: Vec<u32>,
    batch_size: usize,
}

impl EpochOrder {
    /// That of epoch `epoch`, counted from 1, of so many samples.
    fn new(samples: usize, options: &FitOptions, epoch: usize) -> Self {
        let mut samples: Vec<u32> = (0..samples as u32).collect();
        if options.shuffle {
            Rng::stream(options.seed, Stream::Shuffle, epoch as u64).shuffle(&mut samples);
        }
        Self { samples, batch_size: options.batch_size }
    }

    /// The samples of step `step`, counted from 0; none after the last.
    fn minibatch(&self, step: usize) -> &[u32] {
        let at = |step: usize| (step * self.batch_size).min(self.samples.len());
        &self.samples[at(step)..at(step + 1)]
    }
}

/// What the observer is told after step `step` of epoch `epoch`.
fn progress(epoch: usize, step: usize, loss: f32, seen: &Totals) -> Progress {
    let (epoch_loss, epoch_accuracy) = (seen.mean_loss(), seen.accuracy());
    Progress { epoch, step, loss, samples: seen.samples, epoch_loss, epoch_accuracy }
}
