//! Being asked to end: by Ctrl-C, or by what ends programs on a system that shuts down, a terminal
//! that closes, a job that has used its time. The first time is a request, which the engine heeds
//! after the step that it is in; a person who asks once more ends the process.
//!
//! Programs ask more than once too: `timeout` sends its signal to the program and to its group, a
//! shell and the system both tell of a terminal that closes, and the limit of processor time is told
//! of each second. So only Ctrl-C and SIGTERM end the process, and not within a second after the
//! first signal.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::{consts, flag};

use super::CommandError;

/// The signals that a person sends, and may send again.
const BY_PERSONS: [c_int; 2] = [consts::SIGINT, consts::SIGTERM];
/// Those that only systems send.
#[cfg(unix)]
const BY_SYSTEMS: [c_int; 2] = [consts::SIGHUP, consts::SIGXCPU];
#[cfg(not(unix))]
const BY_SYSTEMS: [c_int; 0] = [];

/// What a shell adds to the number of the signal that ended a program.
const BY_SIGNAL: c_int = 128;

/// Whether, and by which signal, the program was asked to end.
pub(super) struct Interrupt {
    /// The number of the last signal; 0 before the first.
    signal: Arc<AtomicUsize>,
    #[cfg(feature = "serve")]
    stop: Arc<AtomicBool>,
}

impl Interrupt {
    /// From now on, each of the signals is a request to what heeds `stop`.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn listen(stop: Arc<AtomicBool>) -> Result<Self, CommandError> {
        let signal = Arc::new(AtomicUsize::new(0));
        let signals = BY_PERSONS.into_iter().chain(BY_SYSTEMS);
        let signals: Vec<c_int> = signals.filter(|&number| !is_ignored(number)).collect();
        let is_armed =
            patience::armed_after_the_first(&signals).map_err(CommandError::Interrupt)?;
        for number in signals {
            // What is registered first is done first: this ends the process where it is armed.
            let ends = if BY_PERSONS.contains(&number) {
                let is_armed = Arc::clone(&is_armed);
                flag::register_conditional_shutdown(number, BY_SIGNAL + number, is_armed).map(drop)
            } else {
                Ok(())
            };
            ends.and_then(|()| flag::register_usize(number, Arc::clone(&signal), number as usize))
                .and_then(|_| flag::register(number, Arc::clone(&stop)))
                .map_err(CommandError::Interrupt)?;
        }
        Ok(Self {
            signal,
            #[cfg(feature = "serve")]
            stop,
        })
    }

    /// What is set when the program is asked to end.
    #[cfg(feature = "serve")]
    pub(super) fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// What a shell reports of a program that the signal ended; of Ctrl-C where another rank had it.
    pub(super) fn exit_code(&self) -> u8 {
        let signal = match self.signal.load(Ordering::Relaxed) {
            0 => consts::SIGINT,
            signal => signal as c_int,
        };
        (BY_SIGNAL + signal) as u8
    }
}

/// Whether whoever started the program wants it to live on: when its terminal closes (`nohup`), or
/// when Ctrl-C is for another program (`&` in a script).
#[cfg(target_os = "linux")]
fn is_ignored(signal: c_int) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Where the system does not tell in a file, every signal is heeded.
#[cfg(not(target_os = "linux"))]
fn is_ignored(_: c_int) -> bool {
    false
}

/// When another signal ends the process.
#[cfg(unix)]
mod patience {
    use super::{Arc, AtomicBool, Ordering, c_int};
    use std::io::{self, Read};
    use std::os::unix::net::UnixStream;
    use std::thread;
    use std::time::Duration;

    /// So long after the first signal others are taken for the same request.
    const AFTER: Duration = Duration::from_secs(1);

    /// A flag that is set a while after the first of `signals`.
    pub(super) fn armed_after_the_first(signals: &[c_int]) -> io::Result<Arc<AtomicBool>> {
        let is_armed = Arc::new(AtomicBool::new(false));
        let (mut told, teller) = UnixStream::pair()?;
        for &number in signals {
            signal_hook::low_level::pipe::register(number, teller.try_clone()?)?;
        }
        let armed = Arc::clone(&is_armed);
        // Where the system grants no thread, the program is only asked to end, however often.
        let _ = thread::Builder::new().name("mnistry-signals".into()).spawn(move || {
            if told.read_exact(&mut [0]).is_ok() {
                thread::sleep(AFTER);
                armed.store(true, Ordering::Relaxed);
            }
            // Kept, so that there is always someone to tell.
            std::mem::forget(told);
        });
        Ok(is_armed)
    }
}

/// When another signal ends the process: elsewhere only persons send any.
#[cfg(not(unix))]
mod patience {
    use super::{Arc, AtomicBool, c_int, flag};
    use std::io;

    pub(super) fn armed_after_the_first(signals: &[c_int]) -> io::Result<Arc<AtomicBool>> {
        let _ = (signals, flag::register);
        Ok(Arc::new(AtomicBool::new(false)))
    }
}
