//! How often something is saved.

use std::time::{Duration, Instant};

/// When something is due that takes a while: after an interval, and so seldom that it takes but a
/// small share of the time.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// The interval, or longer where it took long the last time.
    wait: Duration,
    last: Instant,
}

/// The share of the time that may be spent: one part in so many.
const SHARE: u32 = 20;

impl Pace {
    /// Due for the first time when `interval` has passed.
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, wait: interval, last: Instant::now() }
    }

    /// Whether it is due.
    pub(super) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.wait
    }

    /// Does it, and notes how long that took.
    pub(super) fn spend<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        self.last = Instant::now();
        self.wait = self.interval.max(start.elapsed() * SHARE);
        done
    }
}
