//! What a run leaves behind, and who may watch it.

use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

use super::state::State;
use crate::model::Network;

/// One epoch of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// The mean loss over the epoch's samples, each taken as it was met.
    pub loss: f64,
    /// The share of samples read correctly, each as it was met.
    pub accuracy: f64,
    /// How long it took, without validation.
    pub seconds: f64,
    /// How the network did after it on the samples that are not trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
}

/// How a network does on samples that it is not trained on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// The mean loss.
    pub loss: f64,
    /// The share of samples read correctly.
    pub accuracy: f64,
}

/// How much of an epoch was trained by so many threads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamUse {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The threads.
    pub threads: usize,
    /// The steps that they made.
    pub steps: usize,
    /// How long these took, in seconds.
    pub seconds: f64,
}

/// The epochs of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The completed ones, in order.
    pub epochs: Vec<Epoch>,
    /// Whether an [`Observer`] ended the run before its last epoch was complete.
    pub stopped: bool,
    /// Where the network is not that of the last epoch, the one that it is of: the epoch of the
    /// lowest validation loss.
    pub best: Option<usize>,
    /// How many threads trained which epochs, in order: more than one entry an epoch where their
    /// number changed within it. Without those of a run that this one went on with.
    pub teams: Vec<TeamUse>,
}

/// How far a run is, after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step within the epoch, from 1.
    pub step: usize,
    /// The mean loss of the step's minibatch, before its update.
    pub loss: f32,
    /// Samples seen in this epoch.
    pub samples: usize,
    /// The mean loss of the epoch so far.
    pub epoch_loss: f64,
    /// The accuracy of the epoch so far.
    pub epoch_accuracy: f64,
}

/// What an [`Observer`] may end a run with.
pub type ObserverError = Box<dyn std::error::Error + Send + Sync>;

/// Watches a run; each method may do nothing.
pub trait Observer: Send {
    /// After each step.
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        let _ = progress;
        ControlFlow::Continue(())
    }

    /// Whether it wants to know the whole state now, which takes the team a while: asked after each
    /// step, and answered by [`on_checkpoint`](Self::on_checkpoint) before the next one.
    fn is_checkpoint_due(&mut self) -> bool {
        false
    }

    /// The state of the run between two steps, where a
    /// [checkpoint is due](Self::is_checkpoint_due).
    ///
    /// # Errors
    /// What it returns ends the run.
    fn on_checkpoint(&mut self, state: &State) -> Result<(), ObserverError> {
        let _ = state;
        Ok(())
    }

    /// After [`on_epoch_end`](Self::on_epoch_end) of an epoch whose validation loss is the lowest so
    /// far, with the network as it is then.
    ///
    /// # Errors
    /// What it returns ends the run.
    fn on_best(&mut self, epoch: &Epoch, network: &Network) -> Result<(), ObserverError> {
        let _ = (epoch, network);
        Ok(())
    }

    /// After each completed epoch, with the network as it is then.
    ///
    /// # Errors
    /// What it returns ends the run.
    fn on_epoch_end(
        &mut self,
        epoch: &Epoch,
        network: &Network,
    ) -> Result<ControlFlow<()>, ObserverError> {
        let _ = (epoch, network);
        Ok(ControlFlow::Continue(()))
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
