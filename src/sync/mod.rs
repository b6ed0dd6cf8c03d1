//! All the synchronisation there is between the workers of a team.

mod turn_buffer;

pub(crate) use turn_buffer::{Poison, Reader, Seat, Writer, is_crowded, share};
