//! Loom's.

use std::ops::Range;

use ::loom::cell::UnsafeCell;
pub(crate) use ::loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
pub(crate) use ::loom::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Does not spin: what follows is explored instead.
pub(crate) fn spin_until(_condition: impl Fn() -> bool) -> bool {
    false
}

/// Sees every access to a buffer's vectors, and panics at one that nothing orders after another
/// thread's, or before it.
pub(crate) struct Watch(Vec<UnsafeCell<()>>);

impl Watch {
    pub(crate) fn new(length: usize) -> Self {
        Self((0..length).map(|_| UnsafeCell::new(())).collect())
    }

    pub(crate) fn read(&self, range: Range<usize>) {
        self.0[range].iter().for_each(|vector| vector.with(|_| ()));
    }

    pub(crate) fn write(&self, range: Range<usize>) {
        self.0[range].iter().for_each(|vector| vector.with_mut(|_| ()));
    }
}
