//! A run as a whole: what it is told, the folder that keeps it, its training, its test, its report.

mod config;
mod folder;
mod recorder;
mod step_log;
#[cfg(test)]
mod tests;

pub use config::RunConfig;
pub use folder::MODEL_FILE;

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{Report, TestReport, peak_memory_bytes};
use crate::data::{Dataset, Split};
use crate::exec::engine::Engine;
use crate::model::Network;
use crate::report::error::Result;
use crate::train::{FitOptions, History, Observer};
use folder::RunFolder;
use recorder::Recorder;
use step_log::StepLog;

/// Where runs are kept that are given no folder.
const RUNS: &str = "runs";

/// A training run that is recorded in a folder of its own, from its settings to its test results.
///
/// This is what `mnistry train` does. It goes in three steps, so that its caller can say between
/// them what is going on: [`begin`](Self::begin) checks everything and starts the folder,
/// [`train`](StartedRun::train) trains, and [`test`](TrainedRun::test) tests and reports.
///
/// ```
/// use mnistry::report::{RecordedRun, RunEnd};
/// use mnistry::{Activation, Engine, EngineOptions, FitOptions, Network, NoObserver, Sequential};
///
/// # let place = tempfile::tempdir()?;
/// # let folder = place.path().join("first");
/// let data = mnistry::data::generated::generate(0, 400, 100)?;
/// let layers = Sequential::new(data.shape()).dense(data.classes(), Activation::Softmax);
/// let mut network = Network::new(layers, 0)?;
/// let engine = Engine::new(EngineOptions::default())?;
///
/// let run = RecordedRun::new(&engine, &data)
///     .options(FitOptions { epochs: 2, ..FitOptions::default() })
///     .folder(&folder)
///     .begin(&mut network)?;
/// match run.train(&mut NoObserver)? {
///     RunEnd::Completed(run) => {
///         let report = run.test()?;
///         println!("{:.2} % of the test images", 100.0 * report.test.accuracy);
///     }
///     RunEnd::Interrupted { epoch, step, .. } => println!("stopped in epoch {epoch}, step {step}"),
/// }
/// assert!(folder.join("report.json").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a run does nothing until it begins"]
pub struct RecordedRun<'a> {
    engine: &'a Engine,
    dataset: &'a Dataset,
    train_images: Split,
    options: FitOptions,
    init: Option<PathBuf>,
    folder: Option<PathBuf>,
    step_log: Option<PathBuf>,
    started: Instant,
}

impl<'a> RecordedRun<'a> {
    /// A run on all training images of `dataset`, with the default options, in the next free
    /// folder of `runs/1`, `runs/2` …
    pub fn new(engine: &'a Engine, dataset: &'a Dataset) -> Self {
        Self {
            engine,
            dataset,
            train_images: dataset.train.clone(),
            options: FitOptions::default(),
            init: None,
            folder: None,
            step_log: None,
            started: Instant::now(),
        }
    }

    /// Trains with these options.
    pub fn options(mut self, options: FitOptions) -> Self {
        self.options = options;
        self
    }

    /// Trains on these images, in place of all that the data set has for it.
    pub fn train_images(mut self, images: Split) -> Self {
        self.train_images = images;
        self
    }

    /// Writes down that the network's first weights come from this file.
    pub fn init(mut self, file: impl Into<PathBuf>) -> Self {
        self.init = Some(file.into());
        self
    }

    /// Keeps the run in this folder, in place of an earlier run there.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Writes the loss of every step to this CSV file: `step,loss`, steps counted over the whole
    /// run from 1.
    pub fn step_log(mut self, file: impl Into<PathBuf>) -> Self {
        self.step_log = Some(file.into());
        self
    }

    /// Counts the report's `total_seconds` from this moment, such as the start of the program, in
    /// place of that of [`new`](Self::new).
    pub fn started(mut self, at: Instant) -> Self {
        self.started = at;
        self
    }

    /// Checks that `network` can be trained so, then starts the folder: `config.json`, an empty
    /// `history.csv`, and `network` as it is. An earlier run in the folder is given up only for
    /// one that can begin.
    ///
    /// # Errors
    /// When an option makes no sense, `network` does not fit the images, a file cannot be written,
    /// or the folder holds files under our names that no run wrote.
    pub fn begin(self, network: &'a mut Network) -> Result<StartedRun<'a>> {
        let config = self.config(network);
        self.engine.check_fit(network, &self.train_images, &self.options)?;
        let step_log = self.step_log.as_ref().map(StepLog::create).transpose()?;
        let folder = match self.folder {
            Some(path) => RunFolder::create(path)?,
            None => RunFolder::create_next_in(RUNS)?,
        };
        folder.start(&config, network)?;
        Ok(StartedRun {
            engine: self.engine,
            dataset: self.dataset,
            train_images: self.train_images,
            started: self.started,
            network,
            config,
            folder,
            step_log,
        })
    }

    fn config(&self, network: &Network) -> RunConfig {
        RunConfig {
            version: env!("CARGO_PKG_VERSION").into(),
            dataset: self.dataset.name.clone(),
            train_images: self.options.training_samples(self.train_images.len()),
            test_images: self.dataset.test.len(),
            architecture: network.architecture().clone(),
            init: self.init.clone(),
            fit: self.options,
            threads: self.engine.threads(),
            isa: self.engine.isa().name().into(),
            gemm: self.engine.gemm_backend(),
        }
    }
}

/// A [`RecordedRun`] whose folder is started and whose network is not trained yet.
#[derive(Debug)]
pub struct StartedRun<'a> {
    engine: &'a Engine,
    dataset: &'a Dataset,
    train_images: Split,
    started: Instant,
    network: &'a mut Network,
    config: RunConfig,
    folder: RunFolder,
    step_log: Option<StepLog>,
}

impl<'a> StartedRun<'a> {
    /// The folder that keeps the run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// All that decides what the run does.
    #[must_use]
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Trains the network, as [`Engine::fit`] does. After each epoch the folder has the epoch in
    /// `history.csv` and the network as it is then; after the last one, that of the lowest
    /// validation loss, if the options ask for it.
    ///
    /// `observer` is told of each step, and of each epoch once it is recorded; it may end the run.
    ///
    /// # Errors
    /// As [`Engine::fit`], and when a file cannot be written. The folder then has the network as
    /// it was after the last good epoch.
    pub fn train(self, observer: &mut dyn Observer) -> Result<RunEnd<'a>> {
        let Self { engine, network, folder, .. } = self;
        let mut recorder = Recorder::new(observer, folder, self.step_log);
        let start = Instant::now();
        let history = engine.fit(network, &self.train_images, &self.config.fit, &mut recorder);
        let elapsed = start.elapsed();
        // What was logged is written whether or not the training failed.
        let recorded = recorder.end();
        let (history, recorded) = (history?, recorded?);
        let folder = recorded.folder;
        if history.stopped {
            folder.save(network)?;
            let (epoch, step) = (recorded.epoch, recorded.step);
            return Ok(RunEnd::Interrupted { epoch, step, model: folder.model_path() });
        }
        if history.best.is_some() {
            folder.save(network)?;
        }
        Ok(RunEnd::Completed(TrainedRun {
            engine,
            dataset: self.dataset,
            started: self.started,
            network,
            folder,
            train_images: self.config.train_images,
            train_seconds: elapsed.saturating_sub(recorded.aside).as_secs_f64(),
            history,
        }))
    }
}

/// How the training of a [`RecordedRun`] ended.
#[derive(Debug)]
#[must_use = "a completed run is yet to be tested"]
pub enum RunEnd<'a> {
    /// With its last epoch, or when its patience was at an end.
    Completed(TrainedRun<'a>),
    /// By the observer, before its last epoch was complete. The folder has the network as it was
    /// then, and no report.
    #[non_exhaustive]
    Interrupted {
        /// The epoch of the last step, from 1.
        epoch: usize,
        /// The last step within that epoch, from 1.
        step: usize,
        /// The file that the network was saved in.
        model: PathBuf,
    },
}

/// A [`RecordedRun`] whose network is trained and saved, and not tested yet.
#[derive(Debug)]
pub struct TrainedRun<'a> {
    engine: &'a Engine,
    dataset: &'a Dataset,
    started: Instant,
    network: &'a Network,
    folder: RunFolder,
    /// How many images an epoch had.
    train_images: usize,
    train_seconds: f64,
    history: History,
}

impl TrainedRun<'_> {
    /// Its epochs, and which of them the network is of.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Tests the network on the data set's test images, and completes the folder with
    /// `report.json` and `confusion_matrix.csv`.
    ///
    /// # Errors
    /// When the test loss is not a finite number, or a file cannot be written.
    pub fn test(self) -> Result<Report> {
        let Self { engine, dataset, network, .. } = self;
        let test = TestReport::new(engine.evaluate(network, &dataset.test)?)?;
        let samples = self.train_images * self.history.epochs.len();
        let report = Report {
            dataset: dataset.name.clone(),
            model: network.architecture().to_string(),
            parameters: network.parameter_count(),
            threads: engine.threads(),
            isa: engine.isa().name().into(),
            train_seconds: self.train_seconds,
            total_seconds: self.started.elapsed().as_secs_f64(),
            samples_per_second: samples as f64 / self.train_seconds,
            peak_memory_bytes: peak_memory_bytes(),
            history: self.history.epochs,
            test,
        };
        self.folder.finish(&report)?;
        Ok(report)
    }
}
