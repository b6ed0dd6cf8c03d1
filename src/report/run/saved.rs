//! A run that was interrupted or killed, and is gone on with.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::folder::{self, RunFolder};
use super::step_log::StepLog;
use super::{RunConfig, StartedRun, checksum, taken};
use crate::data::Dataset;
use crate::exec::engine::Engine;
use crate::model::{Error as ModelError, Network};
use crate::report::error::{Error, Result};
use crate::train::State;

/// The run that a folder keeps: to its end, or to where it was interrupted or killed.
///
/// A run that is gone on with ends with the same bytes in `model.safetensors` as one that was never
/// interrupted, on any number of threads and any instruction set with fused multiply-add.
#[derive(Debug)]
pub struct SavedRun {
    folder: RunFolder,
    config: RunConfig,
    state: Option<State>,
    started: Instant,
}

impl SavedRun {
    /// Reads what the folder at `path` says of its run, which is to have `epochs` epochs in all; as
    /// many as it was told where that is `None`. From now on no other process can write there.
    ///
    /// # Errors
    /// When the folder holds no run, another process is at work there, its files contradict each
    /// other, or the epochs cannot be changed.
    pub fn open(path: impl Into<PathBuf>, epochs: Option<usize>) -> Result<Self> {
        let path = path.into();
        folder::check_is_run(&path)?;
        let folder = RunFolder::lock(path)?;
        let path = folder.path();
        let mut config = folder::read_config(path)?;
        let state = standing(path, &config, epochs)?;
        let planned = config.fit.epochs;
        config.fit.epochs = epochs.unwrap_or(planned);
        if state.is_none() && folder::has_report(path) && config.fit.epochs != planned {
            return Err(Error::NoCheckpoint(path.to_owned()));
        }
        Ok(Self { folder, config, state, started: Instant::now() })
    }

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

    /// Where it stands; `None` where it was killed before its first checkpoint, and begins anew.
    #[must_use]
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// Whether it is trained to its end, and tested.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        folder::has_report(self.folder.path()) && self.state.as_ref().is_none_or(State::is_complete)
    }

    /// Writes down a command line that makes more of the run than those before it do.
    #[must_use]
    pub fn command(mut self, line: impl Into<String>) -> Self {
        self.config.commands.push(line.into());
        self
    }

    /// Counts the report's `total_seconds` from this moment, in place of that of
    /// [`open`](Self::open).
    #[must_use]
    pub fn started(mut self, at: Instant) -> Self {
        self.started = at;
        self
    }

    /// Goes on with the run by `engine` on `dataset`, which must be the one that it began with, its
    /// classes in the order of the [configuration's](RunConfig::class_names): from its last checkpoint, or anew where it has none.
    ///
    /// # Errors
    /// When the data are others, or a file cannot be read or written; and as
    /// [`RecordedRun::begin`](super::RecordedRun::begin).
    pub fn resume<'a>(self, engine: &'a Engine, dataset: &'a Dataset) -> Result<StartedRun<'a>> {
        let Self { folder, mut config, state, started } = self;
        let path = || folder.path().to_owned();
        match &config.data_checksum {
            None => return Err(Error::NoChecksum(path())),
            Some(known) if *known != checksum(engine, dataset) => {
                return Err(Error::OtherData { folder: path(), dataset: config.dataset });
            }
            Some(_) => {}
        }
        config.threads = engine.training_threads();
        config.isa = engine.isa().name().into();
        let train_images = taken(dataset, config.train_limit)?;
        let is_new = state.is_none();
        let state = match state {
            Some(state) => state,
            None => State::new(first_network(&config)?, config.fit),
        };
        engine.check_fit(state.network(), &train_images, &config.fit)?;
        let mut step_log = match (&config.step_log, is_new) {
            (Some(log), true) => Some(StepLog::open_ours(log)?),
            (Some(log), false) => Some(StepLog::open_there(log)?),
            (None, _) => None,
        };
        if let Some(log) = &mut step_log {
            match is_new {
                true => log.begin()?,
                false => log.go_on_after(state.steps_done(config.train_images))?,
            }
        }
        let history = match is_new {
            true => folder.replace(&config, &state, config.init.is_some())?,
            false => folder.go_on(&config, &state)?,
        };
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

/// Where the run in the folder at `path` stands, which `config` describes, as one of `epochs`
/// epochs.
fn standing(path: &Path, config: &RunConfig, epochs: Option<usize>) -> Result<Option<State>> {
    let Some(mut state) = folder::read_checkpoint(path)? else { return Ok(None) };
    state.set_epochs(config.fit.epochs)?;
    if *state.options() != config.fit || *state.network().architecture() != config.architecture {
        return Err(Error::OtherRun(path.to_owned()));
    }
    state.set_epochs(epochs.unwrap_or(config.fit.epochs))?;
    Ok(Some(state))
}

/// The network that a run began with.
fn first_network(config: &RunConfig) -> Result<Network> {
    let architecture = config.architecture.clone();
    let network = match &config.init {
        Some(file) => Network::load_weights(file, architecture)?,
        None => Network::new(architecture, config.fit.seed).map_err(ModelError::from)?,
    };
    match &config.class_names {
        Some(names) => Ok(network.taking_class_names(names).map_err(ModelError::from)?),
        None => Ok(network),
    }
}
