//! Limits of the size of files (RLIMIT_FSIZE): the signal that meets who writes beyond them would
//! end the process without a word.

/// From now on such a signal does nothing, so that the write fails, which is an error like any
/// other.
pub(super) fn heed() {
    #[cfg(unix)]
    {
        use std::sync::Arc;
        use std::sync::atomic::AtomicBool;

        let noted = Arc::new(AtomicBool::new(false));
        // Where the system refuses a handler, all is as it would be without.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, noted);
    }
}
