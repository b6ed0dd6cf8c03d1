//! What the settings of a run come to.

use super::configuration::PlannedRun;
use crate::model::Network;
use crate::train::FitOptions;

/// What a run of a sweep trains.
#[derive(Clone, Debug)]
pub struct Job {
    /// The network with its first weights.
    pub network: Network,
    /// How it is trained.
    pub options: FitOptions,
    /// On how many of the training images, the first ones; on all where it is `None`.
    pub train_limit: Option<usize>,
}

/// What makes a training of the settings of a run.
pub type MakeJob<'a> =
    dyn Fn(&PlannedRun) -> Result<Job, Box<dyn std::error::Error + Send + Sync>> + Sync + 'a;
