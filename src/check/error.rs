//! Why gradients were not checked.

use crate::data::Problem;
use crate::exec::engine::EngineError;
use crate::memory::Shortage;
use crate::{model, train};

/// Why gradients were not checked. The text is one line for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing is to be checked.
    #[error("0 cases check nothing: give 1 or more")]
    NoCases,
    /// The reference needs more memory than is to be had.
    #[error(transparent)]
    Memory(#[from] Shortage),
    /// There is no engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There is no memory for the network.
    #[error(transparent)]
    Model(#[from] model::Error),
    /// There are no images.
    #[error(transparent)]
    Data(#[from] Problem),
    /// The engine gave no gradient.
    #[error(transparent)]
    Train(#[from] train::Error),
}

/// A result of a check.
pub(crate) type Result<T> = std::result::Result<T, Error>;
