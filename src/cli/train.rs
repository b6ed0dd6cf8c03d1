//! `mnistry train`: trains a network, tests it, and keeps the run in a folder.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use mnistry::report::{
    FollowedRun, RecordedRun, RunEnd, SavedRun, StartedRun, Summary, TrainedRun,
};
use mnistry::train::{Pace, State};
use mnistry::{Dataset, Engine, GemmBackend, Network};

use super::common::Common;
use super::interrupt::Interrupt;
use super::launch::{Calls, Launch, Leader};
use super::meter::Meter;
use super::regularisation::Regularisation;
#[cfg(feature = "serve")]
use super::serve::WatchedRun;
use super::settings::{Settings, Start};
use super::watch::Watch;
use super::{CommandError, Outcome, output};

/// Train a network, test it, and keep the run in a folder
///
/// The run folder holds config.json (what was run), history.csv (a line an epoch),
/// model.safetensors (the network, from the start of the run on), best.safetensors (where there is
/// a validation split), checkpoint.safetensors (what --resume goes on from), and at the end report.json,
/// report.html (the same to look at) and confusion_matrix.csv. Ctrl-C stops after the current step
/// and keeps all as it is.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Train {
    #[command(flatten)]
    settings: Settings,

    // Beside the settings and not among them: clap knows the arguments of a struct as a group only
    // if there is no other struct in it.
    #[command(flatten)]
    regularisation: Regularisation,

    /// How many times every training image is seen [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Training")]
    epochs: Option<u32>,

    /// Where the run is kept, in place of an earlier run there [default: the next free of runs/1,
    /// runs/2 …]
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    run_dir: Option<PathBuf>,

    /// Go on with the run in this folder, which was interrupted or killed, with its settings and on its
    /// data, or to more --epochs. It ends with the same bits as if it had never been interrupted
    #[arg(
        long,
        value_name = "RUN",
        help_heading = "Run",
        conflicts_with_all = ["Settings", "Regularisation", "run_dir", "log_steps", "tensorboard", "summary", "gemm"]
    )]
    resume: Option<PathBuf>,

    /// Write the loss of every step to this file, as CSV
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    log_steps: Option<PathBuf>,

    /// Write event files to this folder, for `tensorboard --logdir DIR`: loss, accuracy and learning
    /// rate while the run goes on, in the end the test and its confusion matrix. It is a setting of the
    /// run: --resume goes on writing there, and cannot add it later
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    tensorboard: Option<PathBuf>,

    /// Show the run live on a page in the browser, as `serve` does, until Ctrl-C
    #[cfg(feature = "serve")]
    #[arg(long, help_heading = "Run", conflicts_with = "summary")]
    watch: bool,

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
  mnistry train --data mnist.npz --model cnn --epochs 10 --batch-size 64 --watch
  mnistry train --data mnist.npz --init digits.onnx
  mnistry train --resume runs/1
  mnistry train --resume runs/1 --epochs 20
  mnistry train --data mnist.npz --quiet --json | jq .test.accuracy";

impl Train {
    pub(super) fn run(mut self) -> Result<Outcome, CommandError> {
        let Some(launch) = Launch::found() else { return self.lead(None) };
        self.common.output.quiet |= !launch.is_first();
        let lead = |leader: &Leader<'_>| self.lead(Some(leader));
        launch.run("training", lead, |calls| self.follow(calls))
    }

    /// Does all, with the other ranks if there are any.
    fn lead(&self, leader: Option<&Leader<'_>>) -> Result<Outcome, CommandError> {
        match &self.resume {
            Some(folder) => self.resume(folder, leader),
            None => self.begin(leader),
        }
    }

    /// Trains what rank 0 does.
    fn follow(&self, calls: &Calls<'_>) -> Result<Outcome, CommandError> {
        let ranks = calls.ranks();
        // A signal that is for the whole job ends it when rank 0 says so, which has it too: that needs
        // the others to take and give what belongs to the last step.
        let _interrupt = Interrupt::listen(Arc::default());
        // Where it has nothing to train, it says why.
        let Some(gemm) = calls.next() else { return Ok(Outcome::Done) };
        let gemm = serde_json::from_slice(&gemm).unwrap_or_default();
        let engine = self.common.training_engine(Some(ranks), gemm)?;
        while let Some(message) = calls.next() {
            let run = FollowedRun::read(ranks, &message)?;
            let place = self.common.place_of(run.config());
            let classes = run.config().class_names.clone();
            match engine.install(|| self.common.find(&place, classes.as_ref())) {
                Ok(found) => run.train(&engine, &found.data)?,
                Err(error) => {
                    run.decline(&error);
                    return Err(error);
                }
            }
        }
        Ok(Outcome::Done)
    }

    /// The engine of a run, whose dense products are by `gemm` if that is said.
    fn engine(
        &self,
        leader: Option<&Leader<'_>>,
        gemm: Option<GemmBackend>,
    ) -> Result<Engine, CommandError> {
        if let Some(leader) = leader {
            leader.call(serde_json::json!(gemm).to_string().as_bytes());
        }
        Ok(self.common.training_engine(leader.map(Leader::ranks), gemm)?)
    }

    /// A new run.
    fn begin(&self, leader: Option<&Leader<'_>>) -> Result<Outcome, CommandError> {
        let started = Instant::now();
        let options = self.regularisation.add_to(self.settings.fit_options(self.epochs)?);
        let engine = self.engine(leader, None)?;
        if let Some(file) = &self.log_steps {
            self.check_log(file)?;
        }
        let classes = self.settings.class_names()?;
        let found = engine.install(|| self.common.find(&self.common.place(), classes.as_ref()))?;
        let Start { network, notes } = self.settings.network(&found.data)?;
        for note in notes {
            self.common.output.note(format_args!("--init: {note}"));
        }
        if self.summary {
            return self.print_summary(&network);
        }
        let mut run = RecordedRun::new(&engine, &found.data)
            .options(options)
            .data(found.place)
            .read_options(self.common.place().read)
            .command(command_line())
            .started(started);
        if let Some(limit) = self.settings.train_limit {
            run = run.train_limit(limit as usize);
        }
        if let Some(file) = &self.settings.init {
            run = run.init(file);
        }
        if let Some(folder) = &self.run_dir {
            run = run.folder(folder);
        }
        if let Some(file) = &self.log_steps {
            run = run.step_log(file);
        }
        if let Some(folder) = &self.tensorboard {
            run = run.tensorboard(folder);
        }
        // Before an earlier run is given up.
        let interrupt = Interrupt::listen(engine.stop_flag())?;
        let run = run.begin(network)?;
        self.say_what_begins(&run, &engine, &found.data);
        self.finish(run, &interrupt, leader)
    }

    /// Goes on with the run in `folder`.
    fn resume(&self, folder: &Path, leader: Option<&Leader<'_>>) -> Result<Outcome, CommandError> {
        let started = Instant::now();
        let run = SavedRun::open(folder, self.epochs.map(|epochs| epochs as usize))?;
        if run.is_complete() {
            let reached = run.state().is_some_and(State::has_reached_goal);
            let why = if reached { ", as it reached its accuracy" } else { "" };
            self.common.output.note(format_args!(
                "the run in {} is complete{why}: there is nothing left to do",
                folder.display()
            ));
            return Ok(Outcome::Done);
        }
        let engine = self.engine(leader, Some(run.config().gemm))?;
        // What is read in another way than before has another checksum, and is refused.
        let place = self.common.place_of(run.config());
        let classes = run.config().class_names.clone();
        let data = engine.install(|| self.common.find(&place, classes.as_ref()))?.data;
        let interrupt = Interrupt::listen(engine.stop_flag())?;
        let run = match self.epochs {
            Some(_) => run.command(command_line()),
            None => run,
        };
        let run = run.started(started).resume(&engine, &data)?;
        self.say_where_it_goes_on(&run);
        self.say_what_begins(&run, &engine, &data);
        self.finish(run, &interrupt, leader)
    }

    /// Refuses a log of the steps that would replace what is read.
    fn check_log(&self, file: &Path) -> Result<(), CommandError> {
        mnistry::report::check_output(file, self.settings.inputs())?;
        Ok(Dataset::check_output(self.common.data.as_deref(), file)?)
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

    fn say_where_it_goes_on(&self, run: &StartedRun<'_>) {
        let state = run.state();
        match (state.epochs().len(), state.step()) {
            (0, 0) => self.common.output.note(format_args!(
                "the run was ended before its first checkpoint, so it begins anew"
            )),
            (epochs, 0) => {
                self.common.output.note(format_args!("the run goes on after epoch {epochs}"));
            }
            (epochs, step) => self
                .common
                .output
                .note(format_args!("the run goes on after epoch {}, step {step}", epochs + 1)),
        }
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
        if config.fit.is_judged_by_others() {
            self.common.output.note(format_args!(
                "after each epoch it is validated with the test images, until it has its accuracy"
            ));
        }
        if !engine.isa().is_fused() {
            self.common.output.note(format_args!(
                "{} has no fused multiply-add here: the network will differ from one trained with \
                 an instruction set that has in its last bits",
                engine.isa().name()
            ));
        }
    }

    /// Says what `ranks` can expect of training together.
    fn say_pace(&self, pace: Pace, ranks: usize) {
        let Pace { alone, together, exchange, exchanges, bytes } = pace;
        self.common.output.note(format_args!(
            "a step takes {ranks} ranks {together:.1?}, of which rank 0 waits {exchange:.1?} for what the \
             others have to tell ({exchanges} messages, {} kB); it would take rank 0 alone {alone:.1?}",
            bytes / 1000
        ));
        if together >= alone {
            self.common.output.note(format_args!(
                "one rank alone would be faster here: steps are too short for what ranks have to tell \
                 each other; larger minibatches or networks pay, see --batch-size"
            ));
        }
    }

    /// Trains, shown on stderr, until it is done or asked to stop; then tests.
    fn finish(
        &self,
        mut run: StartedRun<'_>,
        interrupt: &Interrupt,
        leader: Option<&Leader<'_>>,
    ) -> Result<Outcome, CommandError> {
        let config = run.config();
        let folder = run.folder().to_owned();
        let meter = Meter::new(config.fit.epochs, config.train_images, self.common.output.quiet);
        let mut watch = Watch::new(meter);
        #[cfg(feature = "serve")]
        let page = self.page(&run, interrupt)?;
        #[cfg(feature = "serve")]
        watch.tell(page.as_ref().map(WatchedRun::live));
        // From here on the other ranks take part: nothing else may fail until it is trained.
        if let (Some(leader), Some(pace)) = (leader, run.call_ranks()?) {
            self.say_pace(pace, leader.ranks().size());
        }
        let end = run.train(&mut watch);
        if let Some(leader) = leader {
            leader.dismiss();
        }
        watch.end();
        match end? {
            RunEnd::Completed(run) => {
                let done = self.report(&run, interrupt)?;
                #[cfg(feature = "serve")]
                if let (Some(page), Outcome::Done) = (page, &done) {
                    // The run is complete, and another process may have its folder.
                    drop(run);
                    self.common.output.note(format_args!("the page stays until Ctrl-C"));
                    page.stay()?;
                }
                Ok(done)
            }
            RunEnd::Interrupted { epoch, step, model, .. } => {
                self.common.output.note(format_args!(
                    "interrupted after epoch {epoch}, step {step}: the network is saved as it is \
                     then in {}; it was not tested; `mnistry train --resume {}` goes on",
                    model.display(),
                    folder.display(),
                ));
                Ok(Outcome::Interrupted(interrupt.exit_code()))
            }
        }
    }

    /// The page that shows the run, if it is to be watched.
    #[cfg(feature = "serve")]
    fn page(
        &self,
        run: &StartedRun<'_>,
        interrupt: &Interrupt,
    ) -> Result<Option<WatchedRun>, CommandError> {
        if !self.watch {
            return Ok(None);
        }
        let page = WatchedRun::begin(run.folder(), interrupt.stop_flag())?;
        self.common.output.note(format_args!("the run is shown live at {}", page.url()));
        Ok(Some(page))
    }

    /// Tests the trained network, and prints the report.
    fn report(&self, run: &TrainedRun<'_>, interrupt: &Interrupt) -> Result<Outcome, CommandError> {
        if let Some(epoch) = run.best() {
            self.common.output.note(format_args!(
                "the network is that of epoch {epoch}, of the lowest validation loss"
            ));
        }
        match run.test() {
            Ok(report) => self
                .common
                .output
                .print(&report, || format!("\n{}", report.text(&output::palette()))),
            Err(error) if error.is_stop() => {
                self.common.output.note(format_args!(
                    "interrupted before the test was done: the network is trained, and saved in {}; \
                     `mnistry train --resume {}` tests it",
                    run.model_path()?.display(),
                    run.folder().display(),
                ));
                Ok(Outcome::Interrupted(interrupt.exit_code()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The command line of this process, as a shell reads it.
fn command_line() -> String {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let arguments = arguments.iter().map(|argument| argument.to_string_lossy());
    let words: Vec<_> = std::iter::once("mnistry".into()).chain(arguments).collect();
    // No argument of a process has a byte 0 in it, which alone cannot be quoted.
    shlex::try_join(words.iter().map(|word: &Cow<'_, str>| &**word)).unwrap_or_default()
}
