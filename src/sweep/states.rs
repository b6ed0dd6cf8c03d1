//! Where runs stand that may go on: `states/RUN.safetensors`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use crate::files::{create_folder, read_bounded, sweep, write_atomically};

const STATES: &str = "states";

/// More bytes than any state of ours has.
const LARGEST: u64 = 1 << 34;

/// The states of the runs of a sweep, each a file.
#[derive(Clone, Debug)]
pub(super) struct StateFiles {
    folder: PathBuf,
}

impl StateFiles {
    /// Those of the sweep in `folder`.
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: folder.join(STATES) }
    }

    /// The state of run `run`, if it is there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(&self, run: usize) -> Result<Option<Vec<u8>>> {
        let path = self.path(run);
        Ok(if path.exists() { Some(read_bounded(&path, LARGEST)?) } else { None })
    }

    /// Keeps the state of run `run`, in place of an earlier one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, run: usize, state: &[u8]) -> Result<()> {
        create_folder(&self.folder)?;
        Ok(write_atomically(&self.path(run), state)?)
    }

    /// Removes the state of run `run`, if it is there.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn remove(&self, run: usize) -> Result<()> {
        remove(&self.path(run))
    }

    /// Removes what a killed process left half written.
    pub(super) fn sweep(&self) {
        sweep(&self.folder);
    }

    /// Removes the states of these runs, and the folder if nothing else is in it.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub(super) fn clear(&self, runs: impl IntoIterator<Item = usize>) -> Result<()> {
        if self.folder.exists() {
            runs.into_iter().try_for_each(|run| self.remove(run))?;
            // What somebody else has put there stays.
            let _ = fs::remove_dir(&self.folder);
        }
        Ok(())
    }

    pub(super) fn path(&self, run: usize) -> PathBuf {
        self.folder.join(format!("{run}.safetensors"))
    }
}

/// Removes the file at `path`, if it is there.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}
