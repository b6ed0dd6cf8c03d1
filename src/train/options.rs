//! What a run can be told.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::optim::Optimizer;

/// Settings of a run; the defaults are Keras's, with the epochs of the tutorial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitOptions {
    /// How many times every sample is seen.
    pub epochs: usize,
    /// Samples a step; the last step of an epoch may have fewer.
    pub batch_size: usize,
    /// How gradients move weights.
    pub optimizer: Optimizer,
    /// Whether each epoch has its own order of samples.
    pub shuffle: bool,
    /// Decides the orders.
    pub seed: u64,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { epochs: 5, batch_size: 32, optimizer: Optimizer::default(), shuffle: true, seed: 0 }
    }
}

/// The largest minibatch.
const LARGEST_BATCH: usize = 1 << 16;

impl FitOptions {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> Result<()> {
        if self.batch_size == 0 || self.batch_size > LARGEST_BATCH {
            let problem = format!(
                "a batch size of {}: give a number from 1 to {LARGEST_BATCH}",
                self.batch_size
            );
            return Err(Error::Option(problem));
        }
        self.optimizer.check()
    }
}
