//! All the synchronisation there is between the workers of a team: buffers that they write and read
//! in turns, and a barrier made of one.

mod barrier;
#[cfg(all(test, loom))]
mod loom_tests;
mod poison;
mod shim;
#[cfg(all(test, not(loom)))]
mod tests;
mod turn_buffer;

pub(crate) use barrier::{Barrier, barrier};
pub(crate) use poison::Poison;
pub(crate) use turn_buffer::{Reader, TurnBuffer, Writer, oversubscribed, turn_buffer};
