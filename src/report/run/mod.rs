//! A run as a whole: what it is told, the folder that keeps it, its training, its test, its report.

mod config;
mod data;
mod folder;
mod followed;
mod history_file;
mod pace;
mod record;
mod recorder;
mod saved;
mod step_log;
#[cfg(test)]
mod tests;
mod trained;

pub use config::RunConfig;
pub use folder::{MODEL_FILE, PAGE_FILE};
pub use followed::FollowedRun;
pub use record::{RunRecord, RunStatus, run_folders};
pub use saved::SavedRun;
pub use trained::TrainedRun;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::data::{Dataset, ReadOptions, Split};
use crate::exec::engine::Engine;
use crate::model::{Error as ModelError, Network};
use crate::report::error::{Error, Result};
use crate::report::tensorboard::{self, TensorBoard};
use crate::train::{FitOptions, Observer, State};
use data::{checksum, taken};
use folder::{RunFolder, whole};
use history_file::HistoryFile;
use recorder::{Logs, Recorder};
use step_log::StepLog;

/// Where runs are kept that are given no folder.
const RUNS: &str = "runs";

/// A training run that is recorded in a folder of its own, from its settings to its test results.
///
/// This is what `mnistry train` does. It goes in three steps, so that its caller can say between
/// them what is going on: [`begin`](Self::begin) checks everything and starts the folder,
/// [`train`](StartedRun::train) trains, and [`test`](TrainedRun::test) tests and reports. One that was
/// interrupted or killed is gone on with by way of [`SavedRun`].
///
/// ```
/// use mnistry::report::{RecordedRun, RunEnd};
/// use mnistry::{Activation, Engine, EngineOptions, FitOptions, Network, NoObserver, Sequential};
///
/// # let place = tempfile::tempdir()?;
/// # let folder = place.path().join("first");
/// let data = mnistry::data::generated::generate(0, 400, 100)?;
/// let layers = Sequential::new(data.shape()).dense(data.classes(), Activation::Softmax);
/// let network = Network::new(layers, 0)?;
/// let engine = Engine::new(EngineOptions::default())?;
///
/// let run = RecordedRun::new(&engine, &data)
///     .options(FitOptions { epochs: 2, ..FitOptions::default() })
///     .folder(&folder)
///     .begin(network)?;
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
    options: FitOptions,
    train_limit: Option<usize>,
    data: Option<PathBuf>,
    read: ReadOptions,
    init: Option<PathBuf>,
    folder: Option<PathBuf>,
    step_log: Option<PathBuf>,
    tensorboard: Option<PathBuf>,
    command: Option<String>,
    started: Instant,
}

impl<'a> RecordedRun<'a> {
    /// A run on all training images of `dataset`, with the default options, in the next free
    /// folder of `runs/1`, `runs/2` …
    pub fn new(engine: &'a Engine, dataset: &'a Dataset) -> Self {
        Self {
            engine,
            dataset,
            options: FitOptions::default(),
            train_limit: None,
            data: None,
            read: ReadOptions::default(),
            init: None,
            folder: None,
            step_log: None,
            tensorboard: None,
            command: None,
            started: Instant::now(),
        }
    }

    /// Trains with these options.
    pub fn options(mut self, options: FitOptions) -> Self {
        self.options = options;
        self
    }

    /// Trains on the first `limit` images, in place of all that the data set has for it.
    pub fn train_limit(mut self, limit: usize) -> Self {
        self.train_limit = Some(limit);
        self
    }

    /// Writes down where the data set is, so that the run can be gone on with.
    pub fn data(mut self, place: impl Into<PathBuf>) -> Self {
        self.data = Some(place.into());
        self
    }

    /// Writes down how the data set is read, so that the run can be gone on with.
    pub fn read_options(mut self, options: ReadOptions) -> Self {
        self.read = options;
        self
    }

    /// Writes down that the network's first weights come from this file.
    pub fn init(mut self, file: impl Into<PathBuf>) -> Self {
        self.init = Some(whole(file.into()));
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
        self.step_log = Some(whole(file.into()));
        self
    }

    /// Writes event files that TensorBoard shows to this folder, which has none yet: loss, accuracy
    /// and learning rate by epoch, and by step what is known of a step, while the run goes on; in the
    /// end what the test gave, its confusion matrix as an image.
    pub fn tensorboard(mut self, folder: impl Into<PathBuf>) -> Self {
        self.tensorboard = Some(whole(folder.into()));
        self
    }

    /// Writes down the command line that makes the run.
    pub fn command(mut self, line: impl Into<String>) -> Self {
        self.command = Some(line.into());
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
    /// one that can begin, when all its first files are written.
    ///
    /// # Errors
    /// When an option makes no sense, `network` does not fit the images or has classes of other
    /// names or in another order ([`Dataset::in_classes_of`] brings them in its own), there is too little memory,
    /// a file cannot be written, another process is at work in the folder, or it holds files under
    /// our names that no run wrote.
    pub fn begin(self, network: Network) -> Result<StartedRun<'a>> {
        let Self { engine, dataset, options, train_limit, started, .. } = self;
        let train_images = taken(dataset, train_limit)?;
        engine.check_fit(&network, &train_images, &options)?;
        let network = network.taking_class_names(&dataset.class_names).map_err(ModelError::from)?;
        let config = RunConfig {
            version: env!("CARGO_PKG_VERSION").into(),
            commands: self.command.into_iter().collect(),
            dataset: dataset.name.clone(),
            // JSON has no other paths; whoever goes on with the run names the place again.
            data: self.data.filter(|path| path.to_str().is_some()),
            read: self.read,
            data_checksum: Some(checksum(engine, dataset)),
            train_limit,
            train_images: options.training_samples(train_images.len()),
            test_images: dataset.test.len(),
            class_names: network.class_names().cloned(),
            architecture: network.architecture().clone(),
            // Its weights are in the first checkpoint: the name only tells where they came from.
            init: self.init.map(|path| path.to_string_lossy().into_owned().into()),
            step_log: self.step_log,
            tensorboard: self.tensorboard,
            fit: options,
            threads: engine.training_threads(),
            isa: engine.isa().name().into(),
            gemm: engine.gemm_backend(),
        };
        let mut step_log = config.step_log.as_ref().map(StepLog::open).transpose()?;
        if let Some(folder) = &config.tensorboard {
            tensorboard::prepare(folder)?;
        }
        let folder = match self.folder {
            Some(path) => RunFolder::claim(path)?,
            None => RunFolder::claim_next_in(RUNS)?,
        };
        if let Some(log) = config.step_log.as_ref().filter(|log| folder.keeps(log)) {
            return Err(Error::LogInPlace(log.clone()));
        }
        let state = State::new(network, options);
        let history = folder.replace(&config, &state, config.init.is_some())?;
        if let Some(log) = &mut step_log {
            // What an earlier run logged is given up with its other files, and no sooner.
            folder.settle()?;
            log.begin()?;
        }
        Ok(StartedRun {
            engine,
            dataset,
            train_images,
            started,
            state,
            config,
            folder,
            history,
            step_log,
            has_called: false,
        })
    }
}

/// A [`RecordedRun`] or a [`SavedRun`] whose folder is ready, and whose network is not trained yet
/// or not to the end.
#[derive(Debug)]
pub struct StartedRun<'a> {
    engine: &'a Engine,
    dataset: &'a Dataset,
    train_images: Split,
    started: Instant,
    state: State,
    config: RunConfig,
    folder: RunFolder,
    history: HistoryFile,
    step_log: Option<StepLog>,
    /// Whether the other ranks train it too, where there are some.
    has_called: bool,
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

    /// Where the run stands.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Trains the network, as [`Engine::fit`] does. Each epoch is in `history.csv` as soon as it is
    /// complete. The network as it is then is in `model.safetensors`, that of the lowest validation
    /// loss in `best.safetensors`, and all that the run needs to be gone on with in
    /// `checkpoint.safetensors`: every second or two, and in the end. `model.safetensors` is then that
    /// of the lowest validation loss, if the options ask for it.
    ///
    /// `observer` is told of each step, and of each epoch once it is recorded; it may end the run.
    ///
    /// # Errors
    /// As [`Engine::fit`], and when a file cannot be written. The folder then has the network as
    /// it was after the last good epoch.
    pub fn train(mut self, observer: &mut dyn Observer) -> Result<RunEnd<'a>> {
        self.call_ranks()?;
        let Self { engine, mut state, folder, .. } = self;
        let before = state.seconds();
        let images = self.config.train_images;
        let tensorboard = self.config.tensorboard.as_ref();
        let tensorboard = tensorboard
            .map(|place| {
                TensorBoard::begin(place, *state.options(), images, state.steps_done(images))
            })
            .transpose()?;
        let logs = Logs { history: self.history, steps: self.step_log, tensorboard };
        let mut recorder = Recorder::new(observer, &folder, &self.train_images, logs);
        let start = Instant::now();
        let (train, test) = (&self.train_images, &self.dataset.test);
        let history = match self.config.fit.is_judged_by_others() {
            true => engine.fit_validated(&mut state, train, test, &mut recorder),
            false => engine.fit_from(&mut state, train, &mut recorder),
        };
        let elapsed = start.elapsed();
        // What was logged, and how far the run came, is written whether or not the training failed.
        let recorded = recorder.end(&state);
        let (history, aside) = (history?, recorded?);
        if history.stopped {
            folder.settle()?;
            let steps = self.config.train_images.div_ceil(self.config.fit.batch_size);
            let (epoch, step) = match (state.epochs().len(), state.step()) {
                (epochs, 0) if epochs > 0 => (epochs, steps),
                (epochs, step) => (epochs + 1, step),
            };
            return Ok(RunEnd::Interrupted { epoch, step, model: folder.model_path() });
        }
        Ok(RunEnd::Completed(Box::new(TrainedRun {
            engine,
            dataset: self.dataset,
            started: self.started,
            state,
            folder,
            config: self.config,
            since_start: before == 0.0,
            train_seconds: before + elapsed.saturating_sub(aside).as_secs_f64(),
            teams: history.teams,
        })))
    }
}

/// How the training of a [`RecordedRun`] ended.
#[derive(Debug)]
#[must_use = "a completed run is yet to be tested"]
pub enum RunEnd<'a> {
    /// With its last epoch, when its patience was at an end, or when its accuracy was reached.
    Completed(Box<TrainedRun<'a>>),
    /// By the observer, or because the engine was asked to stop, before its last epoch was complete.
    /// The folder has the network as it was then, what the run needs to be gone on with, and no
    /// report.
    #[non_exhaustive]
    Interrupted {
        /// The epoch of the last step, from 1.
        epoch: usize,
        /// The last step within that epoch, from 1; 0 before the first.
        step: usize,
        /// The file that the network was saved in.
        model: PathBuf,
    },
}
