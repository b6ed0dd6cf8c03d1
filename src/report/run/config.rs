//! What decides what a run does.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::data::{ClassNames, ReadOptions};
use crate::kernels::gemm::GemmBackend;
use crate::model::Architecture;
use crate::train::FitOptions;

/// All that decides what a run does. As JSON it is `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunConfig {
    /// The version of this crate.
    pub version: String,
    /// The commands that make the run, the one after the other; none in folders of versions that did
    /// not write them down, and of runs that no command made.
    #[serde(default)]
    pub commands: Vec<String>,
    /// The name of the data set.
    pub dataset: String,
    /// Where the data set is, or its name in the catalogue; `None` where that was not said.
    #[serde(default)]
    pub data: Option<PathBuf>,
    /// How it is read, where its files do not say that themselves.
    #[serde(default)]
    pub read: ReadOptions,
    /// The [checksum](crate::Dataset::checksum) of the data set; `None` in folders of versions that
    /// could not go on with a run.
    #[serde(default)]
    pub data_checksum: Option<String>,
    /// How many training images of the data set were taken, the first ones; `None` for all.
    #[serde(default)]
    pub train_limit: Option<usize>,
    /// How many images an epoch trains on, those of the validation split left out.
    pub train_images: usize,
    /// How many images the network is tested with.
    pub test_images: usize,
    /// What the network's classes are called, which the data set has by the same names; `None` in
    /// folders of versions that knew no names.
    #[serde(default)]
    pub class_names: Option<ClassNames>,
    /// The network.
    pub architecture: Architecture,
    /// The file that the first weights come from; `None` where they are drawn under the seed.
    pub init: Option<PathBuf>,
    /// The file that the loss of every step is written to, if any.
    #[serde(default)]
    pub step_log: Option<PathBuf>,
    /// The folder that TensorBoard's event files are written to, if any.
    #[serde(default)]
    pub tensorboard: Option<PathBuf>,
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
