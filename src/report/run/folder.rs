//! The run folder: `config.json`, `history.csv`, `model.safetensors`, `best.safetensors`,
//! `checkpoint.safetensors`, `report.json`, `report.html` and `confusion_matrix.csv`.
//!
//! Each file is whole at any time, and none is left from an earlier run, so that whatever interrupts
//! a run, the folder speaks of that run alone, its model can be used, and it can be gone on with.
//! One process at a time writes to it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;

use super::RunConfig;
use super::history_file::HistoryFile;
use crate::files::{self, Lock, StagedFiles, create_folder, is_same_file, read_bounded, sweep};
use crate::files::{create_next_folder_in, csv_text};
use crate::model::Network;
use crate::report::Report;
use crate::report::TestReport;
use crate::report::error::{Error, Result};
use crate::sweep::SweepFolder;
use crate::sync::Background;
use crate::train::{Epoch, State};

/// The name of the trained network in a run folder.
pub const MODEL_FILE: &str = "model.safetensors";

/// More bytes than any `config.json` of ours has: as much as that of the most layers that a model
/// file can have.
const LARGEST_CONFIG: u64 = 1 << 28;

const CONFIG_FILE: &str = "config.json";
const HISTORY_FILE: &str = "history.csv";
const BEST_FILE: &str = "best.safetensors";
const CHECKPOINT_FILE: &str = "checkpoint.safetensors";
const REPORT_FILE: &str = "report.json";
/// The name of the report as a web page in a run folder.
pub const PAGE_FILE: &str = "report.html";
const CONFUSION_FILE: &str = "confusion_matrix.csv";
const LOCK_FILE: &str = ".lock";
/// What says how an earlier run ended, and where it could be gone on with. It is removed before a
/// new run's files come.
const ENDINGS: [&str; 5] = [REPORT_FILE, PAGE_FILE, CONFUSION_FILE, CHECKPOINT_FILE, BEST_FILE];

/// A folder that keeps one run, and that no other process writes to.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    /// What another thread waits for the disk with, while the run goes on.
    writing: Mutex<Option<Background<files::Result<()>>>>,
    _lock: Lock,
}

impl RunFolder {
    /// The folder at `path` for a new run, made where it does not exist. Nothing is replaced yet.
    ///
    /// # Errors
    /// When the system refuses, another process has it, or it holds a `config.json` that no run
    /// wrote, or files under our names without one.
    pub(super) fn claim(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        create_folder(&path)?;
        // Before the lock, so that nothing is left in a folder of something else; and with it, since
        // another process may have begun a run there meanwhile.
        check_free(&path)?;
        let folder = Self::lock(path)?;
        check_free(&folder.path)?;
        Ok(folder)
    }

    /// A new folder in `parent`, named by the first number from 1 that is free: runs count up,
    /// and two that start at once do not meet.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn claim_next_in(parent: impl AsRef<Path>) -> Result<Self> {
        Self::lock(create_next_folder_in(parent.as_ref())?)
    }

    /// The folder at `path`, which is there.
    ///
    /// # Errors
    /// When the system refuses, or another process has it.
    pub(super) fn lock(path: PathBuf) -> Result<Self> {
        let Some(lock) = Lock::acquire(&path.join(LOCK_FILE))? else {
            return Err(Error::Busy(path));
        };
        sweep(&path);
        Ok(Self { path, writing: Mutex::default(), _lock: lock })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file at `path` is one that a run keeps in the folder.
    pub(super) fn keeps(&self, path: &Path) -> bool {
        let names = [CONFIG_FILE, HISTORY_FILE, MODEL_FILE, LOCK_FILE];
        let mut names = names.into_iter().chain(ENDINGS);
        names.any(|name| is_same_file(path, &self.path.join(name)))
    }

    /// Where its network is.
    pub(super) fn model_path(&self) -> PathBuf {
        self.path.join(MODEL_FILE)
    }

    /// Replaces an earlier run by one that `config` describes and that begins with `state`, whose
    /// network was read from a file where `is_read`.
    ///
    /// All new files are written beside before the first old one is given up. Until the last has its
    /// name, the run is one that has no checkpoint yet and begins anew.
    ///
    /// # Errors
    /// When a file cannot be written: the earlier run is then as it was.
    pub(super) fn replace(
        &self,
        config: &RunConfig,
        state: &State,
        is_read: bool,
    ) -> Result<HistoryFile> {
        let history = HistoryFile::text(state.epochs(), config.fit.is_validated())?;
        let mut staged = StagedFiles::default();
        self.stage_json(&mut staged, CONFIG_FILE, config)?;
        staged.add(self.path.join(HISTORY_FILE), &history)?;
        self.stage_network(&mut staged, MODEL_FILE, state.network())?;
        if is_read {
            // The file that the weights were read from may change, or be the one that is replaced.
            self.stage_checkpoint(&mut staged, state)?;
        }
        for name in ENDINGS {
            staged.outdate(self.path.join(name));
        }
        self.write(staged)?;
        Ok(HistoryFile::at(self.path.join(HISTORY_FILE)))
    }

    /// Writes down what is new in `config` of a run that is gone on with from `state`; its history
    /// has the epochs that are complete then, and nothing speaks of its end.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn go_on(&self, config: &RunConfig, state: &State) -> Result<HistoryFile> {
        let mut staged = StagedFiles::default();
        self.stage_json(&mut staged, CONFIG_FILE, config)?;
        let history = HistoryFile::text(state.epochs(), config.fit.is_validated())?;
        staged.add(self.path.join(HISTORY_FILE), &history)?;
        for name in [REPORT_FILE, PAGE_FILE, CONFUSION_FILE] {
            staged.outdate(self.path.join(name));
        }
        // The file may be ahead of the checkpoint, or damaged.
        match state.best() {
            Some((_, best)) => self.stage_network(&mut staged, BEST_FILE, best)?,
            None => staged.outdate(self.path.join(BEST_FILE)),
        }
        self.write(staged)?;
        Ok(HistoryFile::at(self.path.join(HISTORY_FILE)))
    }

    /// Keeps `network` as the run's.
    ///
    /// # Errors
    /// When the file cannot be written; the folder then keeps the one that it had.
    pub(super) fn save_model(&self, network: &Network) -> Result<()> {
        let mut staged = StagedFiles::default();
        self.stage_network(&mut staged, MODEL_FILE, network)?;
        self.write(staged)
    }

    /// Keeps `network` as that of the lowest validation loss.
    ///
    /// # Errors
    /// As [`save_model`](Self::save_model).
    pub(super) fn save_best(&self, network: &Network) -> Result<()> {
        let mut staged = StagedFiles::default();
        self.stage_network(&mut staged, BEST_FILE, network)?;
        self.write(staged)
    }

    /// Keeps `state`, to be gone on from.
    ///
    /// # Errors
    /// As [`save_model`](Self::save_model).
    pub(super) fn save_checkpoint(&self, state: &State) -> Result<()> {
        let mut staged = StagedFiles::default();
        self.stage_checkpoint(&mut staged, state)?;
        self.write(staged)
    }

    /// Keeps `state`, in which the run ended, and the network that it was for.
    ///
    /// # Errors
    /// As [`save_model`](Self::save_model).
    pub(super) fn save_end(&self, state: &State) -> Result<()> {
        let mut staged = StagedFiles::default();
        self.stage_network(&mut staged, MODEL_FILE, state.result())?;
        self.stage_checkpoint(&mut staged, state)?;
        self.write(staged)
    }

    /// Writes the report of the completed run, as a web page too where there is one.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn finish(&self, report: &Report, page: Option<&str>) -> Result<()> {
        let mut staged = StagedFiles::default();
        if let Some(page) = page {
            staged.add(self.path.join(PAGE_FILE), page.as_bytes())?;
        }
        let matrix = confusion_matrix_text(&report.test)?;
        staged.add(self.path.join(CONFUSION_FILE), &matrix)?;
        // Last: a run is complete when it has a report.
        self.stage_json(&mut staged, REPORT_FILE, report)?;
        self.write(staged)?;
        self.settle()
    }

    /// Waits until what was kept is on the disk.
    ///
    /// # Errors
    /// When it could not be written.
    pub(super) fn settle(&self) -> Result<()> {
        // Only ever replaced as a whole, so that it is sound whatever a thread did that panicked.
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(writing.map_or(Ok(()), Background::wait)?)
    }

    /// Gives `staged` their names, after those that came before, while the run goes on.
    fn write(&self, staged: StagedFiles) -> Result<()> {
        self.settle()?;
        let writing = Background::begin(move || staged.rename());
        *self.writing.lock().unwrap_or_else(PoisonError::into_inner) = Some(writing);
        Ok(())
    }

    fn stage_json(
        &self,
        staged: &mut StagedFiles,
        name: &str,
        value: &impl Serialize,
    ) -> Result<()> {
        let path = self.path.join(name);
        let text = json(&path, value)?;
        Ok(staged.add(path, &text)?)
    }

    fn stage_network(&self, staged: &mut StagedFiles, name: &str, network: &Network) -> Result<()> {
        let path = self.path.join(name);
        let bytes = network.to_bytes(&path)?;
        Ok(staged.add(path, &bytes)?)
    }

    fn stage_checkpoint(&self, staged: &mut StagedFiles, state: &State) -> Result<()> {
        let path = self.path.join(CHECKPOINT_FILE);
        let bytes = state.to_bytes(&path)?;
        Ok(staged.add(path, &bytes)?)
    }
}

/// The true class down, in the first column; the predicted class across, in the header.
fn confusion_matrix_text(test: &TestReport) -> Result<Vec<u8>> {
    let rows = test.confusion_matrix.rows();
    let names = || (0..rows.len()).map(|class| test.class_name(class).into_owned());
    let header = std::iter::once("true\\predicted".to_owned()).chain(names());
    let rows = names().zip(rows).map(|(name, row)| {
        std::iter::once(name).chain(row.iter().map(u64::to_string)).collect::<Vec<_>>()
    });
    Ok(csv_text(std::iter::once(header.collect()).chain(rows))?)
}

impl Drop for RunFolder {
    /// The lock is not given up before all is written.
    fn drop(&mut self) {
        let _ = self.settle();
    }
}

/// Refuses a folder that holds no run.
///
/// # Errors
/// As said.
pub(super) fn check_is_run(path: &Path) -> Result<()> {
    match path.join(CONFIG_FILE).is_file() {
        true => Ok(()),
        false => Err(Error::NoSuchRun(path.to_owned())),
    }
}

/// What the folder at `path` says of its run.
///
/// # Errors
/// When it holds no run.
pub(super) fn read_config(path: &Path) -> Result<RunConfig> {
    check_is_run(path)?;
    let config = path.join(CONFIG_FILE);
    let bytes = read_bounded(&config, LARGEST_CONFIG)?;
    serde_json::from_slice(&bytes)
        .map_err(|source| Error::Config { path: config, source: source.into() })
}

/// What is reported of the run in the folder at `path`; `None` where it is not complete.
///
/// # Errors
/// When the file cannot be read, or is something else.
pub(super) fn read_report(path: &Path) -> Result<Option<Report>> {
    let path = path.join(REPORT_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read_bounded(&path, LARGEST_CONFIG)?;
    let report = serde_json::from_slice(&bytes);
    report.map(Some).map_err(|source| Error::Config { path, source: source.into() })
}

/// The epochs of the run in the folder at `path` that are complete.
///
/// # Errors
/// As [`read_report`].
pub(super) fn read_history(path: &Path) -> Result<Vec<Epoch>> {
    let path = path.join(HISTORY_FILE);
    let bytes = read_bounded(&path, LARGEST_CONFIG)?;
    HistoryFile::epochs(&bytes).map_err(|source| Error::Config { path, source: source.into() })
}

/// Where the run in the folder at `path` stands; `None` where it has no checkpoint yet.
///
/// # Errors
/// When the checkpoint cannot be read.
pub(super) fn read_checkpoint(path: &Path) -> Result<Option<State>> {
    let path = path.join(CHECKPOINT_FILE);
    Ok(if path.exists() { Some(State::load(path)?) } else { None })
}

/// Whether a process has the folder at `path`.
pub(super) fn is_locked(path: &Path) -> bool {
    Lock::is_held(&path.join(LOCK_FILE))
}

/// When what the folder at `path` says of its run last changed, and how long each part is.
pub(super) fn versions(path: &Path) -> [Option<(SystemTime, u64)>; 3] {
    [CONFIG_FILE, HISTORY_FILE, REPORT_FILE].map(|name| {
        let found = path.join(name).metadata().ok()?;
        Some((found.modified().ok()?, found.len()))
    })
}

/// What leads to the same file from any other folder too.
pub(super) fn whole(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// Whether the run in the folder at `path` has its report.
pub(super) fn has_report(path: &Path) -> bool {
    path.join(REPORT_FILE).exists()
}

/// `value` as what the file at `path` holds.
pub(super) fn json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::Unwritable { path: path.to_owned(), source: error.into() })?;
    text.push(b'\n');
    Ok(text)
}

/// Refuses a folder that holds something else than a run: that is not given up for one.
fn check_free(path: &Path) -> Result<()> {
    match SweepFolder::is_at(path) {
        true => Err(Error::SweepThere(path.to_owned())),
        false => check_replaceable(&path.join(CONFIG_FILE)),
    }
}

/// Refuses a `config.json` of something else, or files of our names without one: that folder was
/// surely not meant.
fn check_replaceable(config: &Path) -> Result<()> {
    if !config.exists() {
        let results = ENDINGS.into_iter().chain([HISTORY_FILE, MODEL_FILE]);
        let mut results = results.map(|name| config.with_file_name(name));
        return match results.find(|file| file.exists()) {
            Some(file) => Err(Error::NoRun(file)),
            None => Ok(()),
        };
    }
    let bytes = read_bounded(config, LARGEST_CONFIG)?;
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if value.get("architecture").is_some() {
        return Ok(());
    }
    Err(Error::ForeignConfig(config.to_owned()))
}
