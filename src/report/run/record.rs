//! What a run folder says of its run, read without disturbing one that is in progress.

use std::fs;
use std::path::{Path, PathBuf};

use super::{RunConfig, checksum, folder};
use crate::data::Dataset;
use crate::exec::engine::Engine;
use crate::report::Report;
use crate::report::error::{Error, Result};
use crate::train::Epoch;

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
}

impl RunRecord {
    /// Reads the folder at `path`.
    ///
    /// # Errors
    /// When it holds no run, or a file is not what a run writes.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let config = folder::read_config(path)?;
        let report = folder::read_report(path)?;
        let epochs = match &report {
            Some(report) => report.history.clone(),
            None => folder::read_history(path)?,
        };
        Ok(Self { folder: path.to_owned(), config, epochs, report })
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
