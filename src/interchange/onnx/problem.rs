//! Why an ONNX file is no network of the layers that are here.

use prost::DecodeError;

use crate::files::OneLine;

/// Why an ONNX file is no network of the layers that are here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxProblem {
    /// The bytes are no such messages.
    #[error("is not an ONNX file: {}", OneLine(.0))]
    Decode(#[source] DecodeError),
    /// The bytes do not follow the rules of protocol buffers.
    #[error("is not an ONNX file: it is malformed, or ends early")]
    Malformed,
    /// More around the weights than any network of such layers needs.
    #[error("has more than {most} bytes beside its weights: it is no chain of a few layers")]
    TooMuchBeside {
        /// The most bytes that are read.
        most: usize,
    },
    /// A file of nothing.
    #[error("is not an ONNX file: it has no graph")]
    NoGraph,
    /// Operators of unknown meaning.
    #[error("does not say of which opset its operators are")]
    NoOpset,
    /// Operators of two meanings.
    #[error("says of two opsets that its operators are of them")]
    TwoOpsets,
    /// Operators of another meaning.
    #[error("says itself what {} means: only ONNX's own operators are read", OneLine(.0))]
    Function(String),
    /// Operators whose meaning has changed since.
    #[error(
        "is of opset {opset}: {oldest} and later ones are read; convert it with onnx.version_converter"
    )]
    OldOpset {
        /// The file's.
        opset: i64,
        /// The oldest that is read.
        oldest: i64,
    },
    /// Not one input.
    #[error("has {0} inputs: a network here reads images, and nothing else")]
    Inputs(usize),
    /// An input that is no image.
    #[error("its input {} {problem}", OneLine(.name))]
    Input {
        /// What it is called.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two values of one name.
    #[error("has two values that are called {}", OneLine(.0))]
    SameName(String),
    /// A node that fits no layer.
    #[error("node {} ({}) {problem}", OneLine(.name), OneLine(.operator))]
    Node {
        /// What it is called, or what it gives where it has no name.
        name: String,
        /// Its operator.
        operator: String,
        /// What is wrong with it.
        #[source]
        problem: NodeProblem,
    },
    /// A value that goes more than one way.
    #[error(
        "what is called {} is taken by {}{}: only a chain is read, of layers that each take what the one \
         before gives, with what is made of the logits at its end",
        OneLine(.value), OneLine(.takers), if *is_output { ", and is an output besides" } else { "" }
    )]
    Branch {
        /// What it is called.
        value: String,
        /// The nodes that take it.
        takers: String,
        /// Whether it is an output too.
        is_output: bool,
    },
    /// An activation of what is one already.
    #[error("applies a softmax or a sigmoid to what is no sum of a last dense layer")]
    TwoActivations,
    /// Layers that come to nothing.
    #[error("what its last layer gives is no output")]
    NoOutput,
}

/// What is wrong with a node: the rest of a sentence that begins with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeProblem {
    /// An operator that makes no layer.
    #[error("is none of the operators that make a layer here")]
    Operator,
    /// An operator at work on something else than what comes of the images.
    #[error("takes nothing that the layers before it give: only a chain of layers is read")]
    Apart,
    /// An operator that makes a layer, but not after those before.
    #[error("stands where no such layer can be: {0}")]
    Place(&'static str),
    /// An attribute of unknown meaning.
    #[error("has an attribute {} that is not known", OneLine(.0))]
    UnknownAttribute(String),
    /// An attribute that holds something else than such an attribute does.
    #[error("has an attribute {name} that does not hold {expected} alone")]
    AttributeKind {
        /// What it is called.
        name: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// An attribute that is said twice.
    #[error("has an attribute {0} twice")]
    SameAttribute(&'static str),
    /// Values of unknown meaning.
    #[error("takes {0} values, which are more than are known")]
    Inputs(usize),
    /// An attribute with another value than layers here have.
    #[error("has {attribute} where a layer here has {expected}")]
    Value {
        /// The attribute and what it is.
        attribute: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A weight that is computed, or missing.
    #[error("has no constant as its input {0}")]
    NotConstant(usize),
    /// A constant that cannot be read.
    #[error("has a constant {} that {problem}", OneLine(.name))]
    Constant {
        /// What it is called.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A constant of another shape.
    #[error("has a constant {} of shape {found:?}, which does not fit {reads}", OneLine(.name))]
    Misfit {
        /// What it is called.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// What the node reads.
        reads: String,
    },
    /// A shape that says not what its numbers are.
    #[error("makes a shape of {found:?}, which no layer here reads, of {reads}")]
    Shape {
        /// The shape.
        found: Vec<i64>,
        /// What the node reads.
        reads: String,
    },
    /// Zeros around images as no layer here has them.
    #[error("pads images by {pads:?}: a layer here pads by nothing, or as Keras's \"same\" does")]
    Padding {
        /// Above, on the left, below, on the right.
        pads: Vec<i64>,
    },
    /// Zeros around images that are said twice, and not alike.
    #[error(
        "has both auto_pad {auto_pad} and pads {pads:?}, which differ: only pads as auto_pad makes them are read"
    )]
    TwoPaddings {
        /// How the node has them reckoned.
        auto_pad: String,
        /// Above, on the left, below, on the right.
        pads: Vec<i64>,
    },
    /// A window that does not fit.
    #[error("has a window that does not fit the image that it slides over")]
    Window,
}

impl OnnxProblem {
    pub(super) fn decode(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}
