//! Testing after each epoch on samples that are not trained on, and ending a run in time.

use super::error::Result;
use crate::data::Split;
use crate::exec::engine::Engine;
use crate::model::Network;
use crate::train::history::{Epoch, Validation};

/// Validates the network after each epoch, and ends a run in time.
pub(super) struct EarlyStopping<'a> {
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

impl<'a> EarlyStopping<'a> {
    pub(super) fn new(engine: &'a Engine, split: Split, patience: Option<usize>) -> Self {
        Self { engine, split, patience, best: None }
    }

    /// Validates `network` on the thread that asks.
    pub(super) fn validate(&self, network: &Network) -> Result<Validation> {
        let evaluation = self.engine.evaluate(network, &self.split)?;
        Ok(Validation { loss: evaluation.loss, accuracy: evaluation.accuracy() })
    }

    /// Whether `epoch`, which left `network` behind, is one too many.
    pub(super) fn ends(&mut self, epoch: &Epoch, network: &Network) -> bool {
        let (Some(patience), Some(validation)) = (self.patience, epoch.validation) else {
            return false;
        };
        // No NaN is better than anything, and anything is better than a NaN.
        let is_beaten = |best: &Best| best.loss.is_nan() || validation.loss < best.loss;
        match &self.best {
            Some(best) if !is_beaten(best) => epoch.epoch - best.epoch >= patience,
            _ => {
                let (epoch, loss) = (epoch.epoch, validation.loss);
                self.best = Some(Best { epoch, loss, network: network.clone() });
                false
            }
        }
    }

    /// Puts the best network in the place of `network`, that of epoch `last`; returns the best
    /// one's epoch where it is another.
    pub(super) fn restore_best(self, last: usize, network: &mut Network) -> Option<usize> {
        let best = self.best.filter(|best| best.epoch != last)?;
        *network = best.network;
        Some(best.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::engine::EngineOptions;
    use crate::image::ImageShape;
    use crate::model::{Activation, Sequential};

    #[test]
    fn a_loss_that_is_no_number_is_no_gain() {
        let shape = ImageShape { height: 1, width: 1 };
        let split = Split::new(shape, vec![0].into(), vec![0].into()).unwrap();
        let network = Network::new(Sequential::new(shape).dense(1, Activation::Linear), 0).unwrap();
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let nan = f64::NAN;
        for (losses, ends, best) in [
            (&[2.0, 1.0, nan, nan][..], 4, Some(2)),
            (&[2.0, nan, 1.0, 1.0, nan], 5, Some(3)),
            (&[nan, 3.0, 4.0, 3.0], 4, Some(2)),
        ] {
            let mut stopping = EarlyStopping::new(&engine, split.clone(), Some(2));
            let epoch = |(number, &loss): (usize, &f64)| Epoch {
                epoch: number + 1,
                loss: 0.0,
                accuracy: 0.0,
                seconds: 0.0,
                validation: Some(Validation { loss, accuracy: 0.0 }),
            };
            let last = losses
                .iter()
                .enumerate()
                .map(epoch)
                .position(|epoch| stopping.ends(&epoch, &network));
            assert_eq!(last.map(|index| index + 1), Some(ends), "{losses:?}");
            assert_eq!(stopping.restore_best(ends, &mut network.clone()), best, "{losses:?}");
        }
    }
}
