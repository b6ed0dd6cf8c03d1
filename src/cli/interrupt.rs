//! Ctrl-C: the first asks for a stop after the current step, the second ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

use super::CommandError;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on, Ctrl-C is a request.
pub(super) fn listen() -> Result<(), CommandError> {
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(super::INTERRUPTED));
        }
    })?;
    Ok(())
}

/// Whether a stop was asked for.
pub(super) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
