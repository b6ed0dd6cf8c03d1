//! Networks: their architecture, their parameters, and the layers' arithmetic.

mod architecture;
pub(crate) mod dense;
pub(crate) mod division;
mod initializer;
pub(crate) mod input;
pub(crate) mod loss;
mod network;

pub use architecture::{Activation, Layer, Sequential};
pub use network::{Network, Tensor};
