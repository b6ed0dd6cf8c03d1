//! What goes from layer to layer, and what each layer makes of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kernels::conv::{Padding, Steps, Window};
use crate::kernels::optim::is_fraction;
use crate::model::architecture::Layer;

/// The numbers that a layer puts out for one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// An image of several channels; the channels of a position stand side by side.
    Image {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Numbers a position.
        channels: usize,
    },
    /// A row of numbers.
    Vector(usize),
}

impl Shape {
    /// How many numbers it is; `usize::MAX` where that many cannot be counted.
    #[must_use]
    pub fn numbers(&self) -> usize {
        match *self {
            Self::Image { height, width, channels } => {
                height.saturating_mul(width).saturating_mul(channels)
            }
            Self::Vector(units) => units,
        }
    }
}

/// `24 × 24 × 6`, height, width and channels; `120`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { height, width, channels } => write!(f, "{height} × {width} × {channels}"),
            Self::Vector(units) => write!(f, "{units}"),
        }
    }
}

impl Layer {
    /// What it makes of `input`.
    ///
    /// # Errors
    /// What does not fit, as the rest of a sentence that begins with the layer.
    pub(crate) fn output(&self, input: Shape) -> Result<Shape, String> {
        match (*self, input) {
            (
                Self::Conv2d { filters, kernel, stride, padding, .. },
                image @ Shape::Image { .. },
            ) => {
                if filters == 0 {
                    return Err("has no filters: give it one or more".into());
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
            ) => Err("reads images, but comes after they were flattened".into()),
            (Self::Flatten, input) => Ok(Shape::Vector(input.numbers())),
            (Self::Dropout { rate }, input) => {
                if is_fraction(rate.into()) {
                    Ok(input)
                } else {
                    Err(format!(
                        "drops a share of {rate}: give a number from 0 up to, not including, 1"
                    ))
                }
            }
            (Self::Dense { units, .. }, input) => {
                if units == 0 {
                    return Err("has no units: give it one or more".into());
                }
                match input {
                    Shape::Image { channels: 2.., .. } => {
                        Err("reads rows of numbers, but is fed images: put a flatten before it"
                            .into())
                    }
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
) -> Result<Shape, String> {
    let Shape::Image { height, width, channels } = image else { return Ok(image) };
    if [window.height, window.width, stride.height, stride.width].contains(&0) {
        return Err("has a window or a stride of nothing: give it one or more".into());
    }
    let rows = Steps::new(height, window.height, stride.height, padding);
    let columns = Steps::new(width, window.width, stride.width, padding);
    match (rows, columns) {
        (Some(rows), Some(columns)) => Ok(Shape::Image {
            height: rows.count,
            width: columns.count,
            channels: filters.unwrap_or(channels),
        }),
        _ => Err(format!(
            "looks at {window}, but only {height} × {width} are left: smaller windows, or fewer layers"
        )),
    }
}
