//! `mnistry train`: trains a network, tests it, and keeps the run in a folder.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use mnistry::report::{
    Report, RunConfig, RunFolder, StepLog, Summary, TestReport, peak_memory_bytes,
};

use super::common::Common;
use super::meter::Meter;
use super::settings::Settings;
use super::watch::{Watch, Watched};
use super::{Failure, Outcome, interrupt, output};

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

    /// Print the network's layers, what they put out and how much they learn, and do not train
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

/// Where runs are kept that are given no folder.
const RUNS: &str = "runs";

impl Train {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let options = self.settings.fit_options()?;
        let engine = self.common.engine()?;
        let data = self.common.dataset()?;
        let train = self.settings.training_images(&data)?;
        let mut network = self.settings.network(&data)?;
        if self.summary {
            let summary = Summary::new(network.architecture());
            if self.common.json {
                output::print_json(&summary)?;
            } else {
                output::print(&summary.to_string())?;
            }
            return Ok(Outcome::Done);
        }
        let config = RunConfig {
            version: env!("CARGO_PKG_VERSION").into(),
            dataset: data.name.clone(),
            train_images: options.training_samples(train.len()),
            test_images: data.test.len(),
            architecture: network.architecture().clone(),
            init: self.settings.init.clone(),
            fit: options,
            threads: engine.threads(),
            isa: engine.isa().name().into(),
            gemm: engine.gemm_backend(),
        };
        // An earlier run is replaced only by one that can begin.
        engine.check_fit(&network, &train, &options)?;
        let log = self.log_steps.as_ref().map(StepLog::create).transpose()?;
        let folder = match &self.run_dir {
            Some(path) => RunFolder::create(path)?,
            None => RunFolder::create_next_in(RUNS)?,
        };
        folder.start(&config, &network)?;
        let trained_on = options.training_samples(train.len());
        self.say(format_args!(
            "training {} on {}: {trained_on} images of {} × {}, {} classes; the run is kept in {}",
            network.architecture(),
            data.name,
            data.shape().height,
            data.shape().width,
            data.classes(),
            folder.path().display(),
        ));
        if !engine.isa().is_fused() {
            self.say(format_args!(
                "{} has no fused multiply-add here: the network will differ from one trained with \
                 avx2 or avx512 in its last bits",
                engine.isa().name()
            ));
        }

        interrupt::listen()?;
        let meter = Meter::new(options.epochs, trained_on, self.common.quiet);
        let mut watch = Watch::new(meter, folder, log);
        let training = Instant::now();
        let history = engine.fit(&mut network, &train, &options, &mut watch);
        let elapsed = training.elapsed();
        let watched = watch.end();
        let (history, watched) = (history?, watched?);
        let Watched { folder, position: (epoch, step), aside } = watched;
        let train_seconds = elapsed.saturating_sub(aside).as_secs_f64();
        if history.stopped {
            folder.save(&network)?;
            self.say(format_args!(
                "interrupted after epoch {epoch}, step {step}: the network is saved as it is then \
                 in {}; it was not tested",
                folder.model_path().display(),
            ));
            return Ok(Outcome::Interrupted);
        }

        if let Some(epoch) = history.best {
            folder.save(&network)?;
            self.say(format_args!(
                "the network is that of epoch {epoch}, of the lowest validation loss"
            ));
        }

        let test = TestReport::new(engine.evaluate(&network, &data.test)?)?;
        let report = Report {
            dataset: data.name.clone(),
            model: network.architecture().to_string(),
            parameters: network.parameter_count(),
            threads: engine.threads(),
            isa: engine.isa().name().into(),
            train_seconds,
            total_seconds: start.elapsed().as_secs_f64(),
            samples_per_second: (trained_on * history.epochs.len()) as f64 / train_seconds,
            peak_memory_bytes: peak_memory_bytes(),
            history: history.epochs,
            test,
        };
        folder.finish(&report)?;
        if self.common.json {
            output::print_json(&report)?;
        } else if !self.common.quiet {
            output::print(&format!("\n{}", report.text(&output::palette())))?;
        }
        Ok(Outcome::Done)
    }

    /// Says a line on stderr, unless asked to be quiet.
    fn say(&self, line: std::fmt::Arguments<'_>) {
        if !self.common.quiet {
            output::note(line);
        }
    }
}
