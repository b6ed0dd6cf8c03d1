//! Tables that grow by rows: `results.csv`, `rungs.csv`.

use std::path::PathBuf;

use super::error::{Error, Result};
use crate::files::{LineFile, csv_text, read_bounded, whole_lines, write_atomically};

/// More bytes than any table of ours has.
const LARGEST: u64 = 1 << 32;

/// A table that grows by rows, each of which is on the disk before the next one is written.
#[derive(Debug)]
pub(super) struct RowFile {
    path: PathBuf,
    header: Vec<String>,
    /// While this process writes to it.
    lines: Option<LineFile>,
}

impl RowFile {
    /// The table at `path`, which may not be there yet.
    pub(super) fn new(path: PathBuf, header: Vec<String>) -> Self {
        Self { path, header, lines: None }
    }

    /// Gives each whole row that there is to `take`, which says what is wrong with it.
    ///
    /// # Errors
    /// When the file cannot be read, is another table, or a row is wrong.
    pub(super) fn read(
        &self,
        mut take: impl FnMut(&csv::StringRecord) -> Result<(), String>,
    ) -> Result<()> {
        let bytes = self.bytes()?;
        let wrong = |problem: String| Error::Results { path: self.path.clone(), problem };
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).from_reader(whole_lines(&bytes));
        for (number, record) in reader.records().enumerate() {
            let record = record.map_err(|error| wrong(error.to_string()))?;
            if number > 0 {
                let at_line = |problem| wrong(format!("in line {}, {problem}", 1 + number));
                take(&record).map_err(at_line)?;
            } else if !record.iter().eq(self.header.iter().map(String::as_str)) {
                return Err(wrong("its columns are others".into()));
            }
        }
        Ok(())
    }

    /// Has it there, without a half row that a killed process left, so that rows can be added.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn begin_writing(&mut self) -> Result<()> {
        let bytes = self.bytes()?;
        match whole_lines(&bytes) {
            [] => {
                let header = csv_text(std::iter::once(self.header.clone()))?;
                write_atomically(&self.path, &header)?;
            }
            whole if whole.len() < bytes.len() => write_atomically(&self.path, whole)?,
            _ => {}
        }
        self.lines = Some(LineFile::open(&self.path)?);
        Ok(())
    }

    /// Adds `row`, and waits until it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, row: Vec<String>) -> Result<()> {
        if let Some(lines) = &mut self.lines {
            lines.add(&csv_text(std::iter::once(row))?)?;
            lines.sync()?;
        }
        Ok(())
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let is_there = self.path.exists();
        Ok(if is_there { read_bounded(&self.path, LARGEST)? } else { Vec::new() })
    }
}
