//! Training: epochs of minibatches, by a team that works in one parallel region from the first
//! step to the last.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::history::{Epoch, Flow, History, Observer, Progress};
use super::options::FitOptions;
use super::samples::Samples;
use super::worker::{Totals, Worker};
use crate::data::Split;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::nn::Network;
use crate::optim::{Optimizer, Rule};
use crate::rng::{Purpose, Rng};

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
        options.check()?;
        fits(network, split)?;
        fits_memory(network, options.batch_size.min(split.len()))?;
        self.check_idle()?;
        let run = Run { data: self.samples(split), options, stop: AtomicBool::new(false) };
        match options.optimizer {
            Optimizer::Adam(adam) => run.fit(self, network, observer, |step| adam.at(step)),
            Optimizer::Sgd(sgd) => run.fit(self, network, observer, |_| sgd.step()),
        }
    }

    /// Prepares the images of `split` for the first layer.
    pub(super) fn samples<'a>(&self, split: &'a Split) -> Samples<'a> {
        self.pool().install(|| Samples::new(split, self.products()))
    }
}

/// Checks that `network` can read the images of `split` and tell its classes apart.
pub(super) fn fits(network: &Network, split: &Split) -> Result<()> {
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
pub(super) fn fits_memory(network: &Network, batch: usize) -> Result<()> {
    let mut widths = network.architecture().widths().into_iter();
    let numbers = widths.try_fold(0_usize, |sum, width| sum.checked_add(width.checked_mul(batch)?));
    if numbers.is_none_or(|numbers| numbers > MOST_ACTIVATIONS) {
        let problem = format!(
            "{batch} samples at a time need too much memory: fewer units, or a smaller batch"
        );
        return Err(Error::Option(problem));
    }
    Ok(())
}

/// What all members of the team know of the run.
struct Run<'a> {
    data: Samples<'a>,
    options: &'a FitOptions,
    /// Set by the lead to end the run. The others look only where what they have waited for was
    /// published after it was set, so that all see the same.
    stop: AtomicBool,
}

/// What only the member that speaks for the team has.
struct Lead<'a> {
    network: &'a mut Network,
    observer: &'a mut dyn Observer,
    history: History,
}

impl Run<'_> {
    fn fit<R: Rule>(
        &self,
        engine: &Engine,
        network: &mut Network,
        observer: &mut dyn Observer,
        rule: impl Fn(u64) -> R + Sync,
    ) -> Result<History> {
        let start = network.clone();
        let batch = self.options.batch_size.min(self.data.labels().len());
        let lead = Mutex::new(Lead { network, observer, history: History::default() });
        let ends = engine.as_team(&start, &self.data, (batch, R::CELLS), |mut worker| {
            let mut lead = if worker.leads() { lead.lock().ok() } else { None };
            self.member(&mut worker, lead.as_deref_mut(), &rule)
        });
        ends.into_iter().collect::<Result<()>>()?;
        let lead = lead.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(lead.history)
    }

    /// The program of each member.
    fn member<R: Rule>(
        &self,
        worker: &mut Worker,
        mut lead: Option<&mut Lead<'_>>,
        rule: impl Fn(u64) -> R,
    ) -> Result<()> {
        let count = self.data.labels().len();
        let mut steps = 0;
        for epoch in 1..=self.options.epochs {
            let start = Instant::now();
            let order = sample_order(count, self.options, epoch);
            let mut seen = Totals::default();
            for step in 0..count.div_ceil(self.options.batch_size) {
                steps += 1;
                let first = step * self.options.batch_size;
                let in_window = first % worker.window();
                if in_window == 0 {
                    let window = first..count.min(first + worker.window());
                    worker.bring(&self.data, &order[window]);
                }
                let samples = self.options.batch_size.min(count - first);
                let minibatch = in_window..in_window + samples;
                let mut loss = 0.0;
                worker.step(&self.data, minibatch, rule(steps), |totals| {
                    seen += totals;
                    loss = totals.mean_loss() as f32;
                    let lead = lead.as_deref_mut().filter(|_| loss.is_finite());
                    let flow = lead
                        .map(|lead| lead.observer.step(&progress(epoch, step + 1, loss, &seen)));
                    if flow == Some(Flow::Stop) {
                        self.stop.store(true, Ordering::Relaxed);
                    }
                });
                worker.wait_for_step();
                if !loss.is_finite() {
                    return Err(Error::NotFinite { epoch, step: step + 1, loss });
                }
                if self.stop.load(Ordering::Relaxed) && seen.samples < count {
                    if let Some(lead) = lead {
                        worker.copy_parameters(0, lead.network.tensors_mut());
                        lead.history.stopped = true;
                    }
                    return Ok(());
                }
            }
            let mut told = Ok(Flow::Continue);
            if let Some(lead) = &mut lead {
                worker.copy_parameters(0, lead.network.tensors_mut());
                let (loss, accuracy) = (seen.mean_loss(), seen.accuracy());
                let epoch = Epoch { epoch, loss, accuracy, seconds: start.elapsed().as_secs_f64() };
                lead.history.epochs.push(epoch);
                told = lead.observer.epoch(&epoch, lead.network);
                if !matches!(told, Ok(Flow::Continue)) {
                    self.stop.store(true, Ordering::Relaxed);
                }
            }
            worker.meet();
            told?;
            if self.stop.load(Ordering::Relaxed) {
                if let Some(lead) = lead {
                    lead.history.stopped = epoch < self.options.epochs;
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
        Rng::stream(options.seed, Purpose::Shuffle, epoch as u64).shuffle(&mut order);
    }
    order
}
