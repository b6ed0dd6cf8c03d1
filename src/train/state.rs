//! Where a run stands between two steps.

use super::early_stopping::Best;
use super::error::{Error, Result};
use super::history::Epoch;
use super::options::FitOptions;
use crate::data::Split;
use crate::exec::layers::loss::Totals;
use crate::exec::worker::Worker;
use crate::model::{Network, Tensor};

/// Where a run stands between two steps: all that decides what comes next.
///
/// [`Engine::fit_from`](crate::Engine::fit_from) walks from state to state. What is random needs no
/// place here: its streams are named by seed, epoch and sample. So a run that goes on from a state
/// ends with the same bits as one that was never interrupted, whatever the threads and the
/// instruction set.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(super) options: FitOptions,
    pub(super) network: Network,
    /// What the optimiser keeps beside the parameters: for each of its slots, arrays of the
    /// parameters' names and shapes. None before the first step.
    pub(super) slots: Vec<Vec<Tensor>>,
    /// The completed epochs.
    pub(super) epochs: Vec<Epoch>,
    pub(super) partial: PartialEpoch,
    pub(super) best: Option<Best>,
}

/// What there is of an epoch that is not complete.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct PartialEpoch {
    /// Its steps that are done; all of them where its validation is yet to come.
    pub(super) steps: usize,
    /// The totals over their samples.
    pub(super) totals: Totals,
    /// How long they took.
    pub(super) seconds: f64,
}

impl State {
    /// Before the first step of a run of `network`.
    #[must_use]
    pub fn new(network: Network, options: FitOptions) -> Self {
        Self {
            options,
            network,
            slots: Vec::new(),
            epochs: Vec::new(),
            partial: PartialEpoch::default(),
            best: None,
        }
    }

    /// The settings of the run.
    #[must_use]
    pub fn options(&self) -> &FitOptions {
        &self.options
    }

    /// The network as it is now.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The completed epochs, in order.
    #[must_use]
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// How many steps are done of the epoch after the completed ones.
    #[must_use]
    pub fn step(&self) -> usize {
        self.partial.steps
    }

    /// How long the training took up to here, in seconds, without validation.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum::<f64>() + self.partial.seconds
    }

    /// How many steps are done in all, on `samples` samples an epoch.
    #[must_use]
    pub fn steps_done(&self, samples: usize) -> usize {
        self.epochs.len() * samples.div_ceil(self.options.batch_size) + self.partial.steps
    }

    /// The epoch of the lowest validation loss so far, and the network as it was after it.
    #[must_use]
    pub fn best(&self) -> Option<(usize, &Network)> {
        self.best.as_ref().map(|best| (best.epoch, &best.network))
    }

    /// Whether there is nothing left to train: all epochs are complete, the patience is at an end,
    /// or the accuracy is reached.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.epochs.len() >= self.options.epochs
            || self.has_lost_patience()
            || self.has_reached_goal()
    }

    /// Where early stopping has another network in the end than the last one: the epoch of the
    /// lowest validation loss, and the network as it was after it.
    #[must_use]
    pub fn restored(&self) -> Option<(usize, &Network)> {
        // A run that reached its accuracy keeps the network that has it.
        let is_wanted =
            self.is_complete() && self.options.patience.is_some() && !self.has_reached_goal();
        self.best().filter(|&(epoch, _)| is_wanted && epoch != self.epochs.len())
    }

    /// The network that the run is for: as it is now, or in the end that of the lowest validation
    /// loss where early stopping asks for it.
    #[must_use]
    pub fn result(&self) -> &Network {
        self.restored().map_or(&self.network, |(_, network)| network)
    }

    /// [`result`](Self::result), by value.
    #[must_use]
    pub fn into_result(self) -> Network {
        match self.restored().is_some() {
            true => self.best.map_or(self.network, |best| best.network),
            false => self.network,
        }
    }

    /// Has the run go on to `epochs` epochs, or end with them, as if it had been told so from the
    /// start.
    ///
    /// # Errors
    /// When more epochs are complete already, or the learning rate of the steps that are done
    /// depended on how many there would be.
    pub fn set_epochs(&mut self, epochs: usize) -> Result<()> {
        if epochs == self.options.epochs {
            return Ok(());
        }
        let begun = self.epochs.len() + usize::from(self.partial.steps > 0);
        if epochs < begun {
            return Err(Error::EpochsDone { epochs, done: begun });
        }
        if begun > 0 && self.options.schedule.depends_on_epochs() {
            return Err(Error::EpochsDecide { planned: self.options.epochs, epochs });
        }
        self.options.epochs = epochs;
        Ok(())
    }

    /// Refuses a state that is none of a run on `train`, the samples without those held out.
    pub(super) fn check(&self, train: &Split) -> Result<()> {
        let steps = train.len().div_ceil(self.options.batch_size);
        let samples = self.partial.steps.saturating_mul(self.options.batch_size).min(train.len());
        if self.partial.steps > steps || self.partial.totals.samples != samples {
            return Err(Error::Position { step: self.partial.steps, steps });
        }
        Ok(())
    }

    /// Room for `slots` slots of each parameter, all zero where they are not there yet.
    pub(super) fn reserve_slots(&mut self, slots: usize) {
        let zeros = |tensor: &Tensor| Tensor {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            values: vec![0.0; tensor.values.len()],
        };
        let network = &self.network;
        let zeros = || network.tensors().iter().map(zeros).collect();
        self.slots.resize_with(slots - 1, zeros);
    }

    /// Takes the parameters and all that the optimiser keeps as they are now.
    pub(super) fn take_parameters(&mut self, worker: &Worker) {
        worker.copy_parameters(0, self.network.tensors_mut());
        for (slot, tensors) in self.slots.iter_mut().enumerate() {
            worker.copy_parameters(1 + slot, tensors);
        }
    }

    /// Gives the worker its part of the parameters and of what the optimiser keeps.
    pub(super) fn give_parameters(&self, worker: &mut Worker) {
        worker.load_parameters(0, self.network.tensors());
        for (slot, tensors) in self.slots.iter().enumerate() {
            worker.load_parameters(1 + slot, tensors);
        }
    }
}
