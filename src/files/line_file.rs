//! Files that grow by lines.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::open_to_append;

/// A file that lines are added to, each whole or not at all.
#[derive(Debug)]
pub(crate) struct LineFile {
    path: PathBuf,
    file: File,
    /// How long it is with all lines that are whole.
    len: u64,
}

impl LineFile {
    /// The file at `path`, which is there.
    ///
    /// # Errors
    /// When it cannot be opened so.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = open_to_append(path)?;
        let len = file.metadata().map_err(Error::io("read", path))?.len();
        Ok(Self { path: path.to_owned(), file, len })
    }

    /// Adds `line`, which has its end.
    ///
    /// # Errors
    /// When the file cannot be written; it then has no half line.
    pub(crate) fn add(&mut self, line: &[u8]) -> Result<()> {
        // In one piece, so that whatever ends the process does so between two lines.
        if let Err(said) = self.file.write_all(line) {
            // Where even that is refused, there is nothing more to do.
            let _ = self.file.set_len(self.len);
            return Err(Error::io("write", &self.path)(said));
        }
        self.len += line.len() as u64;
        Ok(())
    }

    /// Waits until all lines are on the disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(Error::io("write", &self.path))
    }
}

/// What `bytes` of such a file have of whole lines. A last one without an end is being written, or
/// whoever wrote it was killed.
pub(crate) fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    &bytes[..end]
}
