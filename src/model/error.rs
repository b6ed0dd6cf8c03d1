//! Why a network cannot be: one variant a cause, each with the text that a person reads.

use std::convert::Infallible;
use std::path::PathBuf;

use super::Window;
use super::architecture::ParameterSpec;
use super::layer::Layer;
use super::shape::Shape;
use crate::files;
use crate::image::ImageShape;

/// Why a [`Sequential`](super::Sequential) is no network that can be trained.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// There are no layers.
    #[error("the network has no layers")]
    NoLayers,
    /// Images without pixels, or of more than can be counted.
    #[error("images of {} × {} pixels cannot be read", .0.height, .0.width)]
    NoPixels(ImageShape),
    /// A layer cannot be, or cannot read what the one before it puts out.
    #[error("layer {number} ({layer}) {problem}")]
    Layer {
        /// Which layer, from 1.
        number: usize,
        /// Its settings.
        layer: Layer,
        /// What is wrong with it.
        #[source]
        problem: LayerError,
    },
    /// More weights than memory could hold.
    #[error("up to layer {number} there would be {weights} weights: at most {most} are possible")]
    Weights {
        /// The first layer that has too many, from 1.
        number: usize,
        /// The weights of the layers up to it.
        weights: usize,
        /// The most that there may be.
        most: usize,
    },
    /// A layer puts out more numbers than memory could hold.
    #[error("layer {number} puts out {output} numbers: at most {most} are possible")]
    Outputs {
        /// The layer, from 1.
        number: usize,
        /// What it puts out for one sample.
        output: Shape,
        /// The most that there may be.
        most: usize,
    },
    /// A softmax within the network.
    #[error("layer {0} has a softmax: only the last layer may")]
    SoftmaxBeforeEnd(usize),
    /// Logits that are cut off.
    #[error("the last layer has a ReLU: give it sigmoid, softmax or linear")]
    LastIsRelu,
    /// The last layer has no unit a class.
    #[error("the last layer is {0}: a dense layer with a unit a class must end the network")]
    LastIsNotDense(Layer),
    /// More classes than labels can name.
    #[error("{0} classes: labels are bytes, so at most 256 are possible")]
    Classes(usize),
}

/// Why a layer cannot be where it is; the text is the rest of a sentence that begins with the layer.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// A convolution without filters.
    #[error("has no filters: give it one or more")]
    NoFilters,
    /// A dense layer without units.
    #[error("has no units: give it one or more")]
    NoUnits,
    /// A window or a stride without extent.
    #[error("has a window or a stride of nothing: give it one or more")]
    NoWindow,
    /// A window that does not fit.
    #[error(
        "looks at {window}, but only {height} × {width} are left: smaller windows, or fewer layers"
    )]
    WindowTooLarge {
        /// The window.
        window: Window,
        /// Rows of the images that it reads.
        height: usize,
        /// Columns of them.
        width: usize,
    },
    /// A layer that sees images, after they were flattened.
    #[error("reads images, but comes after they were flattened")]
    Flattened,
    /// A dense layer that is fed images of several channels.
    #[error("reads rows of numbers, but is fed images: put a flatten before it")]
    NotFlattened,
    /// Dropout of all, or of no share at all.
    #[error("drops a share of {0}: give a number from 0 up to, not including, 1")]
    Rate(f32),
}

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
    #[error("is not a safetensors file: {0}")]
    NotSafetensors(#[source] Foreign),
    /// Tensors that cannot be put into a safetensors file.
    #[error("cannot be written: {0}")]
    Unwritable(#[source] Foreign),
    /// A safetensors file of another program.
    #[error("was not written by mnistry: it does not say what network its tensors make")]
    Foreign,
    /// The metadata make no sense.
    #[error("its description of the network is unreadable: {0}")]
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
    #[error("holds a tensor {0} that the network does not have")]
    ExtraTensor(String),
    /// A tensor that the network has.
    #[error("has no tensor {0}")]
    MissingTensor(String),
    /// A tensor of other numbers than `f32`.
    #[error("tensor {name} is of type {found}, not F32")]
    TensorType {
        /// Its name.
        name: String,
        /// Its type.
        found: String,
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
    #[error("line {line}: {message}")]
    Toml {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
}

impl From<ArchitectureError> for FileProblem {
    fn from(error: ArchitectureError) -> Self {
        Self::Network(error.into())
    }
}

impl FileProblem {
    /// This problem as that of the file at `path`.
    pub(super) fn at(self, path: &std::path::Path) -> Error {
        Error::Invalid { path: path.to_owned(), problem: Box::new(self) }
    }
}
