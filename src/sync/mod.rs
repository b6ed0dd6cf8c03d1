//! All the synchronisation there is between the workers of a team.

mod turn_buffer;

pub(crate) use turn_buffer::{Poison, Reader, TurnBuffer, Writer, oversubscribed, turn_buffer};
