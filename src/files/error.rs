//! Why a file was not read or written.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file was not read or written, and which.
///
/// The text is one line that has in it what the system said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted, as a verb: `open`, `write`, `map` …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is longer than any of its kind.
    #[error("{}: holds more than {limit} bytes: it cannot be what it should be", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// A folder where a file was to be written.
    #[error("{}: is a folder: name a file to be written", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that is to be filled, and that something is in.
    #[error("{}: is not empty: empty it, or name another folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file that is to be written, and is read too.
    #[error("{}: is read or written here, and would be overwritten: name another file", path.display())]
    Input {
        /// The file.
        path: PathBuf,
    },
    /// What is there has no bytes to be read as those of a file: a folder, a named pipe, a device.
    #[error("{}: is {kind}, and only a regular file is read: name one", path.display())]
    NotRegular {
        /// What was named.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A named pipe that stays empty.
    #[error("{}: nobody writes into this named pipe: begin that first", path.display())]
    NoWriter {
        /// The pipe.
        path: PathBuf,
    },
    /// A mapped file was written to, or cut short.
    #[error("{}: changed while it was read: run again when nothing else writes to it", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

/// A result of this room.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Wraps what the system said when it was asked to `action` the file at `path`.
    pub(crate) fn io(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.as_ref().to_owned(), source }
    }
}
