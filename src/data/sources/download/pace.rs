//! How fast bytes must come, and until when.

use std::time::{Duration, Instant};

use super::Patience;

/// When a wait is over, however well it goes.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    begun: Instant,
    total: Duration,
}

impl Deadline {
    /// That of a wait of `total`, which begins now.
    pub(super) fn after(total: Duration) -> Self {
        Self { begun: Instant::now(), total }
    }

    /// How long it still is; `None` when it is over.
    pub(super) fn left(&self) -> Option<Duration> {
        self.total.checked_sub(self.begun.elapsed()).filter(|left| !left.is_zero())
    }

    /// How long the whole wait may be.
    pub(super) fn total(&self) -> Duration {
        self.total
    }
}

/// The least rate of one file from one host, over the connections that are cut: `least` bytes in
/// each `stall`.
pub(super) struct LeastRate {
    stall: Duration,
    least: u64,
    /// When so many bytes had come the last time, or the first of all; asking takes its own time.
    mark: Option<Instant>,
    /// How many have come since.
    since: u64,
}

impl LeastRate {
    /// The rate that `patience` asks for, from the first byte on.
    pub(super) fn of(patience: &Patience) -> Self {
        Self { stall: patience.stall, least: patience.least, mark: None, since: 0 }
    }

    /// Counts `bytes` that came; says whether that is fast enough.
    pub(super) fn keeps_up(&mut self, bytes: u64) -> bool {
        self.since += bytes;
        if self.since >= self.least {
            self.mark = None;
            self.since = 0;
        }
        self.mark.get_or_insert_with(Instant::now).elapsed() <= self.stall
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;

    #[test]
    fn what_comes_in_small_pieces_is_added_up() {
        let stall = Duration::from_millis(100);
        let mut rate = LeastRate::of(&Patience { stall, least: 100_000, ..Patience::USUAL });
        assert!(rate.keeps_up(70_000), "the first bytes begin the wait");
        sleep(2 * stall);
        assert!(rate.keeps_up(30_000), "late, but as many as were asked for");
        assert!(rate.keeps_up(1), "a new wait has begun");
        sleep(2 * stall);
        assert!(!rate.keeps_up(99_998));
    }
}
