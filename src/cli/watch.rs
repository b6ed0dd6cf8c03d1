//! What is done while a run goes on: it is shown.

use std::ops::ControlFlow;

use mnistry::Network;
use mnistry::train::{Epoch, Observer, ObserverError, Progress};

use super::meter::Meter;
#[cfg(feature = "serve")]
use super::serve::Live;

/// Watches a run.
pub(super) struct Watch {
    meter: Meter,
    /// The page that shows it.
    #[cfg(feature = "serve")]
    live: Option<Live>,
}

impl Watch {
    pub(super) fn new(meter: Meter) -> Self {
        Self {
            meter,
            #[cfg(feature = "serve")]
            live: None,
        }
    }

    /// From now on a page is told too.
    #[cfg(feature = "serve")]
    pub(super) fn tell(&mut self, live: Option<Live>) {
        self.live = live;
    }

    /// Ends the watch of a run that has ended, in whichever way.
    pub(super) fn end(self) {
        self.meter.abandon();
    }
}

impl Observer for Watch {
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.meter.step(progress);
        #[cfg(feature = "serve")]
        if let Some(live) = &mut self.live {
            live.step(progress);
        }
        ControlFlow::Continue(())
    }

    fn on_epoch_end(
        &mut self,
        epoch: &Epoch,
        _: &Network,
    ) -> Result<ControlFlow<()>, ObserverError> {
        self.meter.epoch(epoch);
        #[cfg(feature = "serve")]
        if let Some(live) = &mut self.live {
            live.epoch();
        }
        Ok(ControlFlow::Continue(()))
    }
}
