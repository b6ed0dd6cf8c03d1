//! Training: epochs of minibatches.

use std::time::Instant;

use super::history::{Epoch, Flow, History, Observer, Progress};
use super::options::FitOptions;
use super::step::{Rule, Trainer};
use crate::data::Split;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::nn::{Network, Tensor};
use crate::rng::{Purpose, Rng};

impl Engine {
    /// Trains `network` on `split`, telling `observer` after each step and epoch.
    ///
    /// The arithmetic is Keras's: the loss is the cross-entropy of the softmax of the logits,
    /// whatever the last activation; gradients are means over the minibatch; the last minibatch
    /// may be short; an epoch's loss is the mean over its samples.
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
        self.pool().install(|| run(network, split, options, observer))
    }

    /// The loss over all of `split`, taken as one minibatch, and its gradient with respect to
    /// each parameter, in the order of [`Network::tensors`]: what a step of training would use.
    ///
    /// # Errors
    /// When `network` does not fit `split`.
    pub fn gradients(&self, network: &Network, split: &Split) -> Result<Gradients> {
        fits(network, split)?;
        let mut gradients = network.clone();
        let loss = self.pool().install(|| {
            let mut trainer = Trainer::new(network, Rule::Record, split.len());
            let order: Vec<u32> = (0..split.len() as u32).collect();
            let totals = trainer.step(split, &order);
            trainer.write_gradients(&mut gradients);
            totals.loss / split.len() as f64
        });
        Ok(Gradients { loss, tensors: gradients.into_tensors() })
    }
}

/// What [`Engine::gradients`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// The mean loss over the samples.
    pub loss: f64,
    /// Its gradient with respect to each parameter, under the parameter's name and shape.
    pub tensors: Vec<Tensor>,
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
        return Err(Error::Network(format!(
            "the network tells {known} classes apart, but the labels go up to {}",
            needed - 1
        )));
    }
    Ok(())
}

fn run(
    network: &mut Network,
    split: &Split,
    options: &FitOptions,
    observer: &mut dyn Observer,
) -> Result<History> {
    let mut trainer = Trainer::new(
        network,
        Rule::Optimize(options.optimizer),
        options.batch_size.min(split.len()),
    );
    let mut history = History::default();
    for epoch in 1..=options.epochs {
        let start = Instant::now();
        let order = sample_order(split.len(), options, epoch);
        let (mut loss, mut correct, mut samples) = (0.0, 0, 0);
        for (step, indices) in order.chunks(options.batch_size).enumerate() {
            let totals = trainer.step(split, indices);
            loss += totals.loss;
            correct += totals.correct;
            samples += indices.len();
            let progress = Progress {
                epoch,
                step: step + 1,
                loss: (totals.loss / indices.len() as f64) as f32,
                samples,
                epoch_loss: loss / samples as f64,
                epoch_accuracy: correct as f64 / samples as f64,
            };
            if !progress.loss.is_finite() {
                return Err(Error::NotFinite { epoch, step: step + 1, loss: progress.loss });
            }
            if observer.step(&progress) == Flow::Stop {
                trainer.write_back(network);
                history.stopped = true;
                return Ok(history);
            }
        }
        trainer.write_back(network);
        let samples = samples as f64;
        let seconds = start.elapsed().as_secs_f64();
        let epoch =
            Epoch { epoch, loss: loss / samples, accuracy: correct as f64 / samples, seconds };
        history.epochs.push(epoch);
        if observer.epoch(&epoch, network)? == Flow::Stop {
            history.stopped = true;
            break;
        }
    }
    Ok(history)
}

/// The order in which `epoch` meets the samples.
fn sample_order(samples: usize, options: &FitOptions, epoch: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..samples as u32).collect();
    if options.shuffle {
        Rng::stream(options.seed, Purpose::Shuffle, epoch as u64).shuffle(&mut order);
    }
    order
}
