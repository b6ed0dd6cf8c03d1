//! Training: [`Engine::fit`], and what must hold before it begins.

use super::early_stopping::EarlyStopping;
use super::error::{Error, Result};
use super::history::{History, Observer};
use super::options::FitOptions;
use super::run::{Primary, TrainingRun};
use crate::data::Split;

use crate::exec::engine::Engine;
use crate::exec::samples::Samples;
use crate::image::RandomAffine;
use crate::kernels::optim::{Adam, Optimizer, Sgd};
use crate::model::Network;

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
    /// When an option makes no sense, `network` does not fit `split`, there is too little memory,
    /// the loss is not finite (`network` is then as after the last completed epoch), or `observer`
    /// returns one.
    pub fn fit(
        &self,
        network: &mut Network,
        split: &Split,
        options: &FitOptions,
        observer: &mut dyn Observer,
    ) -> Result<History> {
        let (train, early_stopping) = self.prepare(network, split, options)?;
        self.check_idle()?;
        let data = self.samples(&train, network, options.augmentation)?;
        let run = TrainingRun::new(data, options);
        let primary = Primary { network, observer, early_stopping, history: History::default() };
        let decay = |rate: f64| (rate * options.weight_decay) as f32;
        let schedule = options.schedule;
        match options.optimizer {
            Optimizer::Adam(adam) => run.fit(self, primary, |at| {
                let learning_rate = adam.learning_rate * schedule.factor(at);
                Adam { learning_rate, ..adam }.at(at.step).decaying(decay(learning_rate))
            }),
            Optimizer::Sgd(sgd) => run.fit(self, primary, |at| {
                let learning_rate = sgd.learning_rate * schedule.factor(at);
                Sgd { learning_rate, ..sgd }.step().decaying(decay(learning_rate))
            }),
        }
    }

    /// Whether [`fit`](Self::fit) can begin: to be asked before what an earlier run left is given
    /// up.
    ///
    /// # Errors
    /// When an option makes no sense, `network` does not fit `split`, or there is too little memory.
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
        let (train, early_stopping) = self.hold_out(split, options)?;
        self.check_training_memory(network, &train, split.len() - train.len(), options)?;
        Ok((train, early_stopping))
    }

    /// The samples of `split` to train on, and what validates the network on the others.
    fn hold_out(
        &self,
        split: &Split,
        options: &FitOptions,
    ) -> Result<(Split, Option<EarlyStopping<'_>>)> {
        let count = options.training_samples(split.len());
        if options.validation_split == 0.0 {
            return Ok((split.clone(), None));
        }
        let (train, held_out) = split.split_at(count).map_err(|_| Error::Validation {
            split: options.validation_split,
            images: split.len(),
        })?;
        Ok((train, Some(EarlyStopping::new(self, held_out, options.patience))))
    }

    /// Prepares the images of `split` for the first layer of `network`; in training they are
    /// augmented.
    pub(super) fn samples<'a>(
        &self,
        split: &'a Split,
        network: &Network,
        augmentation: RandomAffine,
    ) -> Result<Samples<'a>> {
        let samples = self.pool().install(|| {
            Samples::new(split, network.architecture(), self.gemm_backend(), augmentation)
        });
        Ok(samples?)
    }
}

/// Checks that `network` can read the images of `split` and tell its classes apart.
pub(super) fn check_compatible(network: &Network, split: &Split) -> Result<()> {
    let (input, shape) = (network.architecture().input(), split.shape());
    if input != shape {
        return Err(Error::Shape { network: input, images: shape });
    }
    let (known, needed) = (network.architecture().classes(), split.classes());
    if needed > known {
        return Err(Error::Classes { known, greatest: needed - 1 });
    }
    Ok(())
}
