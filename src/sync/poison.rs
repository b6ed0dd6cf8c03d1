//! What a panic of one worker means to the others.

use super::shim::{Arc, AtomicBool, Ordering};

/// Set when a worker of a team has panicked, so that the others do not wait for it for ever.
#[derive(Clone, Debug)]
pub(crate) struct Poison(Arc<AtomicBool>);

impl Poison {
    /// Not set.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// What a worker holds while it works: dropped by a panic, it tells every waiting worker to
    /// give up.
    pub(crate) fn guard(&self) -> impl Drop {
        PoisonGuard(self.clone())
    }

    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

struct PoisonGuard(Poison);

impl Drop for PoisonGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set();
        }
    }
}
