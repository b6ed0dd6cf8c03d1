//! What loom replaces when it explores the interleavings of the threads: atomics, shared pointers,
//! waiting, and the watch over what is read and written.

#[cfg(all(test, loom))]
mod loom;
#[cfg(not(all(test, loom)))]
mod real;

#[cfg(all(test, loom))]
pub(super) use self::loom::{
    Arc, AtomicBool, AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, Watch, fence,
    spin_until,
};
#[cfg(not(all(test, loom)))]
pub(super) use self::real::{
    Arc, AtomicBool, AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, Watch, fence,
    spin_until,
};
