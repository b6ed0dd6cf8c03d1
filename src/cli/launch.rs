//! Whether this process is one of many that were started to do the same, and how they work together.

use std::env;
#[cfg(feature = "mpi")]
use std::time::Duration;

use mnistry::Ranks;

use super::{CommandError, Outcome, output};

/// What tells a process how many there are, and which of them it is.
const STARTERS: [(&str, &str, &str); 3] = [
    ("mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    ("mpiexec", "PMI_SIZE", "PMI_RANK"),
    // Not of the job, whose script may start one process alone.
    ("srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
];

/// For how many seconds a rank waits for an answer of others, where the environment does not say it.
#[cfg(feature = "mpi")]
const PATIENCE: u64 = 300;

/// The environment variable that says it.
#[cfg(feature = "mpi")]
const PATIENCE_VARIABLE: &str = "MNISTRY_RANK_TIMEOUT";

/// Processes that were started together.
#[derive(Clone, Copy)]
pub(super) struct Launch {
    starter: &'static str,
    size: usize,
    rank: usize,
}

impl Launch {
    /// Those that this process is one of, if there are several.
    pub(super) fn found() -> Option<Self> {
        let number = |name| env::var(name).ok()?.parse().ok();
        STARTERS.into_iter().find_map(|(starter, size, rank)| {
            let size = number(size).filter(|&size| size > 1)?;
            Some(Self { starter, size, rank: number(rank).unwrap_or(0) })
        })
    }

    /// Whether this is the one that speaks for all.
    pub(super) fn is_first(self) -> bool {
        self.rank == 0
    }

    /// Has them work together, at `work`.
    ///
    /// # Errors
    /// Where this program cannot.
    #[cfg(feature = "mpi")]
    pub(super) fn join(self, _work: &'static str) -> Result<Ranks, CommandError> {
        let patience = match env::var(PATIENCE_VARIABLE) {
            Err(_) => PATIENCE,
            Ok(text) => match text.parse() {
                Ok(seconds @ 1..) => seconds,
                _ => return Err(CommandError::Patience { name: PATIENCE_VARIABLE, value: text }),
            },
        };
        let ranks = Ranks::by_mpi(Duration::from_secs(patience))?;
        match ranks.size() == self.size {
            true => Ok(ranks),
            // As where srun is not told which MPI there is.
            false => Err(CommandError::OtherMpi {
                starter: self.starter,
                started: self.size,
                found: ranks.size(),
            }),
        }
    }

    /// Has them work together, at `work`.
    ///
    /// # Errors
    /// Where this program cannot.
    #[cfg(not(feature = "mpi"))]
    pub(super) fn join(self, work: &'static str) -> Result<Ranks, CommandError> {
        let Self { starter, size, .. } = self;
        Err(CommandError::NoMpi { work, processes: size, starter })
    }
}

/// Rank 0, which tells the others what to do. When it is dropped, there is nothing left.
pub(super) struct Leader<'a>(&'a Ranks);

impl<'a> Leader<'a> {
    /// Of `ranks`, the others of which wait for a [call](await_call).
    pub(super) fn new(ranks: &'a Ranks) -> Self {
        Self(ranks)
    }

    /// All of them.
    pub(super) fn ranks(&self) -> &Ranks {
        self.0
    }

    /// Tells the others something.
    pub(super) fn call(&self, message: &[u8]) {
        self.0.call(message);
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.0.call(&[]);
    }
}

/// What came of rank 0's work: what went wrong is said here, while the others wait for it, as `mpirun`
/// may end it as soon as one of them has failed.
pub(super) fn say(outcome: Result<Outcome, CommandError>) -> Result<Outcome, CommandError> {
    match outcome {
        Err(CommandError::Usage(error)) => Err(error.into()),
        Err(error) => {
            output::note(format_args!("error: {error}"));
            Ok(Outcome::Partly)
        }
        outcome => outcome,
    }
}

/// What rank 0 tells this one, which is another; `None` where there is nothing left.
pub(super) fn await_call(ranks: &Ranks) -> Option<Vec<u8>> {
    Some(ranks.await_call()).filter(|message| !message.is_empty())
}
