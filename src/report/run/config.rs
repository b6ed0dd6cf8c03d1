//! What decides what a run does.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::kernels::gemm::GemmBackend;
use crate::model::Architecture;
use crate::train::FitOptions;

/// All that decides what a run does. As JSON it is `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunConfig {
    /// The version of this crate.
    pub version: String,
    /// The name of the data set.
    pub dataset: String,
    /// How many images an epoch trains on, those of the validation split left out.
    pub train_images: usize,
    /// How many images the network is tested with.
    pub test_images: usize,
    /// The network.
    pub architecture: Architecture,
    /// The file that the first weights come from; `None` where they are drawn under the seed.
    pub init: Option<PathBuf>,
    /// Epochs, minibatches, optimiser, order and seed.
    #[serde(flatten)]
    pub fit: FitOptions,
    /// The number of threads.
    pub threads: usize,
    /// The instruction set of the kernels.
    pub isa: String,
    /// What computes the dense products.
    pub gemm: GemmBackend,
}
