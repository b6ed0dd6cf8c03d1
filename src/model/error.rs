//! Why a network cannot be: one variant a cause, each with the text that a person reads.

use std::convert::Infallible;
use std::path::PathBuf;

use super::architecture::{ArchitectureError, ParameterSpec};
use crate::files::{self, OneLine};
use crate::memory::Shortage;

/// Why an architecture and some tensors make no [`Network`](super::Network).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// There is no such architecture.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// Tensors are missing, or there are too many.
    #[error("{found} tensors where the network has {expected}")]
    Count {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A tensor of another name or shape, or whose numbers do not fill its shape.
    #[error(
        "tensor {name} of shape {shape:?} where {} {:?} belongs", .expected.name, .expected.shape
    )]
    Tensor {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// What should be there.
        expected: ParameterSpec,
    },
    /// A weight that is infinite or no number.
    #[error("tensor {0} holds a number that is not finite")]
    NotFinite(String),
    /// More names than classes.
    #[error("{names} names for {classes} classes")]
    ClassNames {
        /// How many names there are.
        names: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// Classes of other names than those of what it is trained on, or in another order.
    #[error(
        "the classes of the network and of the data set have not the same names in the same order"
    )]
    OtherClassNames,
    /// More weights than there is memory for.
    #[error(transparent)]
    Memory(#[from] Shortage),
}

impl From<Infallible> for NetworkError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Why a network was not read or written. The text is one line for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The layers or the tensors make no network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A file was not read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file is not the model, or the description of one, that it should be.
    #[error("{}: {problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: Box<FileProblem>,
    },
}

/// A result of this room.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// What another library said.
type Foreign = Box<dyn std::error::Error + Send + Sync>;

/// Why a file is not the model, or the description of one, that it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// Not a safetensors file.
    #[error("is not a safetensors file: {}", OneLine(.0))]
    NotSafetensors(#[source] Foreign),
    /// Tensors that cannot be put into a safetensors file.
    #[error("cannot be written: {0}")]
    Unwritable(#[source] Foreign),
    /// A safetensors file of another program.
    #[error("was not written by mnistry: it does not say what network its tensors make")]
    Foreign,
    /// The metadata make no sense.
    #[error("its description of the network is unreadable: {}", OneLine(.0))]
    Metadata(#[source] Foreign),
    /// A format of another version of this crate.
    #[error("is of format {found}, this version reads format {read}")]
    Format {
        /// The file's format.
        found: u32,
        /// What is read.
        read: u32,
    },
    /// The metadata say two things.
    #[error("its description of the network contradicts itself")]
    Contradiction,
    /// There is no such network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A tensor that the network does not have.
    #[error("holds a tensor {} that the network does not have", OneLine(.0))]
    ExtraTensor(String),
    /// A tensor that the network has.
    #[error("has no tensor {0}")]
    MissingTensor(String),
    /// A tensor of other numbers than those that belong there.
    #[error("tensor {name} is of type {found}, not {expected}")]
    TensorType {
        /// Its name.
        name: String,
        /// Its type.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A tensor of another shape.
    #[error(
        "tensor {} has shape {found:?} where the network has {:?}", .expected.name, .expected.shape
    )]
    TensorShape {
        /// Its shape.
        found: Vec<usize>,
        /// What should be there.
        expected: ParameterSpec,
    },
    /// A description in another encoding.
    #[error("is not a text in UTF-8")]
    NotUtf8,
    /// A description that is not TOML, or says something that is not understood.
    #[error("line {line}: {}", OneLine(message))]
    Toml {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
}

impl From<Shortage> for FileProblem {
    fn from(error: Shortage) -> Self {
        Self::Network(error.into())
    }
}

impl From<ArchitectureError> for FileProblem {
    fn from(error: ArchitectureError) -> Self {
        Self::Network(error.into())
    }
}

impl FileProblem {
    /// This problem as that of the file at `path`.
    pub(crate) fn at(self, path: &std::path::Path) -> Error {
        Error::Invalid { path: path.to_owned(), problem: Box::new(self) }
    }
}
