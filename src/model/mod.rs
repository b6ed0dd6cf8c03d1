//! What a network is: its layers, their shapes, its parameters, and its files. No threads, no
//! vectors.

mod architecture;
mod error;
mod initializer;
mod layer;
mod network;
mod presets;
mod record;
mod safetensors;
mod sequential;
mod shape;
mod tensor_file;
mod toml;

pub use crate::kernels::conv::{Padding, Window};
pub use architecture::{Architecture, ArchitectureError, LayerSpec, ParameterSpec};
pub use error::{Error, FileProblem, NetworkError};
pub use layer::{Activation, Layer, LayerError};
pub use network::{Network, Tensor};
pub(crate) use network::{WEIGHTS, check_memory};
pub(crate) use record::NetworkRecord;
pub(crate) use safetensors::{LARGEST_FILE, check_names};
pub use sequential::Sequential;
pub use shape::Shape;
pub(crate) use tensor_file::{TensorFile, TensorFileWriter};
