//! A run: epochs of minibatches, walked by every worker of the team in step.
//!
//! It is a sequence of segments, each walked by a team of one size, and each from the state in which the
//! one before it ended.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::{Error, Result};
use super::history::Progress;
use super::options::FitOptions;
use super::primary::{Continuation, Primary};
use super::schedule::StepIndex;
use super::state::{PartialEpoch, State};
use crate::exec::engine::Engine;
use crate::exec::layers::loss::Totals;
use crate::exec::samples::Samples;
use crate::exec::streams::SampleStreams;
use crate::exec::worker::Worker;
use crate::kernels::optim::UpdateRule;
use crate::rng::{Rng, Stream};

/// What all workers know of a run.
pub(super) struct TrainingRun<'a> {
    data: Samples<'a>,
    options: FitOptions,
    /// The order of the epoch that is walked: made by the first worker that comes to it.
    order: Mutex<Option<Arc<EpochOrder>>>,
}

/// A part of a run that is walked by a team of one size.
struct Segment<'a> {
    /// Where it begins.
    start: State,
    /// From when on its time counts.
    since: Instant,
    run: &'a TrainingRun<'a>,
}

impl<'a> TrainingRun<'a> {
    /// A run on `data`.
    pub(super) fn new(data: Samples<'a>, options: FitOptions) -> Self {
        Self { data, options, order: Mutex::default() }
    }

    /// Walks on from the state of `primary`, the parameters moved by the `rule` of each step.
    /// Returns the primary as it is in the end.
    pub(super) fn fit<'p, R: UpdateRule>(
        &self,
        engine: &Engine,
        mut primary: Primary<'p>,
        rule: impl Fn(StepIndex) -> R + Sync,
    ) -> Result<Primary<'p>> {
        primary.state.reserve_slots(R::SLOTS);
        let plan = engine.training_plan(&self.options, self.data.len());
        let since = Instant::now();
        let mut next = Some(Continuation { state: primary.state.clone(), since });
        while let Some(Continuation { state: start, since }) = next {
            let plan = engine.training_plan_by(plan, primary.take_size());
            let segment = Segment { start, since, run: self };
            let shared = Mutex::new(primary);
            let (span, network) = (engine.span(), segment.start.network());
            let ends = engine.as_team(plan, span, network, &self.data, |mut worker| {
                segment.start.give_parameters(&mut worker);
                let mut primary = if worker.is_primary() { shared.lock().ok() } else { None };
                segment.walk(&mut worker, primary.as_deref_mut(), &rule)
            });
            ends.into_iter().collect::<Result<()>>()?;
            primary = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
            next = primary.take_next();
        }
        Ok(primary)
    }

    /// What it is trained on.
    pub(super) fn data(&self) -> &Samples<'a> {
        &self.data
    }

    /// Has `worker` take a step to see how long that takes: with the whole minibatch `step` of the first
    /// epoch, or one of those before it where it has no more.
    pub(super) fn try_step<R: UpdateRule>(&self, worker: &mut Worker, step: usize, rule: R) {
        let order = self.order_of(1);
        let whole = (self.data.len() / self.options.batch_size).max(1);
        let streams = Some(SampleStreams { seed: self.options.seed, epoch: 1 });
        worker.load(&self.data, order.minibatch(step % whole));
        worker.forward_step(&self.data, streams);
        worker.backward_step(&self.data, streams, order.minibatch((step + 1) % whole), rule);
    }

    /// The order of epoch `epoch`, counted from 1.
    fn order_of(&self, epoch: usize) -> Arc<EpochOrder> {
        let mut shared = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        // That of another epoch is given back first.
        let order = shared
            .take()
            .filter(|order| order.epoch == epoch)
            .unwrap_or_else(|| Arc::new(EpochOrder::new(self.data.len(), &self.options, epoch)));
        *shared = Some(Arc::clone(&order));
        order
    }
}

impl Segment<'_> {
    /// The program of each worker.
    fn walk<R: UpdateRule>(
        &self,
        worker: &mut Worker,
        mut primary: Option<&mut Primary<'_>>,
        rule: impl Fn(StepIndex) -> R,
    ) -> Result<()> {
        let Self { start, since, run } = self;
        let TrainingRun { data, options, .. } = run;
        let steps = data.len().div_ceil(options.batch_size);
        let mut at = StepIndex::after(start.steps_done(data.len()), steps, options.epochs);
        let mut partial = start.partial;
        if let Some(primary) = primary.as_deref_mut() {
            primary.begin_segment(since.elapsed());
        }
        let mut clock = StepClock::since(*since);
        for epoch in start.epochs.len() + 1..=options.epochs {
            let PartialEpoch { steps: first, seconds, .. } = partial;
            let order = run.order_of(epoch);
            let streams = Some(SampleStreams { seed: options.seed, epoch });
            for step in first..steps {
                at.step += 1;
                worker.load(data, order.minibatch(step));
                let seen = worker.forward_step(data, streams);
                // At the end of an epoch the team has met.
                if step > first && worker.signals().meeting.is_at(at.step - 1) {
                    worker.bring_parameters();
                    let mut met = Ok(false);
                    if let Some(primary) = primary.as_deref_mut() {
                        partial.seconds = seconds + clock.pause();
                        met = primary.meet(worker, partial);
                        end_after(worker, at.step - 1, &met);
                        clock.go_on();
                    }
                    worker.wait_for_all();
                    met?;
                    if worker.signals().end.is_at(at.step - 1) {
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
                    if primary.end_step(&progress, clock.step()) {
                        worker.signals().meeting.say(at.step);
                    }
                }
                worker.backward_step(data, streams, order.minibatch(step + 1), rule(at));
            }
            worker.bring_parameters();
            let mut ends = Ok(false);
            if let Some(primary) = primary.as_deref_mut() {
                partial.seconds = seconds + clock.pause();
                ends = primary.end_epoch(worker, partial);
                end_after(worker, at.step, &ends);
            }
            worker.wait_for_all();
            ends?;
            if worker.signals().end.is_at(at.step) {
                return Ok(());
            }
            partial = PartialEpoch::default();
            clock = StepClock::since(Instant::now());
        }
        Ok(())
    }
}

/// Ends the segment with step `step` where the primary, which is `worker`, has `said` so, or failed.
fn end_after(worker: &Worker, step: u64, said: &Result<bool>) {
    if !matches!(said, Ok(false)) {
        worker.signals().end.say(step);
    }
}

/// How long an epoch takes, or what a segment has of it, and each of its steps.
struct StepClock {
    since: Instant,
    /// The time at which the team met, which is no training.
    aside: Duration,
    /// When the last step ended, or the team went on.
    last: Instant,
}

impl StepClock {
    fn since(since: Instant) -> Self {
        Self { since, aside: Duration::ZERO, last: Instant::now() }
    }

    /// A step ends: how long it took.
    fn step(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.last, now)
    }

    /// The team meets: how long it trained up to here, in seconds.
    fn pause(&mut self) -> f64 {
        self.last = Instant::now();
        (self.last - self.since).saturating_sub(self.aside).as_secs_f64()
    }

    /// It goes on.
    fn go_on(&mut self) {
        let met = self.step();
        self.aside += met;
    }
}

/// The order in which an epoch meets the samples.
struct EpochOrder {
    epoch: usize,
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
        Self { epoch, samples, batch_size: options.batch_size }
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
