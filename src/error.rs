//! The errors of all rooms under one roof.
//!
//! Each room has an error of its own, which says what went wrong, where, and what to do about it.
//! Here they are taken in as they are, so that a caller can match down to the cause.
//!
//! The text of an error is one whole line, which has in it what its sources say:
//! print it alone, without the chain of [`source`](std::error::Error::source). That chain is there
//! to get at a cause and its kind.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use crate::model::{ArchitectureError, NetworkError};
use crate::{data, files, image};

pub use files::Error as FileError;

/// What can go wrong in this crate. The text of each is one line for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A data set was not found, read, fetched or written.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// A picture was refused, or an image cannot be made or written.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// Another file was not read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A saved model or another description is not what it should be.
    #[error("{}: {problem}", path.display())]
    Contents {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and where possible what to do.
        problem: String,
    },
    /// Layers that make no network, or tensors that do not fit it.
    #[error(transparent)]
    Model(#[from] NetworkError),
    /// A network that does not fit its data.
    #[error("{0}")]
    Network(String),
    /// An option that cannot be honoured on this machine or with this data.
    #[error("{0}")]
    Option(String),
    /// The loss turned NaN or infinite.
    #[error(
        "the loss became {loss} in epoch {epoch}, step {step}: lower the learning rate (the weights are as after epoch {})",
        epoch - 1
    )]
    NotFinite {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: usize,
        /// The loss: NaN or an infinity.
        loss: f32,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<ArchitectureError> for Error {
    fn from(error: ArchitectureError) -> Self {
        Self::Model(error.into())
    }
}

impl From<data::Problem> for Error {
    fn from(problem: data::Problem) -> Self {
        Self::Data(problem.into())
    }
}

#[cfg(feature = "download")]
impl From<data::download::Error> for Error {
    fn from(error: data::download::Error) -> Self {
        Self::Data(error.into())
    }
}

impl Error {
    /// Wraps what the system said when it was asked to `action` the file at `path`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let wrap = FileError::io(action, path);
        move |source| Self::File(wrap(source))
    }

    /// Refuses the file at `path` because of `problem`.
    pub fn file(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Self::Contents { path: path.as_ref().to_owned(), problem: problem.into() }
    }
}
