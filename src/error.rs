//! The one error type: what went wrong, where, and what to do about it.

use std::path::{Path, PathBuf};

use crate::data::Problem;
#[cfg(feature = "download")]
use crate::data::download::Failure;
use crate::kernels::optim::InvalidOption;
use crate::simd::UnsupportedIsa;

/// What can go wrong in this crate. The text of each is one line for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to read or write a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted, as a verb: `open`, `write`, `map` …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of data or a saved model is not what it should be.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and where possible what to do.
        problem: String,
    },
    /// Images and labels that come from no file are not a data set.
    #[error(transparent)]
    Data(#[from] Problem),
    /// No host has a published data set.
    #[cfg(feature = "download")]
    #[error("cannot fetch {title}: {}; try again later, or another mirror", listed(failures))]
    Fetch {
        /// The name of the data set.
        title: String,
        /// What went wrong, host after host.
        failures: Vec<Failure>,
    },
    /// A network that cannot be built, or does not fit its data.
    #[error("{0}")]
    Network(String),
    /// An option that cannot be honoured on this machine or with this data.
    #[error("{0}")]
    Option(String),
    /// An instruction set that there is not, or that this CPU lacks.
    #[error(transparent)]
    Isa(#[from] UnsupportedIsa),
    /// An option of an optimiser that it cannot work with.
    #[error(transparent)]
    Optimizer(#[from] InvalidOption),
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

impl Error {
    /// Wraps what the system said when it was asked to `action` the file at `path`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.as_ref().to_owned(), source }
    }

    /// Refuses the file at `path` because of `problem`.
    pub fn file(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Self::File { path: path.as_ref().to_owned(), problem: problem.into() }
    }
}

#[cfg(feature = "download")]
fn listed(failures: &[Failure]) -> String {
    match failures {
        [] => "no host is known that has it".into(),
        _ => failures.iter().map(Failure::to_string).collect::<Vec<_>>().join("; "),
    }
}
