//! What is written down while a run goes on.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::folder::RunFolder;
use super::history_file::HistoryFile;
use super::pace::Pace;
use super::step_log::StepLog;
use crate::data::Split;
use crate::model::Network;
use crate::report::error::{Error, Result};
use crate::report::tensorboard::TensorBoard;
use crate::train::{Epoch, Observer, ObserverError, Progress, State};

/// How often a network is saved, however short epochs are.
const MODEL_INTERVAL: Duration = Duration::from_secs(1);
/// How often the whole state is saved: what a run that is killed has to do again.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(2);

/// The files that grow while a run goes on.
pub(super) struct Logs {
    pub(super) history: HistoryFile,
    pub(super) steps: Option<StepLog>,
    pub(super) tensorboard: Option<TensorBoard>,
}

/// Records a run and tells another observer of it.
pub(super) struct Recorder<'a> {
    observer: &'a mut dyn Observer,
    folder: &'a RunFolder,
    /// The images that are trained on.
    images: &'a Split,
    logs: Logs,
    /// What kept a step from being logged.
    logged: Result<()>,
    model: Unsaved,
    best: Unsaved,
    checkpoint: Pace,
    /// How long the network was not trained but saved and shown.
    aside: Duration,
}

impl Logs {
    fn add_step(&mut self, progress: &Progress) -> Result<()> {
        if let Some(log) = &mut self.steps {
            log.record(progress.loss)?;
        }
        match &mut self.tensorboard {
            Some(tensorboard) => tensorboard.add_step(progress),
            None => Ok(()),
        }
    }
}

/// A network that is saved from time to time.
struct Unsaved {
    pace: Pace,
    /// The network as it is to be saved, since it was saved last.
    network: Option<Network>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(
        observer: &'a mut dyn Observer,
        folder: &'a RunFolder,
        images: &'a Split,
        logs: Logs,
    ) -> Self {
        let unsaved = || Unsaved { pace: Pace::new(MODEL_INTERVAL), network: None };
        Self {
            observer,
            folder,
            images,
            logs,
            logged: Ok(()),
            model: unsaved(),
            best: unsaved(),
            checkpoint: Pace::new(CHECKPOINT_INTERVAL),
            aside: Duration::ZERO,
        }
    }

    /// Ends the record of a run that has ended in `state`, in whichever way; returns how long the
    /// network was not trained but saved and shown.
    ///
    /// # Errors
    /// When a step could not be logged, a file cannot be written, or the images have changed.
    pub(super) fn end(mut self, state: &State) -> Result<Duration> {
        self.logged?;
        if let Some(log) = &mut self.logs.steps {
            log.sync()?;
        }
        if let Some(tensorboard) = &mut self.logs.tensorboard {
            tensorboard.flush()?;
        }
        self.logs.history.sync()?;
        let folder = self.folder;
        self.best.save_now(|best| folder.save_best(best))?;
        let finite = check_finite(state.network(), state.epochs().len() + 1);
        let unchanged = self.images.check_unchanged();
        if finite.is_ok() && unchanged.is_ok() {
            folder.save_end(state)?;
        } else {
            // What there was before is good.
            self.model.save_now(|model| folder.save_model(model))?;
            folder.settle()?;
        }
        unchanged?;
        finite?;
        Ok(self.aside)
    }
}

impl Observer for Recorder<'_> {
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        let flow = self.observer.on_step_end(progress);
        self.logged = self.logs.add_step(progress);
        if self.logged.is_err() { ControlFlow::Break(()) } else { flow }
    }

    fn on_epoch_end(
        &mut self,
        epoch: &Epoch,
        network: &Network,
    ) -> Result<ControlFlow<()>, ObserverError> {
        let start = Instant::now();
        // What was learned from other images than those that the run began with is not kept.
        self.images.check_unchanged().map_err(Error::from)?;
        check_finite(network, epoch.epoch)?;
        let folder = self.folder;
        if !self.logs.history.is_open() {
            // It has its name only when the first files are on the disk.
            folder.settle()?;
        }
        self.model.take(network, |network| folder.save_model(network))?;
        self.best.save_if_due(|network| folder.save_best(network))?;
        self.logs.history.add(epoch)?;
        if let Some(tensorboard) = &mut self.logs.tensorboard {
            tensorboard.add_epoch(epoch)?;
        }
        let flow = self.observer.on_epoch_end(epoch, network);
        self.aside += start.elapsed();
        flow
    }

    fn on_best(&mut self, epoch: &Epoch, network: &Network) -> Result<(), ObserverError> {
        let start = Instant::now();
        let folder = self.folder;
        self.best.take(network, |network| folder.save_best(network))?;
        let told = self.observer.on_best(epoch, network);
        self.aside += start.elapsed();
        told
    }

    fn is_checkpoint_due(&mut self) -> bool {
        self.checkpoint.is_due()
    }

    fn on_checkpoint(&mut self, state: &State) -> Result<(), ObserverError> {
        let start = Instant::now();
        let Self { folder, images, logs, best, checkpoint, .. } = self;
        images.check_unchanged().map_err(Error::from)?;
        // The last good state is kept; the loss will tell.
        if check_finite(state.network(), state.epochs().len()).is_err() {
            return Ok(());
        }
        // A checkpoint promises that what it goes on from is on the disk.
        if let Some(log) = &mut logs.steps {
            log.sync()?;
        }
        best.save_now(|network| folder.save_best(network))?;
        checkpoint.spend(|| folder.save_checkpoint(state))?;
        self.aside += start.elapsed();
        Ok(())
    }
}

impl Unsaved {
    /// Saves `network` if that is due, else keeps it until it is.
    fn take(&mut self, network: &Network, save: impl FnOnce(&Network) -> Result<()>) -> Result<()> {
        if !self.pace.is_due() {
            self.network = Some(network.clone());
            return Ok(());
        }
        self.network = None;
        self.pace.spend(|| save(network))
    }

    /// Saves what is kept, if that is due.
    fn save_if_due(&mut self, save: impl FnOnce(&Network) -> Result<()>) -> Result<()> {
        if self.pace.is_due() { self.save_now(save) } else { Ok(()) }
    }

    /// Saves what is kept.
    fn save_now(&mut self, save: impl FnOnce(&Network) -> Result<()>) -> Result<()> {
        match self.network.take() {
            Some(network) => self.pace.spend(|| save(&network)),
            None => Ok(()),
        }
    }
}

/// Refuses a network of `epoch` that nobody could use.
fn check_finite(network: &Network, epoch: usize) -> Result<()> {
    let is_sound = |values: &[f32]| values.iter().all(|value| value.is_finite());
    match network.tensors().iter().find(|tensor| !is_sound(&tensor.values)) {
        Some(tensor) => Err(Error::NotFinite { epoch, tensor: tensor.name.clone() }),
        None => Ok(()),
    }
}
