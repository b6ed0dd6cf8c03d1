//! Testing after each epoch on samples that are not trained on, and ending a run in time.

use super::history::{Epoch, Validation};
use crate::data::Split;
use crate::engine::Engine;
use crate::error::Result;
use crate::nn::Network;

/// Judges the network after each epoch.
pub(super) struct Judge<'a> {
    engine: &'a Engine,
    split: Split,
    patience: Option<usize>,
    best: Option<Best>,
}

/// The network of the lowest validation loss, kept where it may be wanted.
struct Best {
    epoch: usize,
    loss: f64,
    network: Network,
}

impl<'a> Judge<'a> {
    pub(super) fn new(engine: &'a Engine, split: Split, patience: Option<usize>) -> Self {
        Self { engine, split, patience, best: None }
    }

    /// Tests `network` on the thread that asks.
    pub(super) fn test(&self, network: &Network) -> Result<Validation> {
        let evaluation = self.engine.evaluate(network, &self.split)?;
        Ok(Validation { loss: evaluation.loss, accuracy: evaluation.accuracy() })
    }

    /// Whether `epoch`, which left `network` behind, is one too many.
    pub(super) fn has_enough(&mut self, epoch: &Epoch, network: &Network) -> bool {
        let (Some(patience), Some(validation)) = (self.patience, epoch.validation) else {
            return false;
        };
        match &self.best {
            Some(best) if validation.loss >= best.loss => epoch.epoch - best.epoch >= patience,
            _ => {
                let (epoch, loss) = (epoch.epoch, validation.loss);
                self.best = Some(Best { epoch, loss, network: network.clone() });
                false
            }
        }
    }

    /// Puts the best network in the place of `network`, that of epoch `last`; returns the best
    /// one's epoch where it is another.
    pub(super) fn restore(self, last: usize, network: &mut Network) -> Option<usize> {
        let best = self.best.filter(|best| best.epoch != last)?;
        *network = best.network;
        Some(best.epoch)
    }
}
