//! Whether this process is one of many that were started to do the same.

use std::env;

use crate::cli::{CommandError, Outcome};

/// What tells a process how many there are, and which of them it is.
const STARTERS: [(&str, &str, &str); 3] = [
    ("mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    ("mpiexec", "PMI_SIZE", "PMI_RANK"),
    // Not of the job, whose script may start one process alone.
    ("srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
];

/// Processes that were started together.
pub(super) struct Ranks {
    starter: &'static str,
    size: usize,
    rank: usize,
}

impl Ranks {
    /// Those that this process is one of, if there are several.
    pub(super) fn started() -> Option<Self> {
        let number = |name| env::var(name).ok()?.parse().ok();
        STARTERS.into_iter().find_map(|(starter, size, rank)| {
            let size = number(size).filter(|&size| size > 1)?;
            Some(Self { starter, size, rank: number(rank).unwrap_or(0) })
        })
    }

    /// The first says why it does nothing, for all.
    pub(super) fn refuse(&self) -> Result<Outcome, CommandError> {
        match self.rank {
            0 => Err(CommandError::SameSweeps { ranks: self.size, starter: self.starter }),
            _ => Ok(Outcome::Partly),
        }
    }
}
