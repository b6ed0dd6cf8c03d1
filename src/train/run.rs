//! A run: epochs of minibatches, walked by every worker of the team in step.

use std::sync::Mutex;
use std::time::Instant;

use super::early_stopping::EarlyStopping;
use super::error::{Error, Result};
use super::history::{Epoch, History, Observer, Progress};
use super::options::FitOptions;
use super::schedule::StepIndex;
use crate::exec::engine::Engine;
use crate::exec::layers::loss::Totals;
use crate::exec::plan::Plan;
use crate::exec::samples::Samples;
use crate::exec::streams::SampleStreams;
use crate::exec::worker::Worker;
use crate::kernels::optim::UpdateRule;
use crate::model::Network;
use crate::rng::{Rng, Stream};
use crate::sync::StopSignal;

/// What all workers know of a run.
pub(super) struct TrainingRun<'a> {
    data: Samples<'a>,
    options: &'a FitOptions,
    stop: StopSignal,
}

/// What only the primary worker has: it speaks for the team.
pub(super) struct Primary<'a> {
    pub(super) network: &'a mut Network,
    pub(super) observer: &'a mut dyn Observer,
    pub(super) early_stopping: Option<EarlyStopping<'a>>,
    pub(super) history: History,
}

impl<'a> TrainingRun<'a> {
    /// A run on `data`.
    pub(super) fn new(data: Samples<'a>, options: &'a FitOptions) -> Self {
        Self { data, options, stop: StopSignal::new() }
    }

    /// Trains the network of `primary`, the parameters moved by the `rule` of each step.
    pub(super) fn fit<R: UpdateRule>(
        &self,
        engine: &Engine,
        primary: Primary<'_>,
        rule: impl Fn(StepIndex) -> R + Sync,
    ) -> Result<History> {
        let plan = Plan {
            slots: R::SLOTS,
            drops: true,
            smoothing: self.options.label_smoothing,
            ..engine.plan(self.options.batch_size.min(self.data.len()))
        };
        let start = primary.network.clone();
        let primary = Mutex::new(primary);
        let ends = engine.as_team(plan, &start, &self.data, |mut worker| {
            let mut primary = if worker.is_primary() { primary.lock().ok() } else { None };
            self.work(&mut worker, primary.as_deref_mut(), &rule)
        });
        ends.into_iter().collect::<Result<()>>()?;
        let primary = primary.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(primary.end())
    }

    /// The program of each worker.
    fn work<R: UpdateRule>(
        &self,
        worker: &mut Worker,
        mut primary: Option<&mut Primary<'_>>,
        rule: impl Fn(StepIndex) -> R,
    ) -> Result<()> {
        let Self { data, options, stop } = self;
        let steps = data.len().div_ceil(options.batch_size);
        let mut at = StepIndex::before_first(steps, options.epochs);
        for epoch in 1..=options.epochs {
            let start = Instant::now();
            let order = EpochOrder::new(data.len(), options, epoch);
            let streams = Some(SampleStreams { seed: options.seed, epoch });
            let mut totals = Totals::default();
            for step in 0..steps {
                at.step += 1;
                worker.load(data, order.minibatch(step));
                let seen = worker.forward_step(data, streams);
                if stop.is_before(at.step) {
                    if let Some(primary) = primary {
                        primary.take_parameters(worker);
                        primary.history.stopped = true;
                    }
                    return Ok(());
                }
                let loss = seen.mean_loss() as f32;
                if !loss.is_finite() {
                    return Err(Error::NotFinite { epoch, step: step + 1, loss });
                }
                totals += seen;
                if let Some(primary) = primary.as_deref_mut() {
                    let progress = progress(epoch, step + 1, loss, &totals);
                    if primary.observer.on_step_end(&progress).is_break() {
                        stop.stop_after(at.step);
                    }
                }
                worker.backward_step(data, streams, order.minibatch(step + 1), rule(at));
            }
            let mut ends = Ok(false);
            if let Some(primary) = primary.as_deref_mut() {
                primary.take_parameters(worker);
                // Asked to stop in the last step of an epoch.
                primary.history.stopped |= stop.is_reached(at.step);
                let (loss, accuracy) = (totals.mean_loss(), totals.accuracy());
                let seconds = start.elapsed().as_secs_f64();
                let epoch = Epoch { epoch, loss, accuracy, seconds, validation: None };
                ends = primary.end_epoch(epoch);
                if !matches!(ends, Ok(false)) {
                    stop.stop_after(at.step);
                }
            }
            worker.wait_for_all();
            ends?;
            if stop.is_reached(at.step) {
                if let Some(primary) = primary {
                    primary.history.stopped &= epoch < options.epochs;
                }
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Primary<'_> {
    /// Takes the parameters as they are now.
    fn take_parameters(&mut self, worker: &Worker) {
        worker.copy_parameters(0, self.network.tensors_mut());
    }

    /// After a completed epoch; returns whether it is the last one.
    fn end_epoch(&mut self, mut epoch: Epoch) -> Result<bool> {
        if let Some(early_stopping) = &self.early_stopping {
            epoch.validation = Some(early_stopping.validate(self.network)?);
        }
        self.history.epochs.push(epoch);
        if self.observer.on_epoch_end(&epoch, self.network).map_err(Error::Observer)?.is_break() {
            self.history.stopped = true;
            return Ok(true);
        }
        let Self { early_stopping, network, .. } = self;
        Ok(early_stopping.as_mut().is_some_and(|stopping| stopping.ends(&epoch, network)))
    }

    /// After the run.
    fn end(self) -> History {
        let Self { network, early_stopping, mut history, .. } = self;
        if let (Some(early_stopping), false) = (early_stopping, history.stopped) {
            history.best = early_stopping.restore_best(history.epochs.len(), network);
        }
        history
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
