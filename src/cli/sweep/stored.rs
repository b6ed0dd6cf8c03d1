//! What is done with sweeps that are there: `sweep show` and `sweep merge`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mnistry::sweep::{Shard, Summary, SweepFolder, merge};

use super::SWEEPS;
use crate::cli::output::OutputOptions;
use crate::cli::{CommandError, Outcome};

#[derive(Subcommand)]
pub(super) enum Stored {
    Show(Show),
    Merge(Merge),
}

/// Sum a sweep up: a row a configuration
#[derive(Args)]
pub(super) struct Show {
    /// The folder of the sweep
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    #[command(flatten)]
    output: OutputOptions,
}

/// Bring the shards of a sweep together
#[derive(Args)]
pub(super) struct Merge {
    /// The folders of the shards
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,

    /// Where the whole is kept [default: the next of sweeps/1, sweeps/2 …]
    #[arg(long, value_name = "DIR")]
    sweep_dir: Option<PathBuf>,

    #[command(flatten)]
    output: OutputOptions,
}

impl Stored {
    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        match self {
            Self::Show(show) => print(&SweepFolder::open(&show.folder)?, &show.output),
            Self::Merge(merge) => merge.run(),
        }
    }
}

impl Merge {
    fn run(&self) -> Result<Outcome, CommandError> {
        let plan = match self.folders.first() {
            Some(first) => SweepFolder::open(first)?.plan().clone(),
            None => return Ok(Outcome::Done),
        };
        plan.check_shards()?;
        let mut whole = match &self.sweep_dir {
            Some(path) => SweepFolder::claim(path, &plan)?,
            None => SweepFolder::claim_in(SWEEPS, &plan, Shard::default())?,
        };
        merge(&self.folders, &mut whole)?;
        self.output.note(format_args!("merged in {}", whole.path().display()));
        print(&whole, &self.output)
    }
}

/// Prints what `folder` has up to now.
pub(super) fn print(folder: &SweepFolder, output: &OutputOptions) -> Result<Outcome, CommandError> {
    let summary = Summary::new(folder);
    output.print(&summary, || format!("\n{summary}\n"))
}
