//! The loss of every step of a run, as CSV.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::report::error::{Error, Result};

/// Writes `step,loss`, a line a step, steps counted over the whole run from 1.
#[derive(Debug)]
pub(super) struct StepLog {
    path: PathBuf,
    writer: csv::Writer<File>,
    steps: u64,
}

impl StepLog {
    /// Starts the file at `path`, in place of what may be there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let file = File::create(&path).map_err(Error::io("write", &path))?;
        let mut log = Self { path, writer: csv::Writer::from_writer(file), steps: 0 };
        log.write(("step", "loss"))?;
        Ok(log)
    }

    /// Adds the next step, with the shortest decimal number that reads back as the same `loss`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn record(&mut self, loss: f32) -> Result<()> {
        self.steps += 1;
        self.write((self.steps, loss))
    }

    /// Writes what is still buffered.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn finish(mut self) -> Result<()> {
        self.writer.flush().map_err(Error::io("write", &self.path))
    }

    fn write(&mut self, row: impl serde::Serialize) -> Result<()> {
        self.writer.serialize(row).map_err(|error| Error::io("write", &self.path)(error.into()))
    }
}
