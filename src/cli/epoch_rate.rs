//! How fast an epoch goes.

use std::time::Instant;

/// Samples a second since the first step of the epoch that was seen: one that a run goes on with was
/// begun earlier.
#[derive(Debug, Default)]
pub(super) struct EpochRate {
    first: Option<(usize, Instant)>,
}

impl EpochRate {
    /// After each step, with how many samples of the epoch are done.
    pub(super) fn step(&mut self, samples: usize) {
        if self.first.is_none() {
            self.first = Some((samples, Instant::now()));
        }
    }

    /// The rate when so many samples are done; `None` where nothing can be said yet.
    pub(super) fn at(&self, samples: usize) -> Option<f64> {
        let (first, seen) = self.first?;
        let rate = (samples - first) as f64 / seen.elapsed().as_secs_f64();
        (samples > first && rate.is_finite()).then_some(rate)
    }
}
