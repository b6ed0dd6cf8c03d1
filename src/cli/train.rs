//! `mnistry train`: trains a network, tests it, and keeps the run in a folder.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use mnistry::report::{RecordedRun, RunEnd, StartedRun, Summary, TrainedRun};
use mnistry::{Dataset, Engine, Network};

use super::common::Common;
use super::meter::Meter;
use super::settings::Settings;
use super::watch::Watch;
use super::{CommandError, Outcome, interrupt, output};

/// Train a network, test it, and keep the run in a folder
///
/// The run folder holds config.json (what was run), history.csv (a line an epoch),
/// model.safetensors (the network, from the start of the run on), and at the end report.json and
/// confusion_matrix.csv. Ctrl-C stops after the current step and keeps the network as it is.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Train {
    #[command(flatten)]
    settings: Settings,

    /// Where the run is kept, in place of an earlier run there [default: the next free of runs/1,
    /// runs/2 …]
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    run_dir: Option<PathBuf>,

    /// Write the loss of every step to this file, as CSV
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    log_steps: Option<PathBuf>,

    /// Print the network's layers, their output shapes and parameters, and do not train
    #[arg(long, help_heading = "Network")]
    summary: bool,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  mnistry train --data mnist.npz
  mnistry train --data mnist.npz --hidden 512,256 --output softmax --epochs 10 --run-dir runs/deep
  mnistry train --data mnist.npz --model lenet5 --batch-size 128 --epochs 10
  mnistry train --model cnn --summary
  mnistry train --data mnist.npz --optimizer sgd --learning-rate 0.1 --momentum 0.9
  mnistry train --data mnist.npz --quiet --json | jq .test.accuracy";

impl Train {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        let started = Instant::now();
        let options = self.settings.fit_options()?;
        let engine = self.common.engine()?;
        let data = self.common.dataset()?;
        let images = self.settings.training_images(&data)?;
        let mut network = self.settings.network(&data)?;
        if self.summary {
            return self.print_summary(&network);
        }
        let mut run =
            RecordedRun::new(&engine, &data).options(options).train_images(images).started(started);
        if let Some(file) = &self.settings.init {
            run = run.init(file);
        }
        if let Some(folder) = &self.run_dir {
            run = run.folder(folder);
        }
        if let Some(file) = &self.log_steps {
            run = run.step_log(file);
        }
        let run = run.begin(&mut network)?;
        self.say_what_begins(&run, &engine, &data);
        match self.train(run)? {
            RunEnd::Completed(run) => self.report(run),
            RunEnd::Interrupted { epoch, step, model, .. } => {
                self.common.output.note(format_args!(
                    "interrupted after epoch {epoch}, step {step}: the network is saved as it is \
                     then in {}; it was not tested",
                    model.display(),
                ));
                Ok(Outcome::Interrupted)
            }
        }
    }

    fn print_summary(&self, network: &Network) -> Result<Outcome, CommandError> {
        let summary = Summary::new(network.architecture());
        if self.common.output.json {
            output::print_json(&summary)?;
        } else {
            output::print(&summary.to_string())?;
        }
        Ok(Outcome::Done)
    }

    fn say_what_begins(&self, run: &StartedRun<'_>, engine: &Engine, data: &Dataset) {
        let config = run.config();
        self.common.output.note(format_args!(
            "training {} on {}: {} images of {} × {}, {} classes; the run is kept in {}",
            config.architecture,
            config.dataset,
            config.train_images,
            data.shape().height,
            data.shape().width,
            data.classes(),
            run.folder().display(),
        ));
        if !engine.isa().is_fused() {
            self.common.output.note(format_args!(
                "{} has no fused multiply-add here: the network will differ from one trained with \
                 avx2 or avx512 in its last bits",
                config.isa
            ));
        }
    }

    /// Trains, shown on stderr, until it is done or Ctrl-C is pressed.
    fn train<'a>(&self, run: StartedRun<'a>) -> Result<RunEnd<'a>, CommandError> {
        interrupt::listen()?;
        let config = run.config();
        let mut watch = Watch::new(Meter::new(
            config.fit.epochs,
            config.train_images,
            self.common.output.quiet,
        ));
        let end = run.train(&mut watch);
        watch.end();
        Ok(end?)
    }

    /// Tests the trained network, and prints the report.
    fn report(&self, run: TrainedRun<'_>) -> Result<Outcome, CommandError> {
        if let Some(epoch) = run.history().best {
            self.common.output.note(format_args!(
                "the network is that of epoch {epoch}, of the lowest validation loss"
            ));
        }
        let report = run.test()?;
        self.common.output.print(&report, || format!("\n{}", report.text(&output::palette())))
    }
}
