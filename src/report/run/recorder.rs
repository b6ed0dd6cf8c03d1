//! What is recorded while a run goes on.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::folder::RunFolder;
use super::step_log::StepLog;
use crate::model::Network;
use crate::report::error::Result;
use crate::train::{Epoch, Observer, ObserverError, Progress};

/// Records a run and tells another observer of it.
pub(super) struct Recorder<'a> {
    observer: &'a mut dyn Observer,
    step_log: Option<StepLog>,
    /// What kept a step from being logged.
    logged: Result<()>,
    recorded: Recorded,
}

/// What a recorder leaves behind.
pub(super) struct Recorded {
    pub(super) folder: RunFolder,
    /// The epoch of the last step, from 1; 0 before the first step.
    pub(super) epoch: usize,
    /// The last step within that epoch, from 1; 0 before the first step.
    pub(super) step: usize,
    /// How long the network was not trained but saved and shown.
    pub(super) aside: Duration,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(
        observer: &'a mut dyn Observer,
        folder: RunFolder,
        step_log: Option<StepLog>,
    ) -> Self {
        let recorded = Recorded { folder, epoch: 0, step: 0, aside: Duration::ZERO };
        Self { observer, step_log, logged: Ok(()), recorded }
    }

    /// Ends the record of a run that has ended, in whichever way.
    ///
    /// # Errors
    /// When a step could not be logged.
    pub(super) fn end(self) -> Result<Recorded> {
        self.logged?;
        self.step_log.map_or(Ok(()), StepLog::finish)?;
        Ok(self.recorded)
    }
}

impl Observer for Recorder<'_> {
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.recorded.epoch = progress.epoch;
        self.recorded.step = progress.step;
        let flow = self.observer.on_step_end(progress);
        if let Some(log) = &mut self.step_log {
            self.logged = log.record(progress.loss);
        }
        if self.logged.is_err() { ControlFlow::Break(()) } else { flow }
    }

    fn on_epoch_end(
        &mut self,
        epoch: &Epoch,
        network: &Network,
    ) -> Result<ControlFlow<()>, ObserverError> {
        let start = Instant::now();
        self.recorded.folder.record(epoch, network)?;
        let flow = self.observer.on_epoch_end(epoch, network);
        self.recorded.aside += start.elapsed();
        flow
    }
}
