//! The loss of every step of a run, as CSV.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::files::{create_folder, folder_of, sync_folder};
use crate::report::error::{Error, Result};

/// Writes `step,loss`, a line a step, steps counted over the whole run from 1.
#[derive(Debug)]
pub(super) struct StepLog {
    path: PathBuf,
    writer: csv::Writer<File>,
    steps: usize,
    /// Whether it can be cut and synced: it is no device or pipe.
    is_regular: bool,
}

impl StepLog {
    /// Opens the file at `path`, which is made where it does not exist, with the folders that it
    /// lacks, and left as it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_as(path.as_ref(), true)
    }

    /// As [`open`](Self::open), of a file that is to be there.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when it is not there.
    pub(super) fn open_there(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_as(path.as_ref(), false)
    }

    /// As [`open`](Self::open), of a file that is not there, empty, or begins as such a log does:
    /// the path comes from a file, and what it leads to may be anything.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when it holds something else.
    pub(super) fn open_ours(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let log = Self::open(path)?;
        if log.is_regular {
            let mut start = Vec::new();
            let read = log.writer.get_ref().take(HEADER.len() as u64).read_to_end(&mut start);
            read.map_err(Error::io("read", path))?;
            if !(start.is_empty() || HEADER.starts_with(&start)) {
                return Err(Error::ForeignLog(path.to_owned()));
            }
        }
        Ok(log)
    }

    fn open_as(path: &Path, is_made: bool) -> Result<Self> {
        let path = path.to_owned();
        let is_regular = path.metadata().map_or(true, |found| found.is_file());
        if is_made {
            create_folder(folder_of(&path))?;
        }
        let mut options = File::options();
        options.write(true).create(is_regular && is_made).truncate(false).read(is_regular);
        let file = options.open(&path).map_err(Error::io("write", &path))?;
        let writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
        Ok(Self { path, writer, steps: 0, is_regular })
    }

    /// Begins the file anew: the header, and no steps.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn begin(&mut self) -> Result<()> {
        self.cut_at(0)?;
        if self.is_regular {
            sync_folder(folder_of(&self.path))?;
        }
        self.write(("step", "loss"))
    }

    /// Goes on after the first `steps` steps, which must be there; what follows is removed.
    ///
    /// # Errors
    /// When they are not there, or the file cannot be written.
    pub(super) fn go_on_after(&mut self, steps: usize) -> Result<()> {
        self.steps = steps;
        if !self.is_regular {
            return Ok(());
        }
        let file = self.writer.get_ref().try_clone().map_err(Error::io("read", &self.path))?;
        let mut file = BufReader::new(file);
        let mut len = 0;
        let mut line = Vec::new();
        // The header, and a line a step.
        for found in 0..=steps {
            line.clear();
            let read = file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            let read = read.map_err(Error::io("read", &self.path))?;
            let begins = if found == 0 { "step,".into() } else { format!("{found},") };
            if !(line.ends_with(b"\n") && line.starts_with(begins.as_bytes())) {
                let (path, found) = (self.path.clone(), found.saturating_sub(1));
                return Err(Error::StepsMissing { path, found, steps });
            }
            len += read as u64;
        }
        self.cut_at(len)
    }

    /// Adds the next step, with the shortest decimal number that reads back as the same `loss`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn record(&mut self, loss: f32) -> Result<()> {
        self.steps += 1;
        self.write((self.steps, loss))
    }

    /// Writes what is still buffered, and waits until it is on the disk.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn sync(&mut self) -> Result<()> {
        let refused = Error::io("write", &self.path);
        let mut sync = || {
            self.writer.flush()?;
            if self.is_regular { self.writer.get_ref().sync_data() } else { Ok(()) }
        };
        sync().map_err(refused)
    }

    /// Drops all from byte `len` on.
    fn cut_at(&mut self, len: u64) -> Result<()> {
        if !self.is_regular {
            return Ok(());
        }
        let mut file = self.writer.get_ref();
        let cut = file.set_len(len).and_then(|()| file.seek(SeekFrom::Start(len)));
        cut.and_then(|_| file.flush()).map_err(Error::io("write", &self.path))
    }

    fn write(&mut self, row: impl serde::Serialize) -> Result<()> {
        self.writer.serialize(row).map_err(|error| Error::io("write", &self.path)(error.into()))
    }
}

/// The first line.
const HEADER: &[u8] = b"step,loss\n";

/// More bytes than any line of ours has.
const LONGEST_LINE: u64 = 100;
