//! What all buffers of a team share: how many work on them, whether one has panicked, and how they
//! wait.

use super::Cores;
use super::event_count::EventCount;
use super::shim::{Arc, AtomicBool, AtomicUsize, Ordering, spin_until};

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
    workers: usize,
    /// Whether waiting workers spin before they sleep: not where the one that is waited for may need
    /// this one's core.
    spins: bool,
    /// Whether a worker has panicked: the others do not wait for it for ever.
    poisoned: AtomicBool,
    events: EventCount,
}

/// Whether there are fewer cores than `workers`.
pub(crate) fn oversubscribed(workers: usize) -> bool {
    workers > Cores::usable().logical
}

impl TeamSync {
    /// Of a team of `workers`.
    pub(crate) fn new(workers: usize) -> Self {
        Self(Arc::new(Shared {
            workers,
            spins: !oversubscribed(workers),
            poisoned: AtomicBool::new(false),
            events: EventCount::new(),
        }))
    }

    /// How many workers there are.
    pub(super) fn workers(&self) -> usize {
        self.0.workers
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

    /// Counts one to `counter`: what this worker did before is known to whoever
    /// [waits](Self::wait_for) for it.
    #[inline]
    pub(super) fn count(&self, counter: &AtomicUsize) {
        let counted = counter.fetch_add(1, Ordering::AcqRel) + 1;
        // Only multiples are waited for.
        if counted.is_multiple_of(self.0.workers) {
            self.0.events.notify_all();
        }
    }

    /// Waits until every worker has counted to `counter` so many times.
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
