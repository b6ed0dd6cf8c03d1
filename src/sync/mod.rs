//! All the synchronisation there is between the workers of a team: buffers that they write and read
//! in turns, and that several ranks exchange; a barrier made of one, how they wait there, and the signals
//! of a run, which the turns order; how threads are begun, and for how many there are cores.

mod barrier;
mod cores;
mod event_count;
mod exchange;
#[cfg(all(test, loom))]
mod loom_tests;
mod shim;
mod step_signal;
mod team;
#[cfg(all(test, not(loom)))]
mod tests;
mod threads;
mod turn_buffer;

pub(crate) use barrier::{Barrier, barrier};
pub(crate) use cores::Cores;
pub(crate) use step_signal::StepSignals;
pub(crate) use team::{Exchanges, Span, TeamSync, oversubscribed};
pub(crate) use threads::{Background, lead_threads, map_in_parallel, pool_of, pool_of_all_cores};
pub(crate) use turn_buffer::{Reader, TurnBuffer, Writer, partly_told_turn_buffer, turn_buffer};
