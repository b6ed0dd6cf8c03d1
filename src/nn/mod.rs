//! Networks: their architecture, their parameters, and the layers' arithmetic.

mod activation;
mod architecture;
pub(crate) mod blueprint;
pub(crate) mod conv2d;
pub(crate) mod dense;
pub(crate) mod division;
pub(crate) mod dropout;
pub(crate) mod images;
mod initializer;
pub(crate) mod input;
pub(crate) mod loss;
mod network;
pub(crate) mod noise;
pub(crate) mod pooling;
mod presets;
mod shape;
pub(crate) mod stage;

pub use crate::conv::{Padding, Window};
pub use architecture::{Activation, Layer, Sequential};
pub use network::{Network, Tensor};
pub use shape::Shape;
