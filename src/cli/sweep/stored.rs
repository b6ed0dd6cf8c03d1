//! What is done with sweeps that are there: `sweep show` and `sweep merge`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use mnistry::report::{PAGE_FILE, check_output, sweep_page, write_page};
use mnistry::sweep::{PlannedRun, Shard, Shards, Summary, SweepFolder, in_ranges};

use super::SWEEPS;
use crate::cli::common::{check_page, output_file};
use crate::cli::output::OutputOptions;
use crate::cli::{CommandError, Outcome};

/// So many runs that are missing are named.
const NAMED: usize = 20;

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

    /// Write the report as a web page to this file: the table, a strip plot, parallel coordinates. A
    /// sweep leaves it as report.html in its folder when it ends; of one that is not complete it has
    /// the runs that are done
    #[arg(long, value_name = "FILE", value_parser = output_file)]
    html: Option<PathBuf>,

    #[command(flatten)]
    output: OutputOptions,
}

/// Bring the shards of a sweep together
///
/// Where runs are in none of them, what is there is kept and summed up, the missing ones are said, and
/// the exit code is 1.
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
    /// What it is called.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Show(_) => "sweep show",
            Self::Merge(_) => "sweep merge",
        }
    }

    pub(super) fn run(&self) -> Result<Outcome, CommandError> {
        match self {
            Self::Show(show) => show.run(),
            Self::Merge(merge) => merge.run(),
        }
    }
}

impl Show {
    fn run(&self) -> Result<Outcome, CommandError> {
        let folder = SweepFolder::open(&self.folder)?;
        if let Some(file) = &self.html {
            check_page(file)?;
            check_output(file, folder.files())?;
            write_report(&folder, file, &self.output)?;
        }
        print(&folder, &self.output)
    }
}

impl Merge {
    fn run(&self) -> Result<Outcome, CommandError> {
        // Before there is a folder.
        let shards = Shards::open(&self.folders)?;
        let mut whole = match &self.sweep_dir {
            Some(path) => SweepFolder::claim(path, &shards.claim()?)?,
            None => SweepFolder::claim_next_in(SWEEPS, &shards.claim()?)?,
        };
        shards.merge_into(&mut whole)?;
        self.output.note(format_args!("merged into {}", whole.path().display()));
        let missing = whole.to_do(Shard::default()).map(|run: &PlannedRun| run.number as u64);
        let missing: Vec<u64> = missing.collect();
        if !missing.is_empty() {
            let (first, more) = missing.split_at(missing.len().min(NAMED));
            self.output.note(format_args!(
                "{} of {} runs are in none of them: {}{}",
                missing.len(),
                whole.runs().len(),
                in_ranges(first),
                if more.is_empty() { "" } else { " …" },
            ));
        }
        let done = finish(&mut whole, Shard::default(), &self.output)?;
        Ok(if missing.is_empty() { done } else { Outcome::Partly })
    }
}

/// Leaves the report of `folder` in it, with which `shard` ends if all its runs are done, and prints what
/// it has.
pub(super) fn finish(
    folder: &mut SweepFolder,
    shard: Shard,
    output: &OutputOptions,
) -> Result<Outcome, CommandError> {
    write_report(folder, &folder.path().join(PAGE_FILE), output)?;
    folder.end(shard)?;
    print(folder, output)
}

/// Writes the report of `folder` as a web page.
fn write_report(
    folder: &SweepFolder,
    file: &Path,
    output: &OutputOptions,
) -> Result<(), CommandError> {
    write_page(file, &sweep_page(folder)?)?;
    output.note(format_args!("the report is in {}", file.display()));
    Ok(())
}

/// Prints what `folder` has up to now.
fn print(folder: &SweepFolder, output: &OutputOptions) -> Result<Outcome, CommandError> {
    let summary = Summary::new(folder);
    output.print(&summary, || format!("\n{summary}\n"))
}
