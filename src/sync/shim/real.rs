//! The standard library's.

use std::ops::Range;

pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Waits a moment: by spinning, or by letting another thread run.
pub(crate) fn pause(spin: bool) {
    if spin { std::hint::spin_loop() } else { std::thread::yield_now() }
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
