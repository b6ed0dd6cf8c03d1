//! A from-scratch, SIMD-optimised engine that trains small networks on CPUs to read handwritten
//! digits.

pub mod buffers;
pub mod data;
pub mod engine;
pub mod error;
pub mod files;
pub mod gemm;
pub mod measure;
pub mod metrics;
mod model_file;
pub mod nn;
mod ops;
pub mod optim;
pub mod rng;
pub mod simd;
mod sparse;
pub mod train;

pub use data::{Dataset, Split};
pub use engine::{Engine, EngineOptions};
pub use error::{Error, Result};
pub use metrics::{ConfusionMatrix, Evaluation};
pub use nn::{Activation, Network, Sequential};
pub use optim::{Adam, Optimizer, Sgd};
pub use train::{FitOptions, Prediction, Silent};
