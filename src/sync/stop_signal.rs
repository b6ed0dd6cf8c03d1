//! The stop signal: the last step of a run, said by one worker and seen by all at the same step.

use super::shim::{AtomicU64, Ordering};

/// The last step of a run, once the primary worker has said so.
///
/// The others look when they have waited for what the primary did in the step after it, so that
/// all see the same: the buffers' turns order what is stored here, too.
#[derive(Debug)]
pub(crate) struct StopSignal(AtomicU64);

impl StopSignal {
    /// No step is the last yet.
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }

    /// Step `step` shall be the last one.
    pub(crate) fn stop_after(&self, step: u64) {
        self.0.store(step, Ordering::Relaxed);
    }

    /// Whether the run has ended before step `step`.
    pub(crate) fn is_before(&self, step: u64) -> bool {
        self.0.load(Ordering::Relaxed) < step
    }

    /// Whether the run ends with step `step`, or has ended before.
    pub(crate) fn is_reached(&self, step: u64) -> bool {
        self.0.load(Ordering::Relaxed) <= step
    }
}
