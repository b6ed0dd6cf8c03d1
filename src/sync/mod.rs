//! All the synchronisation there is between the workers of a team: buffers that they write and read
//! in turns, a barrier made of one, and the signals of a run, which the turns order; and how threads
//! are begun.

mod barrier;
#[cfg(all(test, loom))]
mod loom_tests;
mod poison;
mod shim;
mod step_signal;
#[cfg(all(test, not(loom)))]
mod tests;
mod threads;
mod turn_buffer;

pub(crate) use barrier::{Barrier, barrier};
pub(crate) use poison::Poison;
pub(crate) use step_signal::StepSignal;
pub(crate) use threads::{Background, map_in_parallel, pool_of, pool_of_all_cores};
pub(crate) use turn_buffer::{Reader, TurnBuffer, Writer, oversubscribed, turn_buffer};
