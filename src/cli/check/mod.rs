//! `mnistry check`: proves the gradients of a network.

mod meter;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use clap::Args;
use mnistry::check::{GradientCheck, GradientOptions, GradientReport, Verdict};
use mnistry::image::ImageShape;
use serde::Serialize;

use super::common::image_shape;
use super::engine_args::EngineArgs;
use super::interrupt::Interrupt;
use super::model::{Mlp, Model, NAMED_CLASSES};
use super::output::OutputOptions;
use super::{CommandError, Outcome};
use meter::CheckMeter;

/// Check the gradients of a network against a reference in double precision
///
/// Each case has random weights, and 1 to 40 random images with random labels as a minibatch. The
/// engine's gradients are compared with those that a reference of plain loops finds by the chain
/// rule (all of them), and with central differences of the reference's loss (some of each tensor).
/// They may differ by what rounding to single precision amounts to at worst, which is derived for
/// each number: one that differs by more is a fault, and the exit code is 1.
///
/// A tensor is `unproven` where nothing wrong was found, but in no case an entry was larger than it may
/// be off by, so that a gradient of zeros would pass too: deep networks on large images have such
/// tensors. Smaller --images, or more --cases, may prove it. The exit code is then 0, and --quiet says
/// nothing of it; --json has a verdict for each tensor, for the loss, and for all.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// The network: mlp (dense layers), lenet5 or cnn (convolutions), or a TOML file that lists
    /// layers
    #[arg(long, value_name = "NAME|FILE", default_value = "mlp", value_parser = Model::parse)]
    model: Model,

    /// Height and width of the images
    #[arg(long, value_name = "HxW", default_value = "28x28", value_parser = image_shape)]
    images: ImageShape,

    /// How many cases are checked
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    cases: u32,

    /// Decides the weights, images and labels
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    engine: EngineArgs,

    #[command(flatten)]
    output: OutputOptions,
}

const EXAMPLES: &str = "\
Examples:
  mnistry check
  mnistry check --model lenet5 --images 16x16
  mnistry check --model network.toml --images 8x8 --cases 1000 --seed 7
  mnistry check --isa portable --threads 3 --json | jq -r .verdict";

/// What is printed for machines.
#[derive(Serialize)]
struct Checked<'a> {
    seed: u64,
    isa: &'static str,
    threads: usize,
    verdict: Verdict,
    greatest_share: f64,
    #[serde(flatten)]
    report: &'a GradientReport,
}

impl Check {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        let architecture = self.model.architecture(self.images, NAMED_CLASSES, &Mlp::default())?;
        let options = GradientOptions {
            cases: self.cases as usize,
            seed: self.seed,
            engine: self.engine.options()?,
        };
        let mut check = GradientCheck::new(&architecture, &options)?;
        let stop = check.engine().stop_flag();
        let interrupt = Interrupt::listen(Arc::clone(&stop))?;
        self.output.note(format_args!("checking the gradients of {architecture}"));
        let mut meter = CheckMeter::new(options.cases, self.output.quiet);
        while !check.is_complete() && !stop.load(Ordering::Relaxed) {
            check.next_case()?;
            meter.tell(check.report().cases);
        }
        meter.end();
        self.print(&check)?;
        match faults(check.report()) {
            faults if !faults.is_empty() => Err(CommandError::Gradients(faults)),
            _ if check.is_complete() => Ok(Outcome::Done),
            _ => {
                let (cases, of) = (check.report().cases, self.cases);
                self.output.note(format_args!("interrupted after {cases} of {of} cases"));
                Ok(Outcome::Interrupted(interrupt.exit_code()))
            }
        }
    }

    fn print(&self, check: &GradientCheck) -> Result<Outcome, CommandError> {
        let (report, engine) = (check.report(), check.engine());
        let checked = Checked {
            seed: self.seed,
            isa: engine.isa().name(),
            threads: engine.threads(),
            verdict: report.verdict(),
            greatest_share: report.greatest_share(),
            report,
        };
        let text = || {
            let Checked { seed, isa, threads, .. } = checked;
            format!("seed {seed}, instruction set {isa}, threads: {threads}\n{report}")
        };
        self.output.print(&checked, text)
    }
}

/// What differs.
fn faults(report: &GradientReport) -> Vec<String> {
    let tensors = report.tensors.iter().filter(|tensor| tensor.verdict() == Verdict::Differs);
    let loss = (!report.loss.holds()).then(|| "the loss".to_owned());
    tensors.map(|tensor| tensor.name.clone()).chain(loss).collect()
}
