//! What the settings of a run come to.

use std::path::PathBuf;

use super::configuration::PlannedRun;
use crate::interchange::{self, Imported, load_weights};
use crate::model::{self, Architecture, Network};
use crate::train::FitOptions;

/// What a run of a sweep trains.
#[derive(Clone, Debug)]
pub struct Job {
    /// The layers of the network.
    pub architecture: Architecture,
    /// The model file with its first weights; where it is `None`, the seed of the options decides them.
    pub init: Option<PathBuf>,
    /// How it is trained.
    pub options: FitOptions,
    /// On how many of the training images, the first ones; on all where it is `None`.
    pub train_limit: Option<usize>,
    /// All files that settings name: what they hold decides what comes of the run.
    pub files: Vec<PathBuf>,
}

/// What makes a training of the settings of a run.
pub type MakeJob<'a> =
    dyn Fn(&PlannedRun) -> Result<Job, Box<dyn std::error::Error + Send + Sync>> + Sync + 'a;

impl Job {
    /// The network with its first weights, and how these were read where that was not the only way.
    ///
    /// # Errors
    /// When its file cannot be read or is not that of such a network, or there is too little memory.
    pub fn network(&self) -> Result<Imported, interchange::Error> {
        let architecture = self.architecture.clone();
        match &self.init {
            Some(path) => load_weights(path, architecture),
            None => {
                let network = Network::new(architecture, self.options.seed);
                Ok(Imported::plain(network.map_err(model::Error::from)?))
            }
        }
    }
}
