//! The standard library's.

use std::hint::spin_loop;
use std::ops::Range;
use std::time::{Duration, Instant};

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// How long a thread spins: about as long as another one takes to be woken.
const SPINNING: Duration = Duration::from_micros(25);

/// How often it looks between two looks at the clock.
const LOOKS: usize = 32;

/// Spins until `condition` holds, but not for long; returns whether it holds.
pub(crate) fn spin_until(condition: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        for _ in 0..LOOKS {
            if condition() {
                return true;
            }
            spin_loop();
        }
        if begun.elapsed() > SPINNING {
            return false;
        }
    }
}

/// Sees every access to a buffer's vectors, and has nothing to say.
pub(crate) struct Watch;

impl Watch {
    pub(crate) fn new(_length: usize) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn read(&self, _range: Range<usize>) {}

    #[inline(always)]
    pub(crate) fn write(&self, _range: Range<usize>) {}
}
