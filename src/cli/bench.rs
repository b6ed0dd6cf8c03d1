//! `mnistry bench`: measures this machine, and the engine on it, and compares builds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, Args, ValueEnum};
use mnistry::data::generated::generate;
use mnistry::measure::{Comparison, Effort, Measurements, Program, Turns, Work};
use mnistry::report::{check_output, check_writable, roofline_page, write_page};
use mnistry::{Dataset, Engine, Result, Split};
use serde::Serialize;

use super::common::{Common, check_page, data_help, output_file};
use super::{CommandError, Outcome, conflict};

/// Measure this machine, and how much of it the engine uses
///
/// The peak rate of fused multiply-adds (FMA); matrix products (GEMM) on one thread, against the crate
/// matrixmultiply; and training of networks with one hidden layer and of LeNet-5, on the first
/// images of the data set that --data or the environment variable MNISTRY_DATA_DIR names, else on
/// generated digits, so that nothing is fetched. Rates are medians of runs that take turns; what else
/// the machine did meanwhile still shows, and is said.
///
/// Two builds are compared by --compare-with, which has them take turns, or, where they cannot, by
/// --save and --compare: a difference is claimed only where it is greater than the noise.
/// docs/benchmarks.md says how.
#[derive(Args)]
#[command(after_help = EXAMPLES, mut_arg("data", generated_unless_named))]
pub(super) struct Bench {
    /// Measure this part alone (and the peak that it is compared with). No change of the engine touches
    /// the peak, so it alone is not saved and not compared
    #[arg(long, value_enum, value_name = "PART")]
    only: Option<Benchmark>,

    /// Measure so briefly that it shows little more than that everything runs
    #[arg(long)]
    quick: bool,

    /// Write what was measured to this file, with all rounds, to be compared with
    #[arg(long, value_name = "FILE", value_parser = output_file, conflicts_with = "compare_with")]
    save: Option<PathBuf>,

    /// Say what changed since this file was written by --save; that of another machine is refused
    #[arg(long, value_name = "FILE", group = "old")]
    compare: Option<PathBuf>,

    /// Take turns with another build of mnistry, and say what differs; without --save and --html
    #[arg(long, value_name = "PROGRAM", group = "old")]
    compare_with: Option<PathBuf>,

    /// How many turns each build has with --compare-with
    // Clap asks for no argument that another one forbids, so those that do forbid this one too.
    #[arg(
        long, value_name = "N", default_value_t = 15, requires = "compare_with",
        conflicts_with_all = ["save", "html"],
        value_parser = clap::value_parser!(u16).range(1..=64)
    )]
    rounds: u16,

    /// Fail where a rate is certainly below this part of what it was: where the whole interval is;
    /// and where there are too few rounds to tell
    #[arg(long, value_name = "RATIO", requires = "old", value_parser = ratio)]
    fail_below: Option<f64>,

    /// Draw the roofline to this web page: the rates that were measured, below what the machine's
    /// arithmetic and memory allow
    #[arg(long, value_name = "FILE", value_parser = output_file, conflicts_with = "compare_with")]
    html: Option<PathBuf>,

    /// One of the turns of --compare-with
    #[arg(long, hide = true)]
    turn: bool,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  mnistry bench
  mnistry bench --only train --data mnist.npz --threads 2
  mnistry bench --only gemm --isa avx2
  mnistry bench --json | jq .fma_peak_gflops.one_thread
  mnistry bench --html roofline.html
  mnistry bench --save before.json
  mnistry bench --compare before.json
  mnistry bench --compare-with ../before/target/release/mnistry --fail-below 0.95";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// The peak rate of fused multiply-adds (FMA)
    Peak,
    /// Matrix products (GEMM)
    Gemm,
    /// Training
    Train,
}

/// The JSON of measurements, and of what changed.
#[derive(Serialize)]
struct Measured<'a> {
    #[serde(flatten)]
    measurements: &'a Measurements,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<&'a Comparison>,
}

impl Bench {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        let is_kept = self.save.is_some() || self.compare.is_some() || self.compare_with.is_some();
        if is_kept && self.only == Some(Benchmark::Peak) {
            let problem =
                "--only peak leaves nothing to compare: no change of the engine touches the peak";
            return Err(conflict("bench", problem).into());
        }
        let engine = self.common.engine()?;
        match &self.compare_with {
            Some(other) => self.take_turns(other.clone(), &engine),
            None => self.measure(&engine),
        }
    }

    /// Measures this build.
    fn measure(&self, engine: &Engine) -> Result<Outcome, CommandError> {
        // What cannot be read or written is known at once.
        let old = self.compare.as_ref().map(read_comparable).transpose()?;
        let inputs = || self.compare.iter().chain(&self.common.data);
        if let Some(file) = &self.save {
            check_output(file, inputs())?;
            check_writable(file)?;
        }
        if let Some(file) = &self.html {
            check_page(file)?;
            check_output(file, inputs().chain(&self.save))?;
            check_writable(file)?;
        }
        let wants = |benchmark| self.only.is_none_or(|only| only == benchmark);
        let data = if wants(Benchmark::Train) { Some(self.data()?) } else { None };
        let work = Work {
            effort: self.effort(),
            memory: self.html.is_some(),
            gemm: wants(Benchmark::Gemm),
            images: data.as_ref().map(|data| &data.images),
        };
        if let (Some(path), Some(old)) = (&self.compare, &old) {
            old.check_work(&work, path)?;
        }
        if let Some(Data { name, .. }) = &data {
            self.common.output.note(format_args!("training is measured on {name}"));
        }
        let measurements = Measurements::take(engine, &work)?;
        if let Some(file) = &self.save {
            measurements.save(file)?;
            self.say_written("the measurements are", file);
        }
        if let Some(file) = &self.html {
            write_page(file, &roofline_page(&measurements)?)?;
            self.say_written("the roofline is", file);
        }
        let compared = self.compare.as_ref().zip(old.as_ref());
        let comparison = compared
            .map(|(path, old)| Comparison::of_files(old, &measurements, path))
            .transpose()?;
        let measured = Measured { measurements: &measurements, comparison: comparison.as_ref() };
        let text = || match &comparison {
            Some(comparison) => format!("{measurements}\n{comparison}"),
            None => measurements.to_string(),
        };
        self.common.output.print(&measured, text)?;
        comparison.map_or(Ok(Outcome::Done), |comparison| self.judge(&comparison))
    }

    fn say_written(&self, what: &str, file: &Path) {
        self.common.output.note(format_args!("{what} in {}", file.display()));
    }

    /// Has this build and another one take turns.
    fn take_turns(&self, other: PathBuf, engine: &Engine) -> Result<Outcome, CommandError> {
        let turns = Turns {
            old: Program::at(other)?,
            new: Program::this()?,
            rounds: usize::from(self.rounds),
            arguments: self.turn_arguments(engine),
            is_judged: self.fail_below.is_some(),
        };
        self.common.output.note(format_args!(
            "{} turn{} of each build; the fewer other programs run, the more shows",
            turns.rounds,
            if turns.rounds == 1 { "" } else { "s" }
        ));
        let taken = turns.take(|round| {
            if round % 5 == 0 {
                self.common.output.note(format_args!("{round}/{} rounds", turns.rounds));
            }
        })?;
        self.common.output.print(&taken, || taken.to_string())?;
        self.judge(&taken.comparison)
    }

    /// What both builds are told.
    fn turn_arguments(&self, engine: &Engine) -> Vec<OsString> {
        let mut arguments = self.common.arguments(engine);
        let only = self.only.and_then(|only| only.to_possible_value());
        if let Some(only) = only {
            arguments.extend(["--only".into(), only.get_name().into()]);
        }
        if self.quick {
            arguments.push("--quick".into());
        }
        arguments
    }

    /// Fails where a rate is too low, or none can be: nothing passes because nothing was seen.
    fn judge(&self, comparison: &Comparison) -> Result<Outcome, CommandError> {
        let Some(least) = self.fail_below else { return Ok(Outcome::Done) };
        let slower: Vec<String> = comparison
            .below(least)
            .map(|change| format!("{} at {:.3}", change.what, change.ratio))
            .collect();
        if !slower.is_empty() {
            return Err(CommandError::Slower { least, slower });
        }
        let undecided: Vec<String> =
            comparison.undecided().map(|change| change.what.clone()).collect();
        match undecided.is_empty() {
            true => Ok(Outcome::Done),
            false => {
                let needed = comparison.rounds_needed();
                Err(CommandError::TooFewRounds { undecided, needed })
            }
        }
    }

    fn effort(&self) -> Effort {
        match (self.quick, self.turn) {
            (true, _) => Effort::Quick,
            (false, true) => Effort::Turn,
            (false, false) => Effort::Full,
        }
    }

    /// What to train on.
    fn data(&self) -> Result<Data, CommandError> {
        // Whole minibatches of every size that is measured.
        let count = match self.effort() {
            Effort::Full => 12_800,
            Effort::Turn => 2_560,
            Effort::Quick => 512,
        };
        let is_named = std::env::var_os("MNISTRY_DATA_DIR").is_some_and(|name| !name.is_empty());
        let Dataset { name, train, .. } = match self.common.data.is_some() || is_named {
            true => self.common.dataset()?,
            false => generate(0, count, 10)?,
        };
        Ok(Data { name, images: train.take(count)? })
    }
}

/// The images that training is measured on, and what their data set is called.
struct Data {
    name: String,
    images: Split,
}

/// `--data` of a command that fetches nothing which nobody named.
fn generated_unless_named(data: Arg) -> Arg {
    data.help(data_help!(
        "what the environment variable MNISTRY_DATA_DIR names, else generated digits"
    ))
}

/// Measurements of this machine.
fn read_comparable(path: &PathBuf) -> Result<Measurements> {
    let measurements = Measurements::load(path)?;
    measurements.check_host(path)?;
    Ok(measurements)
}

/// A part of what was before, from above 0 to 1.
fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| *ratio > 0.0 && *ratio <= 1.0);
    ratio.ok_or_else(|| "give a number above 0, up to 1, such as 0.95".into())
}
