//! What a network is made of: its input and its layers in order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::data::ImageShape;
use crate::error::{Error, Result};

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
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layer {
    /// Each unit a weighted sum of all inputs and a bias: `activation(x · kernel + bias)`.
    Dense {
        /// The number of outputs.
        units: usize,
        /// What is applied to each output.
        activation: Activation,
    },
}

/// What a layer applies to its weighted sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x
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

impl Sequential {
    /// A network without layers yet, for images of shape `input`.
    #[must_use]
    pub fn new(input: ImageShape) -> Self {
        Self { input, layers: Vec::new() }
    }

    /// Adds a dense layer of `units` outputs.
    #[must_use]
    pub fn dense(mut self, units: usize, activation: Activation) -> Self {
        self.layers.push(Layer::Dense { units, activation });
        self
    }

    /// The number of classes that it tells apart: the outputs of its last layer.
    #[must_use]
    pub fn classes(&self) -> usize {
        match self.layers.last() {
            Some(Layer::Dense { units, .. }) => *units,
            None => 0,
        }
    }

    /// What its last layer applies to the logits.
    #[must_use]
    pub fn output(&self) -> Activation {
        match self.layers.last() {
            Some(Layer::Dense { activation, .. }) => *activation,
            None => Activation::Linear,
        }
    }

    /// The numbers that each layer reads, and those that the last one puts out.
    #[must_use]
    pub fn widths(&self) -> Vec<usize> {
        let units = self.layers.iter().map(|layer| match *layer {
            Layer::Dense { units, .. } => units,
        });
        std::iter::once(self.input.pixels()).chain(units).collect()
    }

    /// Name and shape of each parameter, in Keras's order, names and layouts: `dense.kernel`
    /// (inputs × units), `dense.bias` (units), `dense_1.kernel` …
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, Vec<usize>)> {
        let mut inputs = self.input.pixels();
        let mut parameters = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let Layer::Dense { units, .. } = *layer;
            let name = if index == 0 { "dense".to_owned() } else { format!("dense_{index}") };
            parameters.push((format!("{name}.kernel"), vec![inputs, units]));
            parameters.push((format!("{name}.bias"), vec![units]));
            inputs = units;
        }
        parameters
    }

    /// Checks that the layers make a network that can be trained.
    ///
    /// # Errors
    /// When there is no layer, a layer has no units or more than memory could hold, the classes
    /// are not 1 to 256, or an activation stands where it cannot.
    pub fn check(&self) -> Result<()> {
        let refuse = |problem: String| Err(Error::Network(problem));
        if self.layers.is_empty() {
            return refuse("the network has no layers".into());
        }
        if self.input.height.checked_mul(self.input.width).is_none_or(|pixels| pixels == 0) {
            return refuse(format!(
                "images of {} × {} pixels cannot be read",
                self.input.height, self.input.width
            ));
        }
        let mut inputs = self.input.pixels();
        let mut parameters = 0;
        for (index, layer) in self.layers.iter().enumerate() {
            let Layer::Dense { units, activation } = *layer;
            let last = index + 1 == self.layers.len();
            if units == 0 {
                return refuse(format!("layer {} has no units: give it one or more", index + 1));
            }
            parameters = inputs.saturating_mul(units).saturating_add(parameters);
            if parameters > MOST_PARAMETERS {
                return refuse(format!(
                    "up to layer {} there would be {parameters} weights: at most {MOST_PARAMETERS} are possible",
                    index + 1
                ));
            }
            if activation == Activation::Softmax && !last {
                return refuse(format!(
                    "layer {} has a softmax: only the last layer may",
                    index + 1
                ));
            }
            if activation == Activation::Relu && last {
                return refuse(
                    "the last layer has a ReLU: give it sigmoid, softmax or linear".into(),
                );
            }
            inputs = units;
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

/// Its layers in a line: `dense 100 relu, dense 10 sigmoid`.
impl fmt::Display for Sequential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, layer) in self.layers.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            let Layer::Dense { units, activation } = layer;
            write!(f, "dense {units}")?;
            f.write_str(match activation {
                Activation::Linear => "",
                Activation::Relu => " relu",
                Activation::Sigmoid => " sigmoid",
                Activation::Softmax => " softmax",
            })?;
        }
        Ok(())
    }
}
