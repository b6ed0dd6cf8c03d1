//! `mnistry sweep`: many trainings, and how their results vary.

mod meter;
mod run_settings;
mod stored;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use mnistry::sweep::{
    Checked, Claim, Halving, Keep, MakeJob, Plan, PlannedRun, ResultRow, Rung, Rungs, Sample,
    Seeds, Shard, Sweep as Runs, SweepEnd, SweepFolder, Values,
};
use mnistry::{Dataset, EngineOptions, Ranks};

use super::common::{Common, Place};
use super::interrupt::Interrupt;
use super::launch::{Calls, Launch, Leader};
use super::{CommandError, Outcome, conflict, output};
use meter::SweepMeter;
use run_settings::RunSettings;
use stored::Stored;

/// Where sweeps are kept that are given no folder.
const SWEEPS: &str = "sweeps";

/// So many configurations take a second or more to check.
const MANY: usize = 5_000;

/// Train many networks: each combination of settings by each seed, and say how the results vary
///
/// One single-threaded run a core at a time. The sweep's folder holds plan.toml (what is tried),
/// results.csv (a line a run), at the end report.html (a page to look at) and, if they are to be kept,
/// the networks in models/. A sweep that was interrupted or killed is gone on with by the same command.
/// Without folds, each run that is not stopped gives the same network as `train` with its settings.
/// Started by `mpirun`, it has all processes do the runs.
#[derive(Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(mut_arg("threads", |threads| threads.hide(true)))]
pub(super) struct Sweep {
    #[command(subcommand)]
    stored: Option<Stored>,

    /// A plan as a TOML file: `seeds`, `folds`, `halving`, `sample`, `data`, and the settings of `train` by their names
    /// under [settings], each a value, a list of values, or a range { from = …, to = …, log = true }
    #[arg(value_name = "PLAN.toml", value_parser = plan_file, conflicts_with_all = ["seeds", "folds", "halving", "grid", "sample", "seed"])]
    plan: Option<PathBuf>,

    #[command(flatten)]
    what: PlanArgs,

    /// Where the sweep is kept, or is already [default: the last of sweeps/1, sweeps/2 … in which it, the
    /// same shard of it, was begun and has not ended, else the next free one]
    #[arg(long, value_name = "DIR", help_heading = "Runs")]
    sweep_dir: Option<PathBuf>,

    /// How many runs are done at a time [default: as many as there are cores for their threads]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Runs")]
    workers: Option<u16>,

    /// The number of threads of each run
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Runs")]
    threads_per_run: u16,

    /// Do this part of the runs alone, such as 3/8 on the third of eight machines; `sweep merge` brings
    /// the parts together
    #[arg(long, value_name = "K/N", help_heading = "Runs")]
    shard: Option<Shard>,

    /// Which networks are kept
    #[arg(long, value_enum, default_value_t = Kept::None, help_heading = "Runs")]
    keep: Kept,

    /// Print the runs, and do none
    #[arg(long, help_heading = "Runs")]
    dry_run: bool,

    #[command(flatten)]
    common: Common,
}

/// What is tried.
#[derive(Args)]
#[command(next_help_heading = "Plan")]
struct PlanArgs {
    /// The seeds that each configuration is trained by, such as 0-99 or 1,5,10-19 [default: 0]
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<Seeds>,

    /// Cross-validation: deal the training images to K folds, of which each has as much of every class,
    /// the same for all configurations; train K times by each seed, each time without one fold, and
    /// judge by that one
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(2..))]
    folds: Option<u32>,

    /// Successive halving: train all configurations for a part of their epochs, go on with one of
    /// FACTOR, the best [3 where it is not said], and so on until the last ones are complete; what the
    /// others came to is kept
    #[arg(long, value_name = "FACTOR", num_args = 0..=1, require_equals = true, default_missing_value = "3")]
    halving: Option<Halving>,

    /// A setting of `train`, and the values that are tried: hidden=50,100,200, or in brackets where a
    /// value has commas itself, hidden=[50],[200,100]; augment=true,false for one without a value; with
    /// --sample also a range, learning-rate=1e-4..1e-2:log. May be given many times
    #[arg(long, value_name = "NAME=VALUES", value_parser = setting)]
    grid: Vec<(String, Values)>,

    /// Draw so many configurations at random, in place of all that there are
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    sample: Option<u32>,

    /// Decides what is drawn [default: 0]
    #[arg(long, value_name = "N", requires = "sample")]
    seed: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kept {
    /// None
    None,
    /// That of the highest accuracy
    Best,
    /// Each
    All,
}

const EXAMPLES: &str = "\
Examples:
  mnistry sweep --data mnist.npz --seeds 0-99
  mnistry sweep --data mnist.npz --seeds 0-9 --grid hidden=50,100,200 --grid learning-rate=1e-3,3e-3
  mnistry sweep --data mnist.npz --sample 200 --grid learning-rate=1e-4..1e-2:log --grid hidden=16..512
  mnistry sweep --data mnist.npz --folds 5 --grid hidden=50,100,200
  mnistry sweep --data mnist.npz --halving --sample 81 --grid epochs=9 --grid learning-rate=1e-4..1e-1:log
  mnistry sweep plan.toml --dry-run
  mnistry sweep plan.toml --shard 3/16 --sweep-dir part-3
  mnistry sweep merge part-* --sweep-dir whole
  mnistry sweep show sweeps/1
  mnistry sweep show sweeps/1 --html so-far.html";

/// The file of a plan, and not the number that an option wants.
fn plan_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match text.parse::<f64>() {
        Ok(_) if !path.exists() => {
            Err("a plan is a file; the factor of a halving is given as --halving=4".into())
        }
        _ => Ok(path),
    }
}

/// A setting and its values, as an argument has them.
fn setting(text: &str) -> Result<(String, Values), String> {
    let (name, values) = text.split_once('=').ok_or("give a name and values: hidden=50,100")?;
    Ok((name.to_owned(), values.parse()?))
}

impl PlanArgs {
    fn plan(&self) -> Plan {
        let sample = self.sample.map(|configurations| Sample {
            configurations: configurations as usize,
            seed: self.seed.unwrap_or(0),
        });
        Plan {
            seeds: self.seeds.clone().unwrap_or_default(),
            folds: self.folds.map(|folds| folds as usize),
            halving: self.halving,
            sample,
            settings: self.grid.clone(),
            ..Plan::default()
        }
    }
}

impl Sweep {
    /// What it is called where no runs are done, which are what processes share.
    pub(super) fn not_shared(&self) -> Option<&'static str> {
        self.stored.as_ref().map(Stored::name)
    }

    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        match &self.stored {
            Some(stored) => stored.run(),
            None => self.sweep(),
        }
    }

    fn sweep(mut self) -> Result<Outcome, CommandError> {
        if self.common.engine_options()?.threads.is_some() {
            let problem = "--threads is for one run: a sweep has --workers and --threads-per-run";
            return Err(conflict("sweep", problem).into());
        }
        let launch = match (Launch::found(), self.shard) {
            (Some(launch), None) => launch,
            (Some(launch), Some(shard)) => {
                launch.check_shard(shard)?;
                return self.lead(None);
            }
            (None, _) => return self.lead(None),
        };
        self.common.output.quiet |= !launch.is_first();
        let lead = |leader: &Leader<'_>| self.lead(Some(leader));
        launch.run("sweep", lead, |calls| self.follow(calls))
    }

    /// Does all, with the other ranks if there are any.
    fn lead(&self, leader: Option<&Leader<'_>>) -> Result<Outcome, CommandError> {
        let ranks = leader.map(Leader::ranks);
        let plan = self.plan()?;
        RunSettings::check_names(&plan)?;
        let runs = plan.runs();
        // Before the data are read, which may have to be fetched.
        let options = RunSettings::options_of(&runs)?;
        if self.shard.is_some() {
            plan.check_shards()?;
        }
        let rungs = Rungs::of(&plan, &options)?;
        if self.dry_run {
            return self.print_runs(&runs, rungs.as_ref());
        }
        if let Some(leader) = leader {
            leader.call(plan.to_toml().as_bytes());
        }
        let dataset = agree(ranks, self.dataset(&plan))?;
        if options.len() >= MANY {
            self.common
                .output
                .note(format_args!("{} configurations are checked first", options.len()));
        }
        let make = RunSettings::job_maker(&dataset);
        let (sweep, Checked { conditions, notes, .. }) = self.runs(&dataset, plan, &make, ranks)?;
        for note in notes {
            self.common.output.note(format_args!("--init: {note}"));
        }
        let interrupt = agree(ranks, Interrupt::listen(sweep.stop_flag()))?;
        let mut folder = self.folder(&sweep.claim(&conditions))?;
        if let Some(leader) = leader {
            leader.call(b"go");
        }
        self.say_what_begins(&folder, &sweep, &dataset, ranks);
        let mut meter = SweepMeter::new(self.common.output.quiet);
        let end = sweep.run(&mut folder, &make, &mut |progress| meter.tell(progress));
        meter.end();
        match end? {
            SweepEnd::Interrupted => {
                self.common.output.note(format_args!(
                    "interrupted: {} of {} runs are done, and kept in {}; the same command goes on",
                    folder.results().count(),
                    folder.runs().len(),
                    folder.path().display(),
                ));
                Ok(Outcome::Interrupted(interrupt.exit_code()))
            }
            SweepEnd::Done => {
                stored::finish(&mut folder, self.shard.unwrap_or_default(), &self.common.output)
            }
        }
    }

    /// Does what rank 0 hands out.
    fn follow(&self, calls: &Calls<'_>) -> Result<Outcome, CommandError> {
        let ranks = Some(calls.ranks());
        // Where it has nothing to do, it says why.
        let Some(plan) = calls.next() else { return Ok(Outcome::Done) };
        let plan = Plan::from_toml(&String::from_utf8_lossy(&plan))
            .map_err(|problem| CommandError::Setting { name: "plan".into(), problem });
        let dataset = plan.and_then(|plan| Ok((self.dataset(&plan)?, plan)));
        let (dataset, plan) = agree(ranks, dataset)?;
        let make = RunSettings::job_maker(&dataset);
        let (sweep, _) = self.runs(&dataset, plan, &make, ranks)?;
        let _interrupt = agree(ranks, Interrupt::listen(sweep.stop_flag()))?;
        if calls.next().is_some() {
            sweep.follow(&make)?;
        }
        Ok(Outcome::Done)
    }

    fn dataset(&self, plan: &Plan) -> Result<Dataset, CommandError> {
        let place = Place { data: plan.data.as_deref().map(Path::new), ..self.common.place() };
        Ok(self.common.find(&place, None)?.data)
    }

    /// The sweep of `plan`, which can be done on all `ranks`, and what is known of it.
    fn runs<'a>(
        &self,
        dataset: &'a Dataset,
        plan: Plan,
        make: &MakeJob<'_>,
        ranks: Option<&'a Ranks>,
    ) -> Result<(Runs<'a>, Checked), CommandError> {
        let threads = usize::from(self.threads_per_run);
        let workers = match (self.workers, ranks) {
            (Some(workers), _) => Some(workers.into()),
            (None, None) => None,
            (None, Some(ranks)) => Some((ranks.cores() / threads).max(1)),
        };
        let sweep = || {
            let options = EngineOptions { threads: Some(threads), ..self.common.engine_options()? };
            let sweep = Runs::new(dataset, plan, options, workers)?
                .shard(self.shard.unwrap_or_default())
                .keep(self.keep.into());
            let checked = sweep.check(make)?;
            Ok((sweep, checked))
        };
        let (sweep, checked) = agree(ranks, sweep())?;
        let sweep = match ranks {
            Some(ranks) => sweep.across(ranks, &checked.conditions)?,
            None => sweep,
        };
        Ok((sweep, checked))
    }

    /// What is to be done, by the file or the arguments.
    fn plan(&self) -> Result<Plan, CommandError> {
        let plan = match &self.plan {
            Some(file) => Plan::load(file)?,
            None => self.what.plan(),
        };
        let data = match &self.common.data {
            // A plan is text: what it cannot name is named by the argument each time.
            Some(data) => data.to_str().map(str::to_owned),
            None => plan.data,
        };
        let plan = Plan { data, ..plan };
        plan.check()?;
        plan.check_draws()?;
        Ok(plan)
    }

    fn folder(&self, claim: &Claim<'_>) -> Result<SweepFolder, CommandError> {
        let folder = match &self.sweep_dir {
            Some(path) => SweepFolder::claim(path, claim)?,
            None => SweepFolder::claim_in(SWEEPS, claim)?,
        };
        for why in folder.passed_over() {
            self.common.output.note(format_args!("not gone on with: {why}"));
        }
        Ok(folder)
    }

    fn print_runs(
        &self,
        runs: &[PlannedRun],
        rungs: Option<&Rungs>,
    ) -> Result<Outcome, CommandError> {
        let shard = self.shard.unwrap_or_default();
        let runs: Vec<_> = runs.iter().filter(|run| shard.has(run.number)).collect();
        let rungs: Vec<Rung> = rungs.into_iter().flat_map(Rungs::each).collect();
        match self.common.output.json {
            true if rungs.is_empty() => output::print_json(&runs)?,
            true => output::print_json(&serde_json::json!({ "runs": runs, "rungs": rungs }))?,
            false => {
                let lines = runs.iter().map(|run| format!("{run}\n"));
                let lines = lines.chain(rungs.iter().map(|rung| format!("{rung}\n")));
                output::print(&lines.collect::<String>())?;
            }
        }
        Ok(Outcome::Done)
    }

    fn say_what_begins(
        &self,
        folder: &SweepFolder,
        sweep: &Runs<'_>,
        dataset: &Dataset,
        ranks: Option<&Ranks>,
    ) {
        let shard = self.shard.unwrap_or_default();
        let left = folder.to_do(shard).count();
        let done = folder.results().count();
        self.common.output.note(format_args!(
            "{left} run{} on {}, {} at a time{}, {} thread{} each; they are kept in {}{}",
            if left == 1 { "" } else { "s" },
            dataset.name,
            sweep.workers(),
            ranks.map_or_else(String::new, |ranks| format!(" by each of {} ranks", ranks.size())),
            self.threads_per_run,
            if self.threads_per_run == 1 { "" } else { "s" },
            folder.path().display(),
            if done > 0 { format!(", which has {done} already") } else { String::new() },
        ));
        self.say_what_is_lost(folder);
    }

    /// Says of which runs that are done the network was wanted, and was not kept.
    fn say_what_is_lost(&self, folder: &SweepFolder) {
        let is_lost = |run: &&ResultRow| {
            run.outcome.trained().is_some() && !folder.model_path(run.run).is_file()
        };
        let output = &self.common.output;
        match self.keep {
            Kept::None => {}
            Kept::Best => {
                if let Some(best) = folder.best().filter(is_lost) {
                    output.note(format_args!(
                        "of the best one of those, run {}, the network was not kept, as it was not asked \
                         for then: there will be one if a better run follows",
                        best.run
                    ));
                }
            }
            Kept::All => match folder.results().filter(is_lost).count() {
                0 => {}
                lost => output.note(format_args!(
                    "of {lost} of those the network was not kept, as it was not asked for then"
                )),
            },
        }
    }
}

/// What came of something on this rank, if it failed on none.
fn agree<T>(ranks: Option<&Ranks>, own: Result<T, CommandError>) -> Result<T, CommandError> {
    match ranks {
        Some(ranks) => ranks.agree(own),
        None => own,
    }
}

impl From<Kept> for Keep {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::None => Self::None,
            Kept::Best => Self::Best,
            Kept::All => Self::All,
        }
    }
}
