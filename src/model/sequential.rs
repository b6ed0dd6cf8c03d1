//! A network as a person describes it: its input and its layers in order, not checked yet.

use serde::{Deserialize, Serialize};

use super::layer::{Activation, Layer};
use super::{Padding, Window};
use crate::image::ImageShape;

/// A network as a stack of layers, each fed by the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    /// Height and width of the images it reads.
    pub input: ImageShape,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
}

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
}
