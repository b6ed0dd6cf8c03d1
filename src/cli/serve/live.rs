//! How far the run is that this process trains: written by the thread that trains, read by the page.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mnistry::train::Progress;

use crate::cli::epoch_rate::EpochRate;
use crate::cli::frame_clock::FrameClock;

/// How often the page is told of a step.
const FRAME: Duration = Duration::from_millis(200);

/// How far the run is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) progress: Progress,
    /// Samples a second of this epoch.
    pub(super) rate: f64,
}

/// Where it is written.
pub(super) type Told = Arc<Mutex<Option<Pace>>>;

/// Tells the page of the steps of a run.
pub(in crate::cli) struct Live {
    told: Told,
    clock: FrameClock,
    rate: EpochRate,
}

impl Live {
    /// One that writes to `told`.
    pub(super) fn new(told: Told) -> Self {
        Self { told, clock: FrameClock::new(FRAME), rate: EpochRate::default() }
    }

    /// After each step; costs a few nanoseconds but once in a [`FRAME`].
    pub(in crate::cli) fn step(&mut self, progress: &Progress) {
        self.rate.step(progress.samples);
        if self.clock.due() {
            let rate = self.rate.at(progress.samples);
            self.tell(rate.map(|rate| Pace { progress: *progress, rate }));
        }
    }

    /// After each epoch.
    pub(in crate::cli) fn epoch(&mut self) {
        self.rate = EpochRate::default();
        self.tell(None);
    }

    fn tell(&self, pace: Option<Pace>) {
        // Only ever replaced as a whole, so that it is sound whatever a thread did that panicked.
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = pace;
    }
}
