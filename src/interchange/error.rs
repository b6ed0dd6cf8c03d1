//! Why a model file of another program was not read or written.

use std::path::{Path, PathBuf};

use super::ModelFormat;
#[cfg(feature = "keras")]
use super::keras::KerasProblem;
use super::onnx::OnnxProblem;
use crate::data;
use crate::files;
use crate::memory::Shortage;
use crate::model::{self, ArchitectureError, FileProblem, NetworkError};

/// Why a network was not exported or imported. The text is one line for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of this library was not read or written.
    #[error(transparent)]
    Model(#[from] model::Error),
    /// A file was not read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file is not the network that it should be, or cannot be.
    #[error("{}: {problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: Box<Problem>,
    },
}

/// A result of this room.
pub(super) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether the file has weights, but does not say of which network.
    #[must_use]
    pub fn is_without_architecture(&self) -> bool {
        match self {
            Self::Invalid { problem, .. } => matches!(**problem, Problem::WeightsAlone),
            Self::Model(model::Error::Invalid { problem, .. }) => {
                matches!(**problem, FileProblem::Foreign)
            }
            _ => false,
        }
    }

    /// The same, where the weights of a file were read into `taken` because nothing names their network:
    /// that may be why they do not fit.
    pub(super) fn of_weights_taken_for(self, taken: String) -> Self {
        let (path, problem) = match self {
            Self::Invalid { path, problem } => (path, *problem),
            Self::Model(model::Error::Invalid { path, problem }) => (path, (*problem).into()),
            error => return error,
        };
        match problem.is_misfit() {
            true => Problem::Unnamed { taken, problem: Box::new(problem) }.at(&path),
            false => problem.at(&path),
        }
    }
}

/// Why a file is not the network that it should be, or a network not to be said in a format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A name that says no format.
    #[error(
        "its name ends in no format that is written: .safetensors, .onnx, .keras, .weights.h5, .npz or .h"
    )]
    Ending,
    /// A name that says no format that is read.
    #[error(
        "its name ends in no format that is read: .safetensors, .onnx, .keras, .weights.h5 or .npz"
    )]
    Unread,
    /// A format that is written, and not read.
    #[error("a C header is written, but not read: take the model that it was made of")]
    WriteOnly,
    /// A file of another program where one of this library's own is named.
    #[error("holds {format}, by its name: import it first, by `{command}`")]
    NotImported {
        /// The format that its name says.
        format: ModelFormat,
        /// What imports it.
        command: String,
    },
    /// A model of Keras 2.
    #[error(
        "an HDF5 file as Keras 2 saves models is not read: load it in Keras 3 (keras.models.load_model), \
         and save it as .keras; of weights, names that end in .weights.h5 are read"
    )]
    OldKeras,
    /// A format that this build has not.
    #[cfg(not(feature = "keras"))]
    #[error("this build was made without the feature keras, which {0} needs: take .onnx or .npz")]
    LeftOut(ModelFormat),
    /// A file of Keras that is no network of the layers that are here.
    #[cfg(feature = "keras")]
    #[error(transparent)]
    Keras(#[from] KerasProblem),
    /// A format that has no weights in bytes.
    #[error("{0} cannot have its kernels in bytes: a C header (.h) can")]
    NoInt8(ModelFormat),
    /// Weights, and nothing that says of which network.
    #[error("holds weights, but does not say of which network: name one with --model")]
    WeightsAlone,
    /// Weights alone, of another network than that which is taken where none is named.
    #[error(
        "holds weights alone, and not those of {taken}, which is taken where no network is named: name \
         theirs with --model ({problem})"
    )]
    Unnamed {
        /// The network that was taken.
        taken: String,
        /// Why they do not fit it.
        #[source]
        problem: Box<Problem>,
    },
    /// A network that is named twice.
    #[error("describes its network itself: leave --model out")]
    Described,
    /// An archive that is no zip archive, or whose arrays cannot be read.
    #[error(transparent)]
    Archive(#[from] data::Problem),
    /// A file was not read.
    #[error(transparent)]
    File(#[from] files::Error),
    /// What the file says of the network or its tensors.
    #[error(transparent)]
    Model(#[from] FileProblem),
    /// A graph that is no network of the layers that are here.
    #[error(transparent)]
    Onnx(#[from] OnnxProblem),
    /// The file is too large for its format.
    #[error("would be of more than the {most} bytes that {format} can be")]
    TooLarge {
        /// The format.
        format: ModelFormat,
        /// The most bytes.
        most: u64,
    },
}

impl Problem {
    /// Whether the file can be read, but has weights of another network.
    fn is_misfit(&self) -> bool {
        match self {
            #[cfg(feature = "keras")]
            Self::Keras(problem) => matches!(
                problem,
                KerasProblem::TooShort { .. }
                    | KerasProblem::NoWeights { .. }
                    | KerasProblem::ExtraWeights { .. }
                    | KerasProblem::Weights { .. }
            ),
            Self::Model(problem) => matches!(
                problem,
                FileProblem::ExtraTensor(_)
                    | FileProblem::MissingTensor(_)
                    | FileProblem::TensorShape { .. }
            ),
            _ => false,
        }
    }

    /// This problem as that of the file at `path`.
    pub(super) fn at(self, path: &Path) -> Error {
        Error::Invalid { path: path.to_owned(), problem: Box::new(self) }
    }
}

impl From<model::Error> for Problem {
    fn from(error: model::Error) -> Self {
        match error {
            model::Error::Network(error) => error.into(),
            model::Error::File(error) => Self::File(error),
            model::Error::Invalid { problem, .. } => Self::Model(*problem),
        }
    }
}

impl From<NetworkError> for Problem {
    fn from(error: NetworkError) -> Self {
        FileProblem::from(error).into()
    }
}

impl From<ArchitectureError> for Problem {
    fn from(error: ArchitectureError) -> Self {
        FileProblem::from(error).into()
    }
}

impl From<Shortage> for Problem {
    fn from(error: Shortage) -> Self {
        FileProblem::from(error).into()
    }
}
