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
    /// What telling the other ranks has cost this one.
    exchanges: Counters,
}

/// [`Exchanges`], as they are counted.
#[derive(Debug)]
struct Counters {
    count: AtomicU64,
    bytes: AtomicU64,
    nanoseconds: AtomicU64,
}

/// What telling other ranks has cost one, its own waiting for them among it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exchanges {
    /// How often it took what the others had to tell.
    pub(crate) count: u64,
    /// Bytes of that.
    pub(crate) bytes: u64,
    pub(crate) time: Duration,
}

/// How a team spans several ranks: the threads of all are its workers.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    ranks: Ranks,
    /// How many threads each rank has.
    threads: Vec<usize>,
    /// Whether a rank has more threads than cores.
    oversubscribed: bool,
}

impl Span {
    /// A team of the threads of all `ranks`, of which each has so many; more of them than cores where it
    /// is `oversubscribed`.
    pub(crate) fn new(ranks: Ranks, threads: Vec<usize>, oversubscribed: bool) -> Self {
        Self { ranks, threads, oversubscribed }
    }

    /// Whether a rank has more threads than cores.
    pub(crate) fn is_oversubscribed(&self) -> bool {
        self.oversubscribed
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

impl Exchanges {
    /// Those after `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        let Self { count, bytes, time } = before;
        Self { count: self.count - count, bytes: self.bytes - bytes, time: self.time - time }
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

    /// Of a team that spans several ranks.
    pub(crate) fn across(span: Span) -> Self {
        let own = span.workers_of(span.ranks.rank()).len();
        Self::with(own, !span.oversubscribed, Some(span))
    }

    fn with(workers: usize, spins: bool, span: Option<Span>) -> Self {
        Self(Arc::new(Shared {
            workers,
            spins,
            poisoned: AtomicBool::new(false),
            events: EventCount::new(),
            signals: StepSignals::new(),
            span,
            exchanges: Counters {
                count: AtomicU64::new(0),
                bytes: AtomicU64::new(0),
                nanoseconds: AtomicU64::new(0),
            },
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

    /// What telling the other ranks has cost this one up to now.
    pub(crate) fn exchanges(&self) -> Exchanges {
        let Counters { count, bytes, nanoseconds } = &self.0.exchanges;
        let [count, bytes, nanoseconds] =
            [count, bytes, nanoseconds].map(|counter| counter.load(Ordering::Relaxed));
        Exchanges { count, bytes, time: Duration::from_nanos(nanoseconds) }
    }

    /// It has taken so many bytes more of them, for which it waited so long.
    pub(super) fn count_exchange(&self, bytes: usize, time: Duration) {
        let Counters { count, bytes: all_bytes, nanoseconds } = &self.0.exchanges;
        count.fetch_add(1, Ordering::Relaxed);
        all_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        nanoseconds.fetch_add(time, Ordering::Relaxed);
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
