//! What a run folder says of its run, read without disturbing one that is in progress.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::data::checksum;
use super::{RunConfig, folder};
use crate::data::Dataset;
use crate::exec::engine::Engine;
use crate::report::Report;
use crate::report::error::{Error, Result};
use crate::train::Epoch;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// A process is at it.
    Running,
    /// It ended before it was complete, and can be gone on with.
    Interrupted,
    /// It has its report.
    Complete,
}

/// What changes whenever what a folder says does.
#[derive(Clone, Debug, PartialEq)]
struct Version {
    is_running: bool,
    files: [Option<(SystemTime, u64)>; 3],
}

impl Version {
    fn of(path: &Path) -> Self {
        Self { is_running: folder::is_locked(path), files: folder::versions(path) }
    }
}

/// What the folder of a run says of it, at any time: while it is trained, too.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunRecord {
    /// The folder.
    pub folder: PathBuf,
    /// All that decides what the run does.
    pub config: RunConfig,
    /// The epochs that are complete.
    pub epochs: Vec<Epoch>,
    /// What is reported of it; `None` where it is not complete.
    pub report: Option<Report>,
    /// How far it is.
    pub status: RunStatus,
    /// When the history was last written to.
    pub last_epoch: Option<SystemTime>,
    version: Version,
}

impl RunRecord {
    /// Reads the folder at `path`.
    ///
    /// # Errors
    /// When it holds no run, or a file is not what a run writes.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        // First: what changes meanwhile is then read anew.
        let version = Version::of(path);
        let config = folder::read_config(path)?;
        let report = folder::read_report(path)?;
        let epochs = match &report {
            Some(report) => report.history.clone(),
            None => folder::read_history(path)?,
        };
        if !epochs.iter().zip(1..).all(|(epoch, number)| epoch.epoch == number) {
            let source = "its epochs are not the first, the second and so on".into();
            return Err(Error::Config { path: path.to_owned(), source });
        }
        let status = match (version.is_running, &report) {
            (true, _) => RunStatus::Running,
            (false, Some(_)) => RunStatus::Complete,
            (false, None) => RunStatus::Interrupted,
        };
        let [_, history, _] = version.files;
        let last_epoch = history.map(|(changed, _)| changed);
        Ok(Self { folder: path.to_owned(), config, epochs, report, status, last_epoch, version })
    }

    /// What the folder at `path` is about to say of a run that is complete.
    #[cfg(feature = "html")]
    pub(super) fn completed(path: &Path, config: &RunConfig, report: &Report) -> Self {
        Self {
            folder: path.to_owned(),
            config: config.clone(),
            epochs: report.history.clone(),
            report: Some(report.clone()),
            status: RunStatus::Complete,
            last_epoch: None,
            version: Version::of(path),
        }
    }

    /// Whether the folder still says this.
    #[must_use]
    pub fn is_current(&self) -> bool {
        Version::of(&self.folder) == self.version
    }

    /// Refuses `data` that the run is not on, its classes in the order of the
    /// [configuration's](RunConfig::class_names).
    ///
    /// # Errors
    /// As said, and where the folder does not say what data the run is on.
    pub fn check_data(&self, engine: &Engine, data: &Dataset) -> Result<()> {
        let Self { folder, config, .. } = self;
        match &config.data_checksum {
            None => Err(Error::NoChecksum(folder.clone())),
            Some(known) if *known != checksum(engine, data) => {
                Err(Error::OtherData { folder: folder.clone(), dataset: config.dataset.clone() })
            }
            Some(_) => Ok(()),
        }
    }
}

/// The folders of runs that are at `path`: itself, or those in it, in the order of their numbers and
/// names.
///
/// # Errors
/// When there is none, or the folder cannot be read.
pub fn run_folders(path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let path = path.as_ref();
    if folder::check_is_run(path).is_ok() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(Error::io("read", path))?;
    let mut runs = Vec::new();
    for entry in entries {
        let run = entry.map_err(Error::io("read", path))?.path();
        if folder::check_is_run(&run).is_ok() {
            runs.push(run);
        }
    }
    let number = |run: &PathBuf| run.file_name()?.to_str()?.parse::<u64>().ok();
    runs.sort_by_cached_key(|run| (number(run).unwrap_or(u64::MAX), run.clone()));
    if runs.is_empty() { Err(Error::NoSuchRun(path.to_owned())) } else { Ok(runs) }
}
