//! Ctrl-C: the first asks for a stop after the current step, the second ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

use mnistry::{Error, Result};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on, Ctrl-C is a request.
pub(super) fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(super::INTERRUPTED));
        }
    })
    .map_err(|error| Error::Option(format!("cannot listen for Ctrl-C: {error}")))
}

/// Whether a stop was asked for.
pub(super) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
