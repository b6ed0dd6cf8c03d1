//! The layers that a network may have: their settings, what they make of a shape, and what they
//! learn.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::shape::Shape;
use crate::kernels::conv::{Padding, Steps, Window};
use crate::kernels::optim::is_fraction;

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
#[non_exhaustive]
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

impl Layer {
    /// What it applies to its sums, if it has any.
    #[must_use]
    pub fn activation(&self) -> Option<Activation> {
        match self {
            Self::Conv2d { activation, .. } | Self::Dense { activation, .. } => Some(*activation),
            _ => None,
        }
    }

    /// What Keras calls it, and the shape of the kernel that it learns beside a bias an output,
    /// where it reads `input`; `None` where it learns nothing.
    pub(super) fn kernel(&self, input: Shape) -> Option<(&'static str, Vec<usize>)> {
        match (*self, input) {
            (Self::Conv2d { filters, kernel, .. }, Shape::Image { channels, .. }) => {
                Some(("conv2d", vec![kernel.height, kernel.width, channels, filters]))
            }
            (Self::Dense { units, .. }, input) => Some(("dense", vec![input.numbers(), units])),
            _ => None,
        }
    }

    /// What it makes of `input`.
    ///
    /// # Errors
    /// When it cannot read that, or is of nothing.
    pub(super) fn output(&self, input: Shape) -> Result<Shape, LayerError> {
        match (*self, input) {
            (
                Self::Conv2d { filters, kernel, stride, padding, .. },
                image @ Shape::Image { .. },
            ) => {
                if filters == 0 {
                    return Err(LayerError::NoFilters);
                }
                slide(image, kernel, stride, padding, Some(filters))
            }
            (
                Self::MaxPool { size, stride } | Self::AveragePool { size, stride },
                image @ Shape::Image { .. },
            ) => slide(image, size, stride.unwrap_or(size), Padding::Valid, None),
            (
                Self::Conv2d { .. } | Self::MaxPool { .. } | Self::AveragePool { .. },
                Shape::Vector(_),
            ) => Err(LayerError::Flattened),
            (Self::Flatten, input) => Ok(Shape::Vector(input.numbers())),
            (Self::Dropout { rate }, input) => {
                if is_fraction(rate.into()) {
                    Ok(input)
                } else {
                    Err(LayerError::Rate(rate))
                }
            }
            (Self::Dense { units, .. }, input) => {
                if units == 0 {
                    return Err(LayerError::NoUnits);
                }
                match input {
                    Shape::Image { channels: 2.., .. } => Err(LayerError::NotFlattened),
                    _ => Ok(Shape::Vector(units)),
                }
            }
        }
    }
}

/// What windows that slide over `image` leave of it; the channels stay where there are no
/// `filters`.
fn slide(
    image: Shape,
    window: Window,
    stride: Window,
    padding: Padding,
    filters: Option<usize>,
) -> Result<Shape, LayerError> {
    let Shape::Image { height, width, channels } = image else { return Ok(image) };
    if [window.height, window.width, stride.height, stride.width].contains(&0) {
        return Err(LayerError::NoWindow);
    }
    let rows = Steps::new(height, window.height, stride.height, padding);
    let columns = Steps::new(width, window.width, stride.width, padding);
    match (rows, columns) {
        (Some(rows), Some(columns)) => Ok(Shape::Image {
            height: rows.count,
            width: columns.count,
            channels: filters.unwrap_or(channels),
        }),
        _ => Err(LayerError::WindowTooLarge { window, height, width }),
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
