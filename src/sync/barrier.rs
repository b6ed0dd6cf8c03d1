//! A barrier: where all workers of a team wait for each other.

use super::{TeamSync, TurnBuffer, turn_buffer};

/// A worker's access to a barrier.
///
/// It is an empty [`TurnBuffer`]: nobody can read before everyone has written.
pub(crate) struct Barrier(TurnBuffer);

/// Makes a barrier for `workers` workers: a handle for each.
pub(crate) fn barrier(workers: usize, sync: &TeamSync) -> Vec<Barrier> {
    turn_buffer(0, vec![Vec::new(); workers], sync).into_iter().map(Barrier).collect()
}

impl Barrier {
    /// Waits until every worker has come here.
    ///
    /// # Panics
    /// When another worker panics.
    pub(crate) fn wait(&mut self) {
        drop(self.0.write());
        self.0.read();
    }
}
