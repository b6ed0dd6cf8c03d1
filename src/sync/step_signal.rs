//! A step signal: a step of a run, said by one worker and seen by all at the same step.

use super::shim::{AtomicU64, Ordering};

/// A step after which something happens that concerns the whole team: it meets, or the run ends.
///
/// The primary worker says it. The others look when they have waited for what the primary did in
/// the step after it, or at a barrier, so that all see the same: the buffers' turns order what is
/// stored here, too.
#[derive(Debug)]
pub(crate) struct StepSignal(AtomicU64);

impl StepSignal {
    /// No step was said yet.
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }

    /// It is step `step`.
    pub(crate) fn say(&self, step: u64) {
        self.0.store(step, Ordering::Relaxed);
    }

    /// Whether it is step `step`.
    pub(crate) fn is_at(&self, step: u64) -> bool {
        self.0.load(Ordering::Relaxed) == step
    }
}
