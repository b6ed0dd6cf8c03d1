//! What a run can be told.

use serde::{Deserialize, Serialize};

use super::class_weights::ClassWeights;
use super::error::OptionError;
use crate::image::RandomAffine;
use crate::kernels::optim::{InvalidOption, Optimizer, check_fraction};
use crate::train::schedule::{LrDecay, LrSchedule, StepIndex};

/// Settings of a run; the defaults are Keras's, with the epochs of the tutorial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FitOptions {
    /// How many times every sample is seen.
    pub epochs: usize,
    /// Samples a step; the last step of an epoch may have fewer.
    pub batch_size: usize,
    /// How gradients move weights.
    pub optimizer: Optimizer,
    /// Whether each epoch has its own order of samples.
    pub shuffle: bool,
    /// Seeds shuffling, dropout and augmentation.
    pub seed: u64,
    /// How the learning rate changes.
    pub schedule: LrSchedule,
    /// The share of itself, times the learning rate, that each weight loses in each step, apart
    /// from its gradient.
    pub weight_decay: f64,
    /// The share of each label that is spread over all classes.
    pub label_smoothing: f32,
    /// How much each class counts in the loss; all the same where it is `None`.
    pub class_weights: Option<ClassWeights>,
    /// How images are augmented, anew in each epoch.
    pub augmentation: RandomAffine,
    /// The share of the samples, the last ones, that are not trained on but tested with after each
    /// epoch.
    pub validation_split: f64,
    /// Ends the run after so many epochs without a lower validation loss; the network is then as
    /// it was when that was lowest.
    pub patience: Option<usize>,
    /// Ends the run after the first epoch whose validation accuracy is at least this, from 0 to 1.
    pub until_accuracy: Option<f64>,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            epochs: 5,
            batch_size: 32,
            optimizer: Optimizer::default(),
            shuffle: true,
            seed: 0,
            schedule: LrSchedule::default(),
            weight_decay: 0.0,
            label_smoothing: 0.0,
            class_weights: None,
            augmentation: RandomAffine::default(),
            validation_split: 0.0,
            patience: None,
            until_accuracy: None,
        }
    }
}

/// The largest minibatch.
const LARGEST_BATCH: usize = 1 << 16;

impl FitOptions {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> Result<(), OptionError> {
        if self.batch_size == 0 || self.batch_size > LARGEST_BATCH {
            let (found, most) = (self.batch_size, LARGEST_BATCH);
            return Err(OptionError::BatchSize { found, most });
        }
        check_fraction("the validation split", self.validation_split)?;
        check_fraction("the label smoothing", f64::from(self.label_smoothing))?;
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            let (name, value) = ("the weight decay", self.weight_decay);
            return Err(InvalidOption { name, value, expected: "0 or more" }.into());
        }
        match self.patience {
            Some(0) => return Err(OptionError::NoPatience),
            Some(_) if self.validation_split == 0.0 => {
                return Err(OptionError::PatienceWithoutValidation);
            }
            _ => {}
        }
        if let Some(goal) = self.until_accuracy.filter(|goal| !(*goal > 0.0 && *goal <= 1.0)) {
            return Err(OptionError::Goal(goal));
        }
        self.schedule.check()?;
        let LrSchedule { warm_up, decay } = self.schedule;
        if decay == LrDecay::OneCycle && warm_up > 0.0 && warm_up >= self.epochs as f64 {
            return Err(OptionError::EndlessRise { warm_up, epochs: self.epochs });
        }
        self.augmentation.check()?;
        Ok(self.optimizer.check()?)
    }

    /// Whether there is validation after each epoch: by samples that are set aside, or, where the run
    /// ends by its accuracy, by others.
    pub(crate) fn is_validated(&self) -> bool {
        self.validation_split > 0.0 || self.until_accuracy.is_some()
    }

    /// Whether the run ends by the accuracy on images that are not among those it is given to train
    /// on: a recorded run by that on the test images.
    #[must_use]
    pub fn is_judged_by_others(&self) -> bool {
        self.until_accuracy.is_some() && self.validation_split == 0.0
    }

    /// The learning rate at step `step`, counted from 1 over all epochs, each of so many steps.
    #[must_use]
    pub fn learning_rate(&self, step: usize, steps_per_epoch: usize) -> f64 {
        let steps_per_epoch = steps_per_epoch.max(1);
        let at = StepIndex::after(step.max(1), steps_per_epoch, self.epochs);
        self.optimizer.learning_rate() * self.schedule.factor(at)
    }

    /// Of `samples` samples, how many are trained on: all but those of the
    /// [`validation_split`](Self::validation_split).
    #[must_use]
    pub fn training_samples(&self, samples: usize) -> usize {
        (samples as f64 * (1.0 - self.validation_split)) as usize
    }
}
