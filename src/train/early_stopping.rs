//! The network of the lowest validation loss, and ending a run in time: when that loss has not
//! become lower for long, or when an accuracy is reached.

use super::history::Epoch;
use super::state::State;
use crate::model::Network;

/// The network of the lowest validation loss.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Best {
    pub(super) epoch: usize,
    /// Its validation loss.
    pub(super) loss: f64,
    pub(super) network: Network,
}

impl State {
    /// Keeps the network, as `epoch` left it, where none had so low a validation loss; returns
    /// whether that is so. By images that are not there to choose networks by, it chooses none.
    pub(super) fn keep_best(&mut self, epoch: &Epoch) -> bool {
        let chooses = !self.options.is_judged_by_others();
        let Some(validation) = epoch.validation.filter(|_| chooses) else { return false };
        // No NaN is better than anything, and anything is better than a NaN.
        let is_beaten = |best: &Best| best.loss.is_nan() || validation.loss < best.loss;
        let is_best = self.best.as_ref().is_none_or(is_beaten);
        if is_best {
            let (epoch, loss) = (epoch.epoch, validation.loss);
            self.best = Some(Best { epoch, loss, network: self.network.clone() });
        }
        is_best
    }

    /// Whether too many epochs have passed since that of the lowest validation loss.
    pub(super) fn has_lost_patience(&self) -> bool {
        match (self.options.patience, &self.best) {
            (Some(patience), Some(best)) => self.epochs.len() - best.epoch >= patience,
            _ => false,
        }
    }

    /// Whether the last epoch reached the accuracy that the run is for.
    #[must_use]
    pub fn has_reached_goal(&self) -> bool {
        let validation = self.epochs.last().and_then(|epoch| epoch.validation);
        match (self.options.until_accuracy, validation) {
            (Some(goal), Some(validation)) => validation.accuracy >= goal,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageShape;
    use crate::model::{Activation, Sequential};
    use crate::train::{FitOptions, Validation};

    /// Though another had a lower loss.
    #[test]
    fn the_network_that_reached_the_accuracy_is_kept() {
        let shape = ImageShape { height: 1, width: 1 };
        let network = Network::new(Sequential::new(shape).dense(1, Activation::Linear), 0).unwrap();
        let (patience, until_accuracy) = (Some(5), Some(0.9));
        let options =
            FitOptions { patience, until_accuracy, validation_split: 0.5, ..FitOptions::default() };
        let mut state = State::new(network, options);
        for (number, (loss, accuracy)) in [(1.0, 0.5), (2.0, 0.9)].into_iter().enumerate() {
            assert!(!state.is_complete());
            let validation = Some(Validation { loss, accuracy });
            let epoch = Epoch { epoch: number + 1, loss, accuracy, seconds: 0.0, validation };
            state.keep_best(&epoch);
            state.epochs.push(epoch);
        }
        assert!(state.is_complete() && state.has_reached_goal());
        assert_eq!((state.best().map(|(epoch, _)| epoch), state.restored()), (Some(1), None));
    }

    #[test]
    fn a_loss_that_is_no_number_is_no_gain() {
        let shape = ImageShape { height: 1, width: 1 };
        let network = Network::new(Sequential::new(shape).dense(1, Activation::Linear), 0).unwrap();
        let options = FitOptions { patience: Some(2), ..FitOptions::default() };
        let nan = f64::NAN;
        for (losses, ends, best) in [
            (&[2.0, 1.0, nan, nan][..], 4, Some(2)),
            (&[2.0, nan, 1.0, 1.0, nan], 5, Some(3)),
            (&[nan, 3.0, 4.0, 3.0], 4, Some(2)),
        ] {
            let mut state = State::new(network.clone(), options);
            let ends_with = |(number, &loss): (usize, &f64)| {
                let epoch = Epoch {
                    epoch: number + 1,
                    loss: 0.0,
                    accuracy: 0.0,
                    seconds: 0.0,
                    validation: Some(Validation { loss, accuracy: 0.0 }),
                };
                state.keep_best(&epoch);
                state.epochs.push(epoch);
                state.has_lost_patience()
            };
            let last = losses.iter().enumerate().position(ends_with);
            assert_eq!(last.map(|index| index + 1), Some(ends), "{losses:?}");
            assert_eq!(state.restored().map(|(epoch, _)| epoch), best, "{losses:?}");
        }
    }
}
