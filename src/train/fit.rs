//! Training: epochs of minibatches, by a team that works in one parallel region from the first
//! step to the last.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::data::Split;
use crate::error::{Error, Result};
use crate::exec::engine::Engine;
use crate::exec::noise::SampleStreams;
use crate::exec::samples::Samples;
use crate::exec::team::Purpose;
use crate::exec::worker::{Totals, Worker};
use crate::image::RandomAffine;
use crate::kernels::optim::{Adam, Optimizer, Sgd, UpdateRule};
use crate::model::Network;
use crate::rng;
use crate::rng::Rng;
use crate::train::early_stopping::EarlyStopping;
use crate::train::history::{Epoch, History, Observer, Progress};
use crate::train::options::FitOptions;
use crate::train::schedule::StepIndex;

impl Engine {
    /// Trains `network` on `split`, telling `observer` after each step and epoch.
    ///
    /// The arithmetic is Keras's: the loss is the cross-entropy of the softmax of the logits,
    /// whatever the last activation; gradients are means over the minibatch; the last minibatch
    /// may be short; an epoch's loss is the mean over its samples.
    ///
    /// The observer runs on one of the engine's threads: it may evaluate the network with this
    /// engine (on that thread alone), but not train another.
    ///
    /// # Errors
    /// When an option makes no sense, `network` does not fit `split`, the loss is not finite
    /// (`network` is then as after the last completed epoch), or `observer` returns one.
    pub fn fit(
        &self,
        network: &mut Network,
        split: &Split,
        options: &FitOptions,
        observer: &mut dyn Observer,
    ) -> Result<History> {
        let (train, judge) = self.prepare(network, split, options)?;
        self.check_idle()?;
        let data = self.samples(&train, network, options.augmentation);
        let run = Run { data, options, last_step: AtomicU64::new(u64::MAX) };
        let decay = |rate: f64| (rate * options.weight_decay) as f32;
        let schedule = options.schedule;
        match options.optimizer {
            Optimizer::Adam(adam) => run.fit(self, (network, observer, judge), |moment| {
                let learning_rate = adam.learning_rate * schedule.factor(moment);
                Adam { learning_rate, ..adam }.at(moment.step).decaying(decay(learning_rate))
            }),
            Optimizer::Sgd(sgd) => run.fit(self, (network, observer, judge), |moment| {
                let learning_rate = sgd.learning_rate * schedule.factor(moment);
                Sgd { learning_rate, ..sgd }.step().decaying(decay(learning_rate))
            }),
        }
    }

    /// Whether [`fit`](Self::fit) can begin: to be asked before what an earlier run left is given
    /// up.
    ///
    /// # Errors
    /// When an option makes no sense or `network` does not fit `split`.
    pub fn check_fit(&self, network: &Network, split: &Split, options: &FitOptions) -> Result<()> {
        self.prepare(network, split, options).map(drop)
    }

    /// Checks that a run can begin; returns what [`hold_out`](Self::hold_out) does.
    fn prepare(
        &self,
        network: &Network,
        split: &Split,
        options: &FitOptions,
    ) -> Result<(Split, Option<EarlyStopping<'_>>)> {
        options.check()?;
        check_compatible(network, split)?;
        let (train, judge) = self.hold_out(split, options)?;
        check_memory(network, options.batch_size.min(train.len()))?;
        Ok((train, judge))
    }

    /// The samples of `split` to train on, and who judges the network by the others.
    fn hold_out(
        &self,
        split: &Split,
        options: &FitOptions,
    ) -> Result<(Split, Option<EarlyStopping<'_>>)> {
        let count = options.training_samples(split.len());
        if options.validation_split == 0.0 {
            return Ok((split.clone(), None));
        }
        let (train, held_out) = split.split_at(count).map_err(|_| {
            let problem = format!(
                "a validation split of {} leaves nothing on one side of {} images",
                options.validation_split,
                split.len()
            );
            Error::Option(problem)
        })?;
        Ok((train, Some(EarlyStopping::new(self, held_out, options.patience))))
    }

    /// Prepares the images of `split` for the first layer of `network`; in training they are
    /// distorted.
    pub(super) fn samples<'a>(
        &self,
        split: &'a Split,
        network: &Network,
        augmentation: RandomAffine,
    ) -> Samples<'a> {
        self.pool().install(|| Samples::new(split, self.gemm_backend(), network, augmentation))
    }
}

/// Checks that `network` can read the images of `split` and tell its classes apart.
pub(super) fn check_compatible(network: &Network, split: &Split) -> Result<()> {
    let (input, shape) = (network.architecture().input, split.shape());
    if input != shape {
        return Err(Error::Network(format!(
            "the network reads images of {} × {}, but these are {} × {}",
            input.height, input.width, shape.height, shape.width
        )));
    }
    let (known, needed) = (network.architecture().classes(), split.classes());
    if needed > known {
        let problem = format!(
            "the network tells {known} classes apart, but the labels go up to {}",
            needed - 1
        );
        return Err(Error::Network(problem));
    }
    Ok(())
}

/// The most numbers that the activations of a minibatch may have: 4 GiB of them.
const MOST_ACTIVATIONS: usize = 1 << 30;

/// Checks that minibatches of `batch` samples leave `network` room in memory.
pub(super) fn check_memory(network: &Network, batch: usize) -> Result<()> {
    let architecture = network.architecture();
    let mut numbers = architecture.input_shape().numbers();
    for shape in architecture.shapes()? {
        numbers = numbers.saturating_add(shape.numbers());
    }
    if numbers.saturating_mul(batch) > MOST_ACTIVATIONS {
        let problem = format!(
            "{batch} samples at a time need too much memory: fewer units, or a smaller batch"
        );
        return Err(Error::Option(problem));
    }
    Ok(())
}

/// What all workers of the team know of the run.
struct Run<'a> {
    data: Samples<'a>,
    options: &'a FitOptions,
    /// The last step of the run, once the lead has said so. The others look when they have waited
    /// for what the lead did in the step after it, so that all see the same.
    last_step: AtomicU64,
}

/// What only the rank that speaks for the team has.
struct Lead<'a> {
    network: &'a mut Network,
    observer: &'a mut dyn Observer,
    judge: Option<EarlyStopping<'a>>,
    history: History,
}

impl Lead<'_> {
    /// After a completed epoch; returns whether it is the last one.
    fn end_epoch(&mut self, mut epoch: Epoch) -> Result<bool> {
        if let Some(judge) = &self.judge {
            epoch.validation = Some(judge.test(self.network)?);
        }
        self.history.epochs.push(epoch);
        if self.observer.on_epoch_end(&epoch, self.network)?.is_break() {
            self.history.stopped = true;
            return Ok(true);
        }
        let network = &*self.network;
        Ok(self.judge.as_mut().is_some_and(|judge| judge.has_enough(&epoch, network)))
    }

    /// After the run.
    fn end(self) -> History {
        let Self { network, judge, mut history, .. } = self;
        if let (Some(judge), false) = (judge, history.stopped) {
            history.best = judge.restore(history.epochs.len(), network);
        }
        history
    }
}

impl Run<'_> {
    fn fit<R: UpdateRule>(
        &self,
        engine: &Engine,
        (network, observer, judge): (&mut Network, &mut dyn Observer, Option<EarlyStopping<'_>>),
        rule: impl Fn(StepIndex) -> R + Sync,
    ) -> Result<History> {
        let start = network.clone();
        let purpose = Purpose {
            batch: self.options.batch_size.min(self.data.labels().len()),
            slots: R::SLOTS,
            training: true,
            smoothing: self.options.label_smoothing,
        };
        let lead = Mutex::new(Lead { network, observer, judge, history: History::default() });
        let ends = engine.as_team(&start, &self.data, purpose, |mut worker| {
            let mut lead = if worker.is_primary() { lead.lock().ok() } else { None };
            self.rank(&mut worker, lead.as_deref_mut(), &rule)
        });
        ends.into_iter().collect::<Result<()>>()?;
        let lead = lead.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(lead.end())
    }

    /// The step of `moment` shall be the last one.
    fn end_after(&self, moment: StepIndex) {
        self.last_step.store(moment.step, Ordering::Relaxed);
    }

    /// Whether the run has ended with the step of `moment`.
    fn is_over_after(&self, moment: StepIndex) -> bool {
        self.last_step.load(Ordering::Relaxed) <= moment.step
    }

    /// Whether the run has ended before the step of `moment`.
    fn is_over_before(&self, moment: StepIndex) -> bool {
        self.last_step.load(Ordering::Relaxed) < moment.step
    }

    /// The program of each rank.
    fn rank<R: UpdateRule>(
        &self,
        worker: &mut Worker,
        mut lead: Option<&mut Lead<'_>>,
        rule: impl Fn(StepIndex) -> R,
    ) -> Result<()> {
        let (count, epochs) = (self.data.labels().len(), self.options.epochs);
        let steps_per_epoch = count.div_ceil(self.options.batch_size) as u64;
        let mut moment = StepIndex { step: 0, steps_per_epoch, epochs: epochs as u64 };
        for epoch in 1..=epochs {
            let start = Instant::now();
            let order = sample_order(count, self.options, epoch);
            let noise = Some(SampleStreams { seed: self.options.seed, epoch });
            let mut seen = Totals::default();
            let minibatch = |step: usize| {
                let start = (step * self.options.batch_size).min(count);
                &order[start..count.min(start + self.options.batch_size)]
            };
            for step in 0..count.div_ceil(self.options.batch_size) {
                moment.step += 1;
                let mut loss = 0.0;
                worker.bring(&self.data, minibatch(step));
                let next = minibatch(step + 1);
                let flow = worker.step(&self.data, next, (rule(moment), noise), |totals| {
                    if self.is_over_before(moment) {
                        return ControlFlow::Break(());
                    }
                    loss = totals.mean_loss() as f32;
                    if !loss.is_finite() {
                        return ControlFlow::Break(());
                    }
                    seen += totals;
                    if let Some(lead) = lead.as_deref_mut() {
                        let progress = progress(epoch, step + 1, loss, &seen);
                        if lead.observer.on_step_end(&progress).is_break() {
                            self.end_after(moment);
                        }
                    }
                    ControlFlow::Continue(())
                });
                if !loss.is_finite() {
                    return Err(Error::NotFinite { epoch, step: step + 1, loss });
                }
                if flow.is_break() {
                    if let Some(lead) = lead {
                        worker.copy_parameters(0, lead.network.tensors_mut());
                        lead.history.stopped = true;
                    }
                    return Ok(());
                }
            }
            let mut ends = Ok(false);
            if let Some(lead) = &mut lead {
                worker.copy_parameters(0, lead.network.tensors_mut());
                // Asked to stop in the last step of an epoch.
                lead.history.stopped |= self.is_over_after(moment);
                let (loss, accuracy) = (seen.mean_loss(), seen.accuracy());
                let seconds = start.elapsed().as_secs_f64();
                ends = lead.end_epoch(Epoch { epoch, loss, accuracy, seconds, validation: None });
                if !matches!(ends, Ok(false)) {
                    self.end_after(moment);
                }
            }
            worker.barrier.wait();
            ends?;
            if self.is_over_after(moment) {
                if let Some(lead) = lead {
                    lead.history.stopped &= epoch < epochs;
                }
                return Ok(());
            }
        }
        Ok(())
    }
}

/// What the observer is told after step `step` of epoch `epoch`.
fn progress(epoch: usize, step: usize, loss: f32, seen: &Totals) -> Progress {
    let (epoch_loss, epoch_accuracy) = (seen.mean_loss(), seen.accuracy());
    Progress { epoch, step, loss, samples: seen.samples, epoch_loss, epoch_accuracy }
}

/// The order in which `epoch` meets the samples.
fn sample_order(samples: usize, options: &FitOptions, epoch: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..samples as u32).collect();
    if options.shuffle {
        Rng::stream(options.seed, rng::Stream::Shuffle, epoch as u64).shuffle(&mut order);
    }
    order
}
