//! Step signals: a step of a run, said by one worker and seen by all at the same step.

use super::shim::{AtomicU64, Ordering};

/// A step after which something happens that concerns the whole team.
///
/// The primary worker says it. The others look when they have waited for what the primary did in
/// the step after it, or at a barrier, so that all see the same: the buffers' turns order what is
/// stored here, too.
#[derive(Debug)]
pub(crate) struct StepSignal(AtomicU64);

/// The signals of a team.
#[derive(Debug)]
pub(crate) struct StepSignals {
    /// The step after which the team meets, for the primary to take what there is.
    pub(crate) meeting: StepSignal,
    /// The last step, of the run or of a segment of it.
    pub(crate) end: StepSignal,
}

impl StepSignal {
    /// No step was said yet.
    fn new() -> Self {
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

impl StepSignals {
    /// Words of all of them.
    pub(super) const WORDS: usize = 4;

    /// No step was said yet.
    pub(super) fn new() -> Self {
        Self { meeting: StepSignal::new(), end: StepSignal::new() }
    }

    /// What was said, for other ranks.
    pub(super) fn words(&self) -> [u32; Self::WORDS] {
        let [meeting, end] =
            [&self.meeting, &self.end].map(|signal| signal.0.load(Ordering::Relaxed));
        [meeting as u32, (meeting >> 32) as u32, end as u32, (end >> 32) as u32]
    }

    /// Takes what was said on another rank.
    pub(super) fn take(&self, words: [u32; Self::WORDS]) {
        let [meeting, meeting_high, end, end_high] = words.map(u64::from);
        self.meeting.say(meeting | meeting_high << 32);
        self.end.say(end | end_high << 32);
    }
}
