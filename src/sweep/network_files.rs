//! The networks that are kept: `models/RUN.safetensors`.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::states::remove;
use crate::files::{create_folder, sweep, write_atomically};

const MODELS: &str = "models";
const ENDING: &str = ".safetensors";

/// The networks of the runs of a sweep, each a file.
#[derive(Clone, Debug)]
pub(super) struct NetworkFiles {
    folder: PathBuf,
}

impl NetworkFiles {
    /// Those of the sweep in `folder`.
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: folder.join(MODELS) }
    }

    /// Where that of run `run` is, if it is kept.
    pub(super) fn path(&self, run: usize) -> PathBuf {
        self.folder.join(format!("{run}{ENDING}"))
    }

    /// Keeps that of run `run`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, run: usize, network: &[u8]) -> Result<()> {
        create_folder(&self.folder)?;
        Ok(write_atomically(&self.path(run), network)?)
    }

    /// The runs whose networks are there.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn runs(&self) -> Result<Vec<usize>> {
        let mut runs = Vec::new();
        if self.folder.exists() {
            for entry in fs::read_dir(&self.folder).map_err(Error::io("read", &self.folder))? {
                let name = entry.map_err(Error::io("read", &self.folder))?.file_name();
                let number = name.to_str().and_then(|name| name.strip_suffix(ENDING));
                let run = number.and_then(|number| number.parse().ok());
                runs.extend(run.filter(|&run| self.path(run).file_name() == Some(&name)));
            }
        }
        Ok(runs)
    }

    /// Removes all but that of `run`.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub(super) fn remove_but(&self, run: Option<usize>) -> Result<()> {
        let others = self.runs()?.into_iter().filter(|&other| Some(other) != run);
        others.map(|other| self.path(other)).try_for_each(|path| remove(&path))
    }

    /// Removes what a killed process left half written.
    pub(super) fn sweep(&self) {
        sweep(&self.folder);
    }
}
