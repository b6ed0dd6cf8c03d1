//! All the synchronisation there is between the workers of a team.

mod stop_signal;
mod turn_buffer;

pub(crate) use stop_signal::StopSignal;
pub(crate) use turn_buffer::{Poison, Reader, TurnBuffer, Writer, oversubscribed, turn_buffer};
