//! What a network is made of: its input and its layers in order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::image::ImageShape;
use crate::kernels::conv::{Padding, Window};
use crate::model::shape::Shape;

/// A network as a stack of layers, each fed by the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    /// Height and width of the images it reads.
    pub input: ImageShape,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
}

/// A layer and its settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Layer {
    /// Filters that slide over an image, each position's output a weighted sum of the window
    /// there and a bias: cross-correlation, as all libraries have it.
    Conv2d {
        /// The number of outputs a position.
        filters: usize,
        /// The window that a filter sees.
        kernel: Window,
        /// How far the window moves from one output to the next.
        #[serde(default = "Window::one")]
        stride: Window,
        /// What happens at the edges.
        #[serde(default)]
        padding: Padding,
        /// What is applied to each output.
        #[serde(default)]
        activation: Activation,
    },
    /// The greatest number of each window, channel by channel; windows that the image does not
    /// fill are left out.
    MaxPool {
        /// The window.
        size: Window,
        /// How far it moves; `None` for its own size.
        #[serde(default)]
        stride: Option<Window>,
    },
    /// The mean of each window, channel by channel; windows that the image does not fill are left
    /// out.
    AveragePool {
        /// The window.
        size: Window,
        /// How far it moves; `None` for its own size.
        #[serde(default)]
        stride: Option<Window>,
    },
    /// An image as a row of numbers: row by row, the channels of a position side by side.
    Flatten,
    /// In training, zero in place of a random share of the numbers; those that stay grow in
    /// proportion.
    Dropout {
        /// The share that becomes zero, below 1.
        rate: f32,
    },
    /// Each unit a weighted sum of all inputs and a bias: `activation(x · kernel + bias)`.
    Dense {
        /// The number of outputs.
        units: usize,
        /// What is applied to each output.
        #[serde(default)]
        activation: Activation,
    },
}

/// What a layer applies to its weighted sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x
    #[default]
    Linear,
    /// max(x, 0)
    Relu,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// eˣ over the sum of all; only for the last layer.
    Softmax,
}

/// The most weights that a network may have: 1 GiB of them.
const MOST_PARAMETERS: usize = 1 << 28;
/// The most numbers that a layer may put out for one sample.
const MOST_NUMBERS: usize = 1 << 28;

/// The name of a parameter, and its shape.
type NamedShape = (String, Vec<usize>);

impl Sequential {
    /// A network without layers yet, for images of shape `input`.
    #[must_use]
    pub fn new(input: ImageShape) -> Self {
        Self { input, layers: Vec::new() }
    }

    /// Adds `layer`.
    #[must_use]
    pub fn with(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// Adds a dense layer of `units` outputs.
    #[must_use]
    pub fn dense(self, units: usize, activation: Activation) -> Self {
        self.with(Layer::Dense { units, activation })
    }

    /// Adds a convolution of `filters` square kernels of side `kernel`, of stride 1 and without
    /// padding; [`with`](Self::with) adds any other.
    #[must_use]
    pub fn conv2d(self, filters: usize, kernel: usize, activation: Activation) -> Self {
        let (kernel, stride) = (Window::square(kernel), Window::one());
        self.with(Layer::Conv2d { filters, kernel, stride, padding: Padding::Valid, activation })
    }

    /// Adds max pooling over squares of side `size`.
    #[must_use]
    pub fn max_pool(self, size: usize) -> Self {
        self.with(Layer::MaxPool { size: Window::square(size), stride: None })
    }

    /// Adds average pooling over squares of side `size`.
    #[must_use]
    pub fn average_pool(self, size: usize) -> Self {
        self.with(Layer::AveragePool { size: Window::square(size), stride: None })
    }

    /// Adds a flattening of images.
    #[must_use]
    pub fn flatten(self) -> Self {
        self.with(Layer::Flatten)
    }

    /// Adds dropout of the share `rate`.
    #[must_use]
    pub fn dropout(self, rate: f32) -> Self {
        self.with(Layer::Dropout { rate })
    }

    /// The number of classes that it tells apart: the outputs of its last layer.
    #[must_use]
    pub fn classes(&self) -> usize {
        match self.layers.last() {
            Some(Layer::Dense { units, .. }) => *units,
            _ => 0,
        }
    }

    /// What its last layer applies to the logits.
    #[must_use]
    pub fn output(&self) -> Activation {
        match self.layers.last() {
            Some(Layer::Dense { activation, .. }) => *activation,
            _ => Activation::Linear,
        }
    }

    /// What its first layer reads.
    #[must_use]
    pub fn input_shape(&self) -> Shape {
        let ImageShape { height, width } = self.input;
        Shape::Image { height, width, channels: 1 }
    }

    /// What each layer puts out.
    ///
    /// # Errors
    /// When a layer cannot read what the one before it puts out.
    pub fn shapes(&self) -> Result<Vec<Shape>> {
        let mut shape = self.input_shape();
        let layers = self.layers.iter().enumerate();
        let shapes = layers.map(|(index, layer)| {
            shape = layer.output(shape).map_err(|problem| {
                Error::Network(format!("layer {} ({layer}) {problem}", index + 1))
            })?;
            Ok(shape)
        });
        shapes.collect()
    }

    /// Name and shape of each parameter, in Keras's order, names and layouts: `conv2d.kernel`
    /// (height × width × inputs × filters), `conv2d.bias` (filters), `dense.kernel` (inputs ×
    /// units), `dense.bias` (units), `dense_1.kernel` …; of the layers that fit each other.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, Vec<usize>)> {
        self.parameters_by_layer().into_iter().flatten().flatten().collect()
    }

    /// How many numbers each layer learns, of the layers that fit each other.
    pub(crate) fn parameter_counts(&self) -> Vec<usize> {
        let count = |(_, shape): (String, Vec<usize>)| shape.into_iter().product::<usize>();
        let tensors = self.parameters_by_layer().into_iter();
        tensors.map(|pair| pair.into_iter().flatten().map(count).sum()).collect()
    }

    /// The parameters of each layer: kernel and bias, or none.
    pub(crate) fn parameters_by_layer(&self) -> Vec<Option<[NamedShape; 2]>> {
        let mut input = self.input_shape();
        let (mut convolutions, mut dense) = (0, 0);
        let mut all = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let Ok(output) = layer.output(input) else { break };
            let named = |kind, count: &mut usize, kernel: Vec<usize>, outputs| {
                *count += 1;
                let name = match *count {
                    1 => String::from(kind),
                    count => format!("{kind}_{}", count - 1),
                };
                [(format!("{name}.kernel"), kernel), (format!("{name}.bias"), vec![outputs])]
            };
            all.push(match (*layer, input) {
                (Layer::Conv2d { filters, kernel, .. }, Shape::Image { channels, .. }) => {
                    let shape = vec![kernel.height, kernel.width, channels, filters];
                    Some(named("conv2d", &mut convolutions, shape, filters))
                }
                (Layer::Dense { units, .. }, input) => {
                    Some(named("dense", &mut dense, vec![input.numbers(), units], units))
                }
                _ => None,
            });
            input = output;
        }
        all
    }

    /// Checks that the layers make a network that can be trained.
    ///
    /// # Errors
    /// When there is no layer, layers do not fit each other, are of nothing or of more than memory
    /// could hold, the classes are not 1 to 256, or an activation stands where it cannot.
    pub fn check(&self) -> Result<()> {
        let refuse = |problem: String| Err(Error::Network(problem));
        let Some(last) = self.layers.last() else {
            return refuse("the network has no layers".into());
        };
        if self.input.height.checked_mul(self.input.width).is_none_or(|pixels| pixels == 0) {
            return refuse(format!(
                "images of {} × {} pixels cannot be read",
                self.input.height, self.input.width
            ));
        }
        let shapes = self.shapes()?;
        let mut parameters = 0_usize;
        let by_layer = self.parameters_by_layer();
        for (index, ((layer, shape), tensors)) in
            self.layers.iter().zip(&shapes).zip(by_layer).enumerate()
        {
            let kernel = tensors.map_or_else(Vec::new, |[(_, kernel), _]| kernel);
            if !kernel.is_empty() {
                let weights = kernel.into_iter().fold(1, usize::saturating_mul);
                parameters = parameters.saturating_add(weights);
            }
            if parameters > MOST_PARAMETERS {
                return refuse(format!(
                    "up to layer {} there would be {parameters} weights: at most {MOST_PARAMETERS} are possible",
                    index + 1
                ));
            }
            if shape.numbers() > MOST_NUMBERS {
                return refuse(format!(
                    "layer {} puts out {shape} numbers: at most {MOST_NUMBERS} are possible",
                    index + 1
                ));
            }
            let is_last = index + 1 == self.layers.len();
            if layer.activation() == Some(Activation::Softmax) && !is_last {
                return refuse(format!(
                    "layer {} has a softmax: only the last layer may",
                    index + 1
                ));
            }
        }
        match last {
            Layer::Dense { activation: Activation::Relu, .. } => {
                return refuse(
                    "the last layer has a ReLU: give it sigmoid, softmax or linear".into(),
                );
            }
            Layer::Dense { .. } => {}
            layer => {
                return refuse(format!(
                    "the last layer is {layer}: a dense layer with a unit a class must end the network"
                ));
            }
        }
        if self.classes() > 256 {
            return refuse(format!(
                "{} classes: labels are bytes, so at most 256 are possible",
                self.classes()
            ));
        }
        Ok(())
    }
}

impl Layer {
    /// What it applies to its sums, if it has any.
    pub(crate) fn activation(&self) -> Option<Activation> {
        match self {
            Self::Conv2d { activation, .. } | Self::Dense { activation, .. } => Some(*activation),
            _ => None,
        }
    }
}

/// Its layers in a line: `dense 100 relu, dense 10 sigmoid`.
impl fmt::Display for Sequential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, layer) in self.layers.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            layer.fmt(f)?;
        }
        Ok(())
    }
}

/// In a few words: `conv2d 6 of 5 × 5 relu`, `max_pool 2 × 2`, `dense 100 relu`.
impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conv2d { filters, kernel, stride, padding, .. } => {
                write!(f, "conv2d {filters} of {kernel}")?;
                if *stride != Window::one() {
                    write!(f, " stride {stride}")?;
                }
                if *padding == Padding::Same {
                    f.write_str(" same")?;
                }
            }
            Self::MaxPool { size, stride } | Self::AveragePool { size, stride } => {
                let is_max = matches!(self, Self::MaxPool { .. });
                write!(f, "{} {size}", if is_max { "max_pool" } else { "average_pool" })?;
                if let Some(stride) = stride.filter(|stride| stride != size) {
                    write!(f, " stride {stride}")?;
                }
            }
            Self::Flatten => f.write_str("flatten")?,
            Self::Dropout { rate } => write!(f, "dropout {rate}")?,
            Self::Dense { units, .. } => write!(f, "dense {units}")?,
        }
        f.write_str(match self.activation() {
            None | Some(Activation::Linear) => "",
            Some(Activation::Relu) => " relu",
            Some(Activation::Sigmoid) => " sigmoid",
            Some(Activation::Softmax) => " softmax",
        })
    }
}
