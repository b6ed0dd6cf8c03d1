//! What is done while a run goes on: it is shown, logged, kept, and stopped when asked.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use mnistry::report::{RunFolder, StepLog};
use mnistry::train::{Epoch, Observer, Progress};
use mnistry::{Network, Result};

use super::interrupt;
use super::meter::Meter;

/// Watches a run.
pub(super) struct Watch {
    meter: Meter,
    folder: RunFolder,
    log: Option<StepLog>,
    /// What kept the log from being written.
    failed: Result<()>,
    /// Epoch and step of the last step.
    position: (usize, usize),
    aside: Duration,
}

/// What a watch leaves behind.
pub(super) struct Watched {
    pub(super) folder: RunFolder,
    /// Epoch and step of the last step, each from 1.
    pub(super) position: (usize, usize),
    /// How long the network was not trained but saved.
    pub(super) aside: Duration,
}

impl Watch {
    pub(super) fn new(meter: Meter, folder: RunFolder, log: Option<StepLog>) -> Self {
        Self { meter, folder, log, failed: Ok(()), position: (0, 0), aside: Duration::ZERO }
    }

    /// Ends the watch of a run that has ended, in whichever way.
    pub(super) fn end(self) -> Result<Watched> {
        self.meter.abandon();
        self.failed?;
        self.log.map_or(Ok(()), StepLog::finish)?;
        Ok(Watched { folder: self.folder, position: self.position, aside: self.aside })
    }
}

impl Observer for Watch {
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.position = (progress.epoch, progress.step);
        self.meter.step(progress);
        if let Some(log) = &mut self.log {
            self.failed = log.record(progress.loss);
        }
        if self.failed.is_err() || interrupt::requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn on_epoch_end(&mut self, epoch: &Epoch, network: &Network) -> Result<ControlFlow<()>> {
        let start = Instant::now();
        self.folder.record(epoch, network)?;
        self.meter.epoch(epoch);
        self.aside += start.elapsed();
        Ok(ControlFlow::Continue(()))
    }
}
