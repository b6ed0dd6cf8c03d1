//! Why a file of Keras is no network of the layers that are here. What may be wrong with a file of any
//! format is a [`Problem`] of all of them.

use crate::files::OneLine;
use crate::interchange::Problem;

/// What another library said.
type Foreign = Box<dyn std::error::Error + Send + Sync>;

/// What is wrong with a file of Keras, or a layer in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KerasProblem {
    /// A part of the archive that is not the JSON that it should be.
    #[error("its {member} is unreadable: {}", OneLine(.said))]
    Json {
        /// The part.
        member: &'static str,
        /// What is wrong with it.
        #[source]
        said: serde_json::Error,
    },
    /// A part of the archive that is longer than any of its kind.
    #[error("its {member} has {found} bytes: at most {most} are read")]
    LongJson {
        /// The part.
        member: &'static str,
        /// Its bytes.
        found: usize,
        /// The most that are read.
        most: usize,
    },
    /// Not HDF5, or damaged.
    #[error("its weights are not a readable HDF5 file: {}", OneLine(.0))]
    Hdf5(#[source] Foreign),
    /// The file of an older Keras, or of something else.
    #[error("holds no weights of Keras 3: load it in Keras, and save it as .keras or .weights.h5")]
    NotKerasThree,
    /// A model that is no chain of layers.
    #[error("holds a {}: only a Sequential, or a Functional model that is a chain of layers, is read", OneLine(.0))]
    Model(String),
    /// A model that does not say what it reads.
    #[error(
        "does not say the shape of its images: call it once, or give it an Input, and save it again"
    )]
    NoInput,
    /// A model whose input is no grey image.
    #[error(
        "reads arrays of shape {0:?}: only grey images, height × width or height × width × 1, or rows of the pixels of square ones, are read"
    )]
    Input(Vec<u64>),
    /// A model that sees the bytes of pixels as they are.
    #[error("reads pixels from 0 to 255 as they are: begin the model with a Rescaling of 1/255")]
    NotScaled,
    /// A layer that mnistry does not have, or has otherwise.
    #[error("layer '{}' {problem}", OneLine(.name))]
    Layer {
        /// What the model calls it.
        name: String,
        /// What is wrong with it.
        #[source]
        problem: LayerProblem,
    },
    /// Fewer bytes than the weights take.
    #[error("its weights hold {found} bytes, where the network alone has {needed}")]
    TooShort {
        /// The bytes that there are.
        found: u64,
        /// The bytes of the numbers of the network.
        needed: u64,
    },
    /// Weights that the network has.
    #[error("has no weights {group}, which the network has")]
    NoWeights {
        /// Where in the file they should be.
        group: String,
    },
    /// Weights of a layer that the network does not have.
    #[error("has weights {}, of a layer that the network does not have", OneLine(.group))]
    ExtraWeights {
        /// Where in the file they are.
        group: String,
    },
    /// Weights of another shape or type.
    #[error(
        "{place} is of type {dtype} and shape {shape:?}, where the network has f32 {expected:?}"
    )]
    Weights {
        /// Where in the file they are.
        place: String,
        /// Of what type they are.
        dtype: String,
        /// Their shape.
        shape: Vec<u64>,
        /// What the network has.
        expected: Vec<usize>,
    },
    /// Weights whose bits mean other numbers than those of `f32`.
    #[error("{place} is of 32-bit floats that are not those of IEEE 754: save it as float32")]
    Floats {
        /// Where in the file they are.
        place: String,
    },
    /// Weights in pieces, which may be compressed.
    #[error("{place} is stored in chunks: only contiguous weights, as Keras writes them, are read")]
    Chunked {
        /// Where in the file they are.
        place: String,
    },
}

impl From<hdf5_pure::Error> for Problem {
    fn from(error: hdf5_pure::Error) -> Self {
        KerasProblem::Hdf5(error.into()).into()
    }
}

/// Why a layer of Keras is none of ours; the text is the rest of a sentence that begins with the
/// layer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerProblem {
    /// Of a kind that there is not.
    #[error("is a {}, which mnistry does not have", OneLine(.0))]
    Unknown(String),
    /// An input behind the first layer.
    #[error("is a second input: only one, before all other layers, is read")]
    SecondInput,
    /// With a setting that there is not.
    #[error("has {name} {}, where only {read} is read", OneLine(.found))]
    Setting {
        /// What Keras calls the setting.
        name: &'static str,
        /// What it is, as JSON.
        found: String,
        /// What it may be.
        read: String,
    },
    /// With a setting of unknown meaning.
    #[error("has a setting {}, which is not known", OneLine(.0))]
    UnknownSetting(String),
    /// Called with more than what it is fed.
    #[error("is called with {}: only layers that are called with what feeds them alone are read", OneLine(.0))]
    Call(String),
    /// Fed by others than the layer before it, or feeding others.
    #[error("is not fed by the layer before it alone: only a chain of layers is read")]
    NoChain,
    /// An activation of something that has one already, or has no sums.
    #[error("applies {0} to what is not the sums of a Dense or a Conv2D: give it to one of these")]
    Activation(String),
    /// A scaling of something else than images.
    #[error("scales what is no image: only one Rescaling, before all other layers, is read")]
    Rescaling,
    /// A shape that is neither that of the image nor that of a row of all numbers.
    #[error("makes {0} of images: only their own shape, or a row of all numbers, is read")]
    Reshape(String),
    /// A layer that works on rows of numbers, before images were flattened.
    #[error("reads rows of numbers, but is fed images: put a Flatten before it")]
    NotFlattened,
    /// A layer that works on images, and is fed none, or images without channels.
    #[error("reads images with channels, but is fed others: put a Reshape before it")]
    NoChannels,
}
