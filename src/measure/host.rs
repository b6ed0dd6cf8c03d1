//! What of a machine decides how fast it is.

use serde::{Deserialize, Serialize};

use super::Machine;
use crate::memory::{Cache, caches};
use crate::sync::Cores;

/// A machine as measurements are compared on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Host {
    /// What it is called.
    #[serde(flatten)]
    pub machine: Machine,
    /// The cores that this process may use: those that share no arithmetic units.
    pub physical_cores: usize,
    /// The caches that its first core sees, in the system's order; none where the system does not tell: it
    /// does on Linux.
    pub caches: Vec<Cache>,
}

impl Host {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        Self {
            machine: Machine::this(),
            physical_cores: Cores::usable().physical,
            caches: caches().to_vec(),
        }
    }

    /// The greatest cache in bytes, if any is known.
    pub(super) fn last_cache_bytes(&self) -> Option<u64> {
        self.caches.iter().map(|cache| cache.kib.saturating_mul(1024)).max()
    }
}
