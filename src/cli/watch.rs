//! What is done while a run goes on: it is shown.

use std::ops::ControlFlow;

use mnistry::Network;
use mnistry::train::{Epoch, Observer, ObserverError, Progress};

use super::meter::Meter;

/// Watches a run.
pub(super) struct Watch {
    meter: Meter,
}

impl Watch {
    pub(super) fn new(meter: Meter) -> Self {
        Self { meter }
    }

    /// Ends the watch of a run that has ended, in whichever way.
    pub(super) fn end(self) {
        self.meter.abandon();
    }
}

impl Observer for Watch {
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.meter.step(progress);
        ControlFlow::Continue(())
    }

    fn on_epoch_end(
        &mut self,
        epoch: &Epoch,
        _: &Network,
    ) -> Result<ControlFlow<()>, ObserverError> {
        self.meter.epoch(epoch);
        Ok(ControlFlow::Continue(()))
    }
}
