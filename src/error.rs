//! The errors of all rooms under one roof.
//!
//! Each room has an error of its own, which says what went wrong, where, and what to do about it.
//! Here they are taken in as they are, so that a caller can match down to the cause.
//!
//! The text of an error is one whole line, which has in it what its sources say:
//! print it alone, without the chain of [`source`](std::error::Error::source). That chain is there
//! to get at a cause and its kind.

use std::convert::Infallible;

use crate::exec::engine::EngineError;
use crate::kernels::optim::InvalidOption;
use crate::model::{ArchitectureError, NetworkError};
use crate::simd::UnsupportedIsa;
use crate::{
    check, data, files, image, interchange, measure, model, ranks, reading, report, sweep, train,
};

pub use crate::files::Foreign;
pub use crate::memory::Shortage;
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
    /// A network was not read, written or put together.
    #[error(transparent)]
    Model(#[from] model::Error),
    /// A network was not exported or imported.
    #[error(transparent)]
    Interchange(interchange::Error),
    /// An engine cannot be had, or cannot work now.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The ranks of a job cannot work together.
    #[error(transparent)]
    Ranks(#[from] ranks::Error),
    /// A network was not trained, evaluated or asked.
    #[error(transparent)]
    Train(#[from] train::Error),
    /// Gradients were not checked.
    #[error(transparent)]
    Check(check::Error),
    /// Nothing was measured, or measurements are not compared.
    #[error(transparent)]
    Measure(measure::Error),
    /// A run was not recorded, or a report not made.
    #[error(transparent)]
    Report(report::Error),
    /// A sweep was not done.
    #[error(transparent)]
    Sweep(sweep::Error),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<reading::Error> for Error {
    fn from(error: reading::Error) -> Self {
        match error {
            reading::Error::Image(error) => error.into(),
            reading::Error::Train(error) => error.into(),
        }
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<ArchitectureError> for Error {
    fn from(error: ArchitectureError) -> Self {
        NetworkError::from(error).into()
    }
}

impl From<NetworkError> for Error {
    fn from(error: NetworkError) -> Self {
        Self::Model(error.into())
    }
}

impl From<interchange::Error> for Error {
    fn from(error: interchange::Error) -> Self {
        match error {
            interchange::Error::Model(error) => Self::Model(error),
            interchange::Error::File(error) => Self::File(error),
            error => Self::Interchange(error),
        }
    }
}

impl From<UnsupportedIsa> for Error {
    fn from(error: UnsupportedIsa) -> Self {
        Self::Engine(error.into())
    }
}

impl From<InvalidOption> for Error {
    fn from(error: InvalidOption) -> Self {
        Self::Train(train::OptionError::from(error).into())
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

impl From<check::Error> for Error {
    fn from(error: check::Error) -> Self {
        match error {
            check::Error::Engine(error) => Self::Engine(error),
            check::Error::Model(error) => Self::Model(error),
            check::Error::Data(problem) => problem.into(),
            check::Error::Train(error) => Self::Train(error),
            error => Self::Check(error),
        }
    }
}

impl From<measure::Error> for Error {
    fn from(error: measure::Error) -> Self {
        match error {
            measure::Error::File(error) => Self::File(error),
            measure::Error::Train(error) => Self::Train(error),
            error => Self::Measure(error),
        }
    }
}

impl From<sweep::Error> for Error {
    fn from(error: sweep::Error) -> Self {
        match error {
            sweep::Error::File(error) => Self::File(error),
            sweep::Error::Engine(error) => Self::Engine(error),
            sweep::Error::Model(error) => Self::Model(error),
            sweep::Error::Interchange(error) => error.into(),
            sweep::Error::Data(problem) => problem.into(),
            error => Self::Sweep(error),
        }
    }
}

impl From<report::Error> for Error {
    fn from(error: report::Error) -> Self {
        match error {
            report::Error::File(error) => Self::File(error),
            report::Error::Image(error) => Self::Image(error),
            report::Error::Model(error) => Self::Model(error),
            report::Error::Train(error) => Self::Train(error),
            error => Self::Report(error),
        }
    }
}
