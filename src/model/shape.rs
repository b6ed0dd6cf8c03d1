//! What goes from layer to layer.

use std::fmt;

use serde::{Deserialize, Serialize};

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
