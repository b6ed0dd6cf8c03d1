//! An event file: records, each with its length and the checksums of both, as TensorFlow frames
//! them (`TFRecord`).

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;

use super::event::{Event, Summary, Value};
use crate::files::create_folder;
use crate::report::error::{Error, Result};

/// What the name of every event file has in it.
pub(super) const MARK: &str = "tfevents";

/// The format of the file.
const VERSION: &str = "brain.Event:2";

/// A file that events are added to.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl EventFile {
    /// Begins a new file in `folder`, which is made where it does not exist.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn begin(folder: &Path) -> Result<Self> {
        create_folder(folder)?;
        let (path, file) = create(folder)?;
        let mut file = Self { path, file: BufWriter::new(file) };
        let version = Some(VERSION.into());
        file.write(&Event { wall_time: now(), step: 0, file_version: version, summary: None })?;
        file.flush()?;
        Ok(file)
    }

    /// Adds `values` at `step`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn add(&mut self, step: usize, values: Vec<Value>) -> Result<()> {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let summary = Some(Summary { values });
        self.write(&Event { wall_time: now(), step, file_version: None, summary })
    }

    /// Writes what is still buffered, so that it is seen.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(Error::io("write", &self.path))
    }

    fn write(&mut self, event: &Event) -> Result<()> {
        let record = framed(&event.encode_to_vec());
        self.file.write_all(&record).map_err(Error::io("write", &self.path))
    }
}

/// Creates the next file in `folder`. TensorBoard reads those of one folder in the order of their
/// names.
fn create(folder: &Path) -> Result<(PathBuf, File)> {
    let seconds = now() as u64;
    let mut number = 0_u64;
    loop {
        let path = folder.join(format!("events.out.{MARK}.{seconds:010}.mnistry.{number}"));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(said) if said.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(said) => return Err(Error::io("write", path)(said)),
        }
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// `bytes` as a record: their length, its checksum, they themselves, their checksum.
fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    let sums = [&length[..], bytes].map(|part| masked(crc32c::crc32c(part)).to_le_bytes());
    [&length[..], &sums[0], bytes, &sums[1]].concat()
}

/// A checksum as it is stored beside what it is of, so that checksums of checksums differ.
fn masked(sum: u32) -> u32 {
    const MASK: u32 = 0xa282_ead8;
    sum.rotate_right(15).wrapping_add(MASK)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As TensorFlow's `TFRecordWriter` writes the three bytes `abc`.
    #[test]
    fn records_are_framed_as_tensorflow_does() {
        let expected = "0300000000000000b099490e6162636e57f121";
        let found: String = framed(b"abc").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected);
    }
}
