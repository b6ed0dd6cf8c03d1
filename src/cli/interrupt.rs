//! Being asked to end: by Ctrl-C, or by what ends programs on a system that shuts down, a terminal
//! that closes, a job that has used its time. The first time is a request, which the engine heeds
//! after the step that it is in; the second time ends the process.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mnistry::Engine;
use signal_hook::{consts, flag};

use super::CommandError;

/// The signals that ask.
#[cfg(unix)]
const SIGNALS: [c_int; 4] = [consts::SIGINT, consts::SIGTERM, consts::SIGHUP, consts::SIGXCPU];
#[cfg(not(unix))]
const SIGNALS: [c_int; 2] = [consts::SIGINT, consts::SIGTERM];

/// What a shell adds to the number of the signal that ended a program.
const BY_SIGNAL: c_int = 128;

/// Whether, and by which signal, the program was asked to end.
pub(super) struct Interrupt {
    /// The number of the last signal; 0 before the first.
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// From now on, each of the signals is a request to `engine`.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn listen(engine: &Engine) -> Result<Self, CommandError> {
        let (stop, signal) = (engine.stop_flag(), Arc::new(AtomicUsize::new(0)));
        for number in SIGNALS.into_iter().filter(|&number| !is_ignored(number)) {
            let stop = || Arc::clone(&stop);
            // What is registered first is done first: this ends the process where a signal has come
            // before.
            flag::register_conditional_shutdown(number, BY_SIGNAL + number, stop())
                .and_then(|_| flag::register_usize(number, Arc::clone(&signal), number as usize))
                .and_then(|_| flag::register(number, stop()))
                .map_err(CommandError::Interrupt)?;
        }
        Ok(Self { signal })
    }

    /// What a shell reports of a program that the signal ended.
    pub(super) fn exit_code(&self) -> u8 {
        BY_SIGNAL as u8 + self.signal.load(Ordering::Relaxed) as u8
    }
}

/// Whether whoever started the program wants it to live on when its terminal closes (`nohup`).
fn is_ignored(signal: c_int) -> bool {
    #[cfg(target_os = "linux")]
    if signal == consts::SIGHUP {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        return mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1);
    }
    let _ = signal;
    false
}
