//! An event count: where threads sleep until something that others do has happened.

use super::shim::{AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, fence};

/// Where threads sleep until a condition holds that other threads bring about.
///
/// Whoever changes what conditions depend on [notifies](Self::notify_all) afterwards; where nobody
/// sleeps, which is the rule, that is a fence and a load.
///
/// No wake-up is lost. A sleeper counts itself before it looks at its condition for the last time, and
/// who notifies looks at the count after the change; a fence between the two, on either side, has one of
/// them see what the other did. And the sleeper holds the lock from before that last look until it
/// sleeps: who notifies takes it in between, so does so when the sleep has begun.
#[derive(Debug)]
pub(super) struct EventCount {
    sleepers: AtomicUsize,
    lock: Mutex<()>,
    wake: Condvar,
}

impl EventCount {
    pub(super) fn new() -> Self {
        Self { sleepers: AtomicUsize::new(0), lock: Mutex::new(()), wake: Condvar::new() }
    }

    /// Sleeps until `condition` holds.
    #[cold]
    pub(super) fn sleep_until(&self, condition: impl Fn() -> bool) {
        let mut guard = self.guard();
        self.sleepers.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        while !condition() {
            guard = match self.wake.wait(guard) {
                Ok(guard) => guard,
                Err(poisoned) => poisoned.into_inner(),
            };
        }
        self.sleepers.fetch_sub(1, Ordering::Relaxed);
    }

    /// Wakes all sleepers, to look at their conditions again.
    #[inline]
    pub(super) fn notify_all(&self) {
        fence(Ordering::SeqCst);
        if self.sleepers.load(Ordering::Relaxed) > 0 {
            self.wake_all();
        }
    }

    #[cold]
    fn wake_all(&self) {
        // Whoever has counted itself holds the lock until it sleeps.
        drop(self.guard());
        self.wake.notify_all();
    }

    fn guard(&self) -> MutexGuard<'_, ()> {
        // Nothing is kept under the lock, so a panic leaves nothing half done.
        match self.lock.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}
