//! Why there is no data set.

use std::path::PathBuf;

use super::Problem;
use crate::{files, image};

/// Why a data set was not found, read, fetched or written, and where.
///
/// The text is one line that has in it those of its sources.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file was not read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file or folder is not the data set, or the part of one, that it should be.
    #[error("{}: {problem}", path.display())]
    Invalid {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: Problem,
    },
    /// Images and labels that come from no file are not a data set.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// A picture of a data set was not read, or is refused.
    #[error(transparent)]
    Picture(#[from] image::Error),
    /// A data set would replace another one.
    #[error("{}: is there already: choose another folder", path.display())]
    Exists {
        /// The file that is there.
        path: PathBuf,
    },
    /// Some files of a data set, but not all, and they are not those of the one to be written.
    #[error(
        "{}: is one of an unfinished data set, and not what would be written: remove it, or choose \
         another folder", path.display()
    )]
    Unfinished {
        /// The file that is there.
        path: PathBuf,
    },
    /// A published data set was not fetched.
    #[cfg(feature = "download")]
    #[error(transparent)]
    Download(#[from] super::download::Error),
}

/// A result of this room.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;
