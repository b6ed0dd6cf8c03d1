//! What all buffers of a team share: how many work on them, on this rank and on others, whether one
//! has panicked, how they wait, and what the primary says.

use std::ops::Range;
use std::time::Duration;

use super::Cores;
use super::event_count::EventCount;
use super::shim::{Arc, AtomicBool, AtomicU64, AtomicUsize, Ordering, spin_until};
use super::step_signal::StepSignals;
use crate::ranks::Ranks;

/// The workers of a team, as far as they wait for each other.
///
/// A worker that waits spins first, for about as long as it would take to be woken: workers that
/// have a core each arrive by then. After that it sleeps, and gives its core to whoever is waited
/// for, or to another program. To yield instead keeps the core busy where other programs want it,
/// whom the scheduler then gives the time that the team needs.
#[derive(Clone, Debug)]
pub(crate) struct TeamSync(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Of this rank.
    workers: usize,
    /// Whether waiting workers spin before they sleep: not where the one that is waited for may need
    /// this one's core.
    spins: bool,
    /// Whether a worker has panicked: the others do not wait for it for ever.
    poisoned: AtomicBool,
    events: EventCount,
    signals: StepSignals,
    /// Where the team spans several ranks.
    span: Option<Span>,
    /// How long this rank has waited for the others, in nanoseconds.
    exchanging: AtomicU64,
}

/// How a team spans several ranks: the threads of all are its workers.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    ranks: Ranks,
    /// How many threads each rank has.
    threads: Vec<usize>,
}

impl Span {
    /// A team of the threads of all `ranks`, of which each has so many.
    pub(crate) fn new(ranks: Ranks, threads: Vec<usize>) -> Self {
        Self { ranks, threads }
    }

    /// The ranks.
    pub(crate) fn ranks(&self) -> &Ranks {
        &self.ranks
    }

    /// How many workers there are in all.
    pub(crate) fn workers(&self) -> usize {
        self.threads.iter().sum()
    }

    /// Which of them are those of rank `rank`.
    pub(super) fn workers_of(&self, rank: usize) -> Range<usize> {
        let first = self.threads[..rank].iter().sum();
        first..first + self.threads[rank]
    }
}

/// Whether there are fewer cores than `workers`.
pub(crate) fn oversubscribed(workers: usize) -> bool {
    workers > Cores::usable().logical
}

impl TeamSync {
    /// Of a team of `workers`.
    pub(crate) fn new(workers: usize) -> Self {
        Self::with(workers, !oversubscribed(workers), None)
    }

    /// Of a team that spans several ranks, which have more workers than cores where `oversubscribed`.
    pub(crate) fn across(span: Span, oversubscribed: bool) -> Self {
        Self::with(span.workers_of(span.ranks.rank()).len(), !oversubscribed, Some(span))
    }

    fn with(workers: usize, spins: bool, span: Option<Span>) -> Self {
        Self(Arc::new(Shared {
            workers,
            spins,
            poisoned: AtomicBool::new(false),
            events: EventCount::new(),
            signals: StepSignals::new(),
            span,
            exchanging: AtomicU64::new(0),
        }))
    }

    /// How many workers the team has, on all ranks.
    pub(super) fn workers(&self) -> usize {
        self.span().map_or(self.0.workers, Span::workers)
    }

    /// Which of them are threads of this rank.
    pub(crate) fn own_workers(&self) -> Range<usize> {
        self.span().map_or(0..self.0.workers, |span| span.workers_of(span.ranks.rank()))
    }

    /// How it spans several ranks, where it does.
    pub(super) fn span(&self) -> Option<&Span> {
        self.0.span.as_ref()
    }

    /// How long this rank has waited for the others up to now, sending and receiving among it.
    pub(crate) fn exchange_time(&self) -> Duration {
        Duration::from_nanos(self.0.exchanging.load(Ordering::Relaxed))
    }

    /// It has waited for so long more.
    pub(super) fn has_exchanged_for(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.0.exchanging.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// What the primary says.
    pub(crate) fn signals(&self) -> &StepSignals {
        &self.0.signals
    }

    /// What a worker holds while it works: dropped by a panic, it tells every waiting worker to
    /// give up.
    pub(crate) fn guard(&self) -> impl Drop {
        PoisonGuard(self.clone())
    }

    pub(super) fn poison(&self) {
        self.0.poisoned.store(true, Ordering::Release);
        self.0.events.notify_all();
    }

    /// Counts one to `counter`, for a worker of this rank: what this worker did before is known to whoever
    /// [waits](Self::wait_for) for it.
    #[inline]
    pub(super) fn count(&self, counter: &AtomicUsize) {
        let counted = counter.fetch_add(1, Ordering::AcqRel) + 1;
        // Only multiples are waited for.
        if counted.is_multiple_of(self.0.workers) {
            self.0.events.notify_all();
        }
    }

    /// Waits until every worker of this rank has counted to `counter` so many times.
    ///
    /// # Panics
    /// When another worker panics.
    #[inline]
    pub(super) fn wait_for(&self, counter: &AtomicUsize, times: usize) {
        let goal = times * self.0.workers;
        if counter.load(Ordering::Acquire) < goal {
            self.wait(counter, goal);
        }
    }

    fn wait(&self, counter: &AtomicUsize, goal: usize) {
        let Shared { spins, poisoned, events, .. } = &*self.0;
        let is_over =
            || counter.load(Ordering::Acquire) >= goal || poisoned.load(Ordering::Acquire);
        if !(*spins && spin_until(is_over)) {
            events.sleep_until(is_over);
        }
        assert!(!poisoned.load(Ordering::Acquire), "another worker has panicked");
    }
}

struct PoisonGuard(TeamSync);

impl Drop for PoisonGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.poison();
        }
    }
}
