//! Networks: their architecture, their parameters, and the layers' arithmetic.

mod architecture;
pub(crate) mod dense;
mod initializer;
mod network;

pub use architecture::{Activation, Layer, Sequential};
pub use network::{Network, Tensor};
