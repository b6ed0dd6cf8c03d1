//! What a network is: its layers, their shapes, its parameters, and its files. No threads, no
//! vectors.

mod architecture;
mod initializer;
mod network;
mod presets;
mod safetensors;
mod shape;
mod toml;

pub use crate::kernels::conv::{Padding, Window};
pub use architecture::{Activation, Layer, Sequential};
pub use network::{Network, Tensor};
pub use shape::Shape;
