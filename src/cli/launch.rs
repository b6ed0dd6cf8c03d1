//! Whether this process is one of many that were started to do the same, and how they work together.

use std::cell::Cell;
use std::env;
use std::thread;
use std::time::Duration;

use mnistry::Ranks;
use mnistry::sweep::Shard;

use super::{CommandError, Outcome, output};

/// What tells a process how many there are, and which of them it is.
const STARTERS: [(&str, &str, &str); 3] = [
    ("mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    ("mpiexec", "PMI_SIZE", "PMI_RANK"),
    // Not of the job, whose script may start one process alone.
    ("srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
];

/// For how long a process that fails leaves the first one to say why.
const TIME_TO_SPEAK: Duration = Duration::from_secs(1);

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
    /// The environment variable that says how many they are.
    variable: &'static str,
    size: usize,
    rank: usize,
}

impl Launch {
    /// Those that this process is one of, if there are several.
    pub(super) fn found() -> Option<Self> {
        let number = |name| env::var(name).ok()?.parse().ok();
        STARTERS.into_iter().find_map(|(starter, variable, rank)| {
            let size = number(variable).filter(|&size| size > 1)?;
            Some(Self { starter, variable, size, rank: number(rank).unwrap_or(0) })
        })
    }

    /// Whether `mpirun` started this one, if alone.
    pub(super) fn is_by_mpirun() -> bool {
        let is_there = |variable: &str| env::var_os(variable).is_some();
        STARTERS.iter().any(|(starter, size, _)| *starter != "srun" && is_there(size))
    }

    /// Says that each of them does the whole of `work`, which they do not share.
    pub(super) fn say_not_shared(self, work: &str) {
        let Self { starter, variable, size, .. } = self;
        output::note(format_args!(
            "each of the {size} processes that {starter} started, as {variable} has it, does all of \
             `mnistry {work}`: only the runs of `sweep` and the steps of `train` are shared"
        ));
    }

    /// Whether this is the one that speaks for all.
    pub(super) fn is_first(self) -> bool {
        self.rank == 0
    }

    /// Says that the first one says what is wrong: where a variable is left of something else, there is
    /// no other one. Then gives it time to: `mpirun` ends all as soon as one has failed.
    pub(super) fn defer(self) {
        let Self { variable, size, rank, .. } = self;
        output::note(format_args!(
            "process {rank} of {size} by {variable}: process 0 says what is wrong; if this one was started \
             alone, start it by `env -u {variable}`"
        ));
        thread::sleep(TIME_TO_SPEAK);
    }

    /// Refuses a `shard` that is not this process's own.
    ///
    /// # Errors
    /// When all may have been given the same.
    pub(super) fn check_shard(self, shard: Shard) -> Result<(), CommandError> {
        let Self { starter, variable, size, rank } = self;
        // Such as number rank + 1 of so many, or the same of an array of jobs.
        let is_own = (shard.number() - 1) % size == rank && shard.of().is_multiple_of(size);
        if is_own {
            return Ok(());
        }
        Err(CommandError::SharedShard { shard, processes: size, starter, variable })
    }

    /// Has them work together, at `work`: the first one does `lead`, the others `follow` it.
    pub(super) fn run(
        self,
        work: &'static str,
        lead: impl FnOnce(&Leader<'_>) -> Result<Outcome, CommandError>,
        follow: impl FnOnce(&Calls<'_>) -> Result<Outcome, CommandError>,
    ) -> Result<Outcome, CommandError> {
        let ranks = match self.join(work) {
            Ok(ranks) => ranks,
            Err(error) if self.is_first() => return Err(error),
            Err(_) => {
                self.defer();
                return Ok(Outcome::Partly);
            }
        };
        if !ranks.is_first() {
            let calls = Calls { ranks: &ranks, have_ended: Cell::new(false) };
            let outcome = follow(&calls);
            // No message may be left when MPI ends.
            while calls.next().is_some() {}
            // The first one has said it.
            return outcome.or(Ok(Outcome::Partly));
        }
        match lead(&Leader { ranks: &ranks, has_dismissed: Cell::new(false) }) {
            Err(CommandError::Usage(error)) => Err(error.into()),
            Err(error) => {
                // While the others still wait: `mpirun` may end this one as soon as one of them has
                // failed.
                output::note(format_args!("error: {error}"));
                Ok(Outcome::Partly)
            }
            outcome => outcome,
        }
    }

    /// Has them work together, at `work`.
    ///
    /// # Errors
    /// Where this program cannot.
    #[cfg(feature = "mpi")]
    fn join(self, _work: &'static str) -> Result<Ranks, CommandError> {
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
                variable: self.variable,
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
    fn join(self, work: &'static str) -> Result<Ranks, CommandError> {
        let Self { starter, variable, size, .. } = self;
        Err(CommandError::NoMpi { work, processes: size, starter, variable })
    }
}

/// Rank 0, which tells the others what to do. When it is dropped, there is nothing left.
pub(super) struct Leader<'a> {
    ranks: &'a Ranks,
    has_dismissed: Cell<bool>,
}

impl Leader<'_> {
    /// All of them.
    pub(super) fn ranks(&self) -> &Ranks {
        self.ranks
    }

    /// Tells the others something.
    pub(super) fn call(&self, message: &[u8]) {
        self.ranks.call(message);
    }

    /// Tells them that there is nothing left to do.
    pub(super) fn dismiss(&self) {
        if !self.has_dismissed.replace(true) {
            self.call(&[]);
        }
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.dismiss();
    }
}

/// What rank 0 tells another one.
pub(super) struct Calls<'a> {
    ranks: &'a Ranks,
    have_ended: Cell<bool>,
}

impl Calls<'_> {
    /// All of them.
    pub(super) fn ranks(&self) -> &Ranks {
        self.ranks
    }

    /// The next thing that it says, which is waited for; `None` where there is nothing left to do.
    pub(super) fn next(&self) -> Option<Vec<u8>> {
        if self.have_ended.get() {
            return None;
        }
        let message = self.ranks.await_call();
        self.have_ended.set(message.is_empty());
        Some(message).filter(|message| !message.is_empty())
    }
}
