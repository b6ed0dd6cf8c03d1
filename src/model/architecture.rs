//! What a network is, checked: its layers, what each reads and puts out, and what it learns.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::layer::{Activation, Layer, LayerError};
use super::sequential::Sequential;
use super::shape::Shape;
use crate::image::{ImageShape, Picture};
use crate::kernels::conv::Volume;

/// A network that can be trained: a [`Sequential`] whose layers fit each other, the last being a
/// dense one with a unit a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Sequential", into = "Sequential")]
pub struct Architecture {
    input: ImageShape,
    layers: Vec<LayerSpec>,
    classes: usize,
    output: Activation,
}

/// A layer of an [`Architecture`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LayerSpec {
    /// Its settings.
    pub layer: Layer,
    /// What it reads for one sample.
    pub input: Shape,
    /// What it puts out for one sample.
    pub output: Shape,
    /// What it learns: its kernel and its bias, or nothing.
    pub parameters: Option<[ParameterSpec; 2]>,
}

/// The name and the shape of an array of parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParameterSpec {
    /// Keras's name: `conv2d.kernel`, `conv2d.bias`, `dense.kernel`, `dense.bias`,
    /// `dense_1.kernel` …
    pub name: String,
    /// Keras's layout: kernels are height × width × inputs × filters, or inputs × units; biases
    /// filters, or units.
    pub shape: Vec<usize>,
}

/// The most weights that a network may have: 1 GiB of them.
const MOST_PARAMETERS: usize = 1 << 28;
/// The most numbers that a layer may put out for one sample.
const MOST_NUMBERS: usize = 1 << 28;
/// The most classes: labels are bytes.
const MOST_CLASSES: usize = 256;

impl Architecture {
    /// Checks the network that `description` describes.
    ///
    /// # Errors
    /// When there is no layer, layers do not fit each other, are of nothing or of more than memory
    /// could hold, the classes are not 1 to 256, or an activation stands where it cannot.
    pub fn new(description: Sequential) -> Result<Self, ArchitectureError> {
        let Sequential { input, layers } = description;
        let Some(&last) = layers.last() else { return Err(ArchitectureError::NoLayers) };
        match input.height.checked_mul(input.width) {
            None | Some(0) => return Err(ArchitectureError::NoPixels(input)),
            Some(pixels) if pixels as u64 > Picture::MOST_PIXELS => {
                return Err(ArchitectureError::TooManyPixels { input, most: Picture::MOST_PIXELS });
            }
            Some(_) => {}
        }
        let layers = specify(input, layers)?;
        check_sizes(&layers)?;
        let (classes, output) = match last {
            Layer::Dense { activation: Activation::Relu, .. } => {
                return Err(ArchitectureError::LastIsRelu);
            }
            Layer::Dense { units, activation } => (units, activation),
            layer => return Err(ArchitectureError::LastIsNotDense(layer)),
        };
        if classes > MOST_CLASSES {
            return Err(ArchitectureError::Classes(classes));
        }
        Ok(Self { input, layers, classes, output })
    }

    /// Height and width of the images that it reads.
    #[must_use]
    pub fn input(&self) -> ImageShape {
        self.input
    }

    /// What its first layer reads: images of one channel.
    #[must_use]
    pub fn input_shape(&self) -> Shape {
        let ImageShape { height, width } = self.input;
        Shape::Image { height, width, channels: 1 }
    }

    /// Its layers, first to last.
    #[must_use]
    pub fn layers(&self) -> &[LayerSpec] {
        &self.layers
    }

    /// The number of classes that it tells apart: the outputs of its last layer.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What its last layer applies to the logits.
    #[must_use]
    pub fn output(&self) -> Activation {
        self.output
    }

    /// What it learns, in Keras's order.
    pub fn parameters(&self) -> impl Iterator<Item = &ParameterSpec> {
        self.layers.iter().flat_map(|layer| &layer.parameters).flatten()
    }

    /// The images that it reads, 16 side by side.
    pub(crate) fn input_volume(&self) -> Volume {
        Volume::new(self.input.height, self.input.width, 1)
    }
}

impl LayerSpec {
    /// How many numbers it learns.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().flatten().map(ParameterSpec::count).sum()
    }
}

impl ParameterSpec {
    /// How many numbers it is; `usize::MAX` where that many cannot be counted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shape.iter().copied().fold(1, usize::saturating_mul)
    }
}

impl TryFrom<Sequential> for Architecture {
    type Error = ArchitectureError;

    fn try_from(description: Sequential) -> Result<Self, ArchitectureError> {
        Self::new(description)
    }
}

impl From<Architecture> for Sequential {
    fn from(architecture: Architecture) -> Self {
        let layers = architecture.layers.into_iter().map(|spec| spec.layer).collect();
        Self { input: architecture.input, layers }
    }
}

/// Its layers in a line: `dense 100 relu, dense 10 sigmoid`.
impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, spec) in self.layers.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            spec.layer.fmt(f)?;
        }
        Ok(())
    }
}

/// What each of `layers` reads, puts out and learns.
fn specify(input: ImageShape, layers: Vec<Layer>) -> Result<Vec<LayerSpec>, ArchitectureError> {
    let ImageShape { height, width } = input;
    let mut input = Shape::Image { height, width, channels: 1 };
    let mut names = Names::default();
    let layers = layers.into_iter().zip(1..).map(|(layer, number)| {
        let output = layer.output(input).map_err(|problem| ArchitectureError::Layer {
            number,
            layer,
            problem,
        })?;
        let parameters = layer.kernel(input).map(|(kind, kernel)| {
            let (name, outputs) = (names.next(kind), kernel.last().copied().unwrap_or(0));
            [("kernel", kernel), ("bias", vec![outputs])]
                .map(|(part, shape)| ParameterSpec { name: format!("{name}.{part}"), shape })
        });
        let spec = LayerSpec { layer, input, output, parameters };
        input = output;
        Ok(spec)
    });
    layers.collect()
}

/// Refuses more than memory could hold, and a softmax that is not the last activation.
fn check_sizes(layers: &[LayerSpec]) -> Result<(), ArchitectureError> {
    let mut weights = 0_usize;
    for (spec, number) in layers.iter().zip(1..) {
        if let Some([kernel, _]) = &spec.parameters {
            weights = weights.saturating_add(kernel.count());
        }
        if weights > MOST_PARAMETERS {
            return Err(ArchitectureError::Weights { number, weights, most: MOST_PARAMETERS });
        }
        if spec.output.numbers() > MOST_NUMBERS {
            let (output, most) = (spec.output, MOST_NUMBERS);
            return Err(ArchitectureError::Outputs { number, output, most });
        }
        if spec.layer.activation() == Some(Activation::Softmax) && number < layers.len() {
            return Err(ArchitectureError::SoftmaxBeforeEnd(number));
        }
    }
    Ok(())
}

/// Counts the layers of a kind, as Keras does: `dense`, `dense_1`, `dense_2` …
#[derive(Default)]
struct Names(Vec<(&'static str, usize)>);

impl Names {
    /// The name of the next layer of `kind`.
    fn next(&mut self, kind: &'static str) -> String {
        let Some((_, count)) = self.0.iter_mut().find(|(known, _)| *known == kind) else {
            self.0.push((kind, 1));
            return kind.into();
        };
        *count += 1;
        format!("{kind}_{}", *count - 1)
    }
}

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
    /// Images of more pixels than a picture that is read may have.
    #[error("images of {input} pixels cannot be read: at most {most} pixels are possible")]
    TooManyPixels {
        /// What was to be read.
        input: ImageShape,
        /// The most pixels.
        most: u64,
    },
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
