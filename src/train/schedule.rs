//! How the step size changes during a run.

use serde::{Deserialize, Serialize};

use super::error::OptionError;
use crate::kernels::ops::trigonometry::cos;

/// What the learning rate is multiplied by, step by step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LrSchedule {
    /// Epochs in which it grows from nothing, by the same amount in each step. With
    /// [`OneCycle`](LrDecay::OneCycle), those in which it rises along its cosine; where there are none,
    /// 30 % of the run.
    pub warm_up: f64,
    /// What becomes of it then.
    pub decay: LrDecay,
}

/// How the learning rate falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum LrDecay {
    /// Not at all.
    #[default]
    Constant,
    /// By `factor`, every so many epochs.
    Step {
        /// After how many epochs, counted from the first.
        every: usize,
        /// By what it is multiplied.
        factor: f64,
    },
    /// To nothing at the end of the run, along half a cosine (Loshchilov and Hutter, 2017).
    Cosine,
    /// In one cycle (Smith and Topin, 2018), as PyTorch's `OneCycleLR` has it: it rises from a 25th of
    /// the learning rate to all of it, and falls to a 250,000th at the end of the run, each along half a
    /// cosine. The momentum stays as it is.
    OneCycle,
}

/// A step among those of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct StepIndex {
    /// Counted from 1.
    pub(super) step: u64,
    pub(super) steps_per_epoch: u64,
    pub(super) epochs: u64,
}

impl StepIndex {
    /// After step `step`, counted over all epochs, of a run of `epochs` epochs, each of so many
    /// steps; 0 before the first.
    pub(super) fn after(step: usize, steps_per_epoch: usize, epochs: usize) -> Self {
        let [step, steps_per_epoch, epochs] = [step, steps_per_epoch, epochs].map(|n| n as u64);
        Self { step, steps_per_epoch, epochs }
    }
}

impl LrSchedule {
    /// Refuses what makes no sense.
    pub(super) fn check(&self) -> Result<(), OptionError> {
        if !(self.warm_up >= 0.0 && self.warm_up.is_finite()) {
            return Err(OptionError::WarmUp(self.warm_up));
        }
        match self.decay {
            LrDecay::Step { every: 0, .. } => Err(OptionError::StepEpochs),
            LrDecay::Step { factor, .. } if !(factor > 0.0 && factor <= 1.0) => {
                Err(OptionError::StepFactor(factor))
            }
            _ => Ok(()),
        }
    }

    /// Whether a run of more epochs has other learning rates from the start.
    pub(super) fn depends_on_epochs(&self) -> bool {
        matches!(self.decay, LrDecay::Cosine | LrDecay::OneCycle)
    }

    /// By what the learning rate is multiplied at step `at`.
    pub(super) fn factor(&self, at: StepIndex) -> f64 {
        let StepIndex { step, steps_per_epoch, epochs } = at;
        if self.decay == LrDecay::OneCycle {
            let of_epochs = |epochs: f64| epochs * steps_per_epoch as f64;
            let rise = if self.warm_up > 0.0 { self.warm_up } else { RISE * epochs as f64 };
            return one_cycle(
                (step - 1) as f64,
                of_epochs(rise) - 1.0,
                of_epochs(epochs as f64) - 1.0,
            );
        }
        let warm_up = (self.warm_up * steps_per_epoch as f64) as u64;
        if step <= warm_up {
            return step as f64 / warm_up as f64;
        }
        match self.decay {
            LrDecay::Constant => 1.0,
            LrDecay::Step { every, factor } => {
                let epoch = (step - 1) / steps_per_epoch;
                (0..epoch / every as u64).fold(1.0, |product, _| product * factor)
            }
            LrDecay::Cosine => {
                let total = (steps_per_epoch * epochs).saturating_sub(warm_up).max(1);
                let share = (step - 1 - warm_up) as f64 / total as f64;
                half_a_cosine(1.0, 0.0, share)
            }
            // It has a rise of its own.
            LrDecay::OneCycle => 1.0,
        }
    }
}

/// The share of a run in which one cycle rises.
const RISE: f64 = 0.3;

/// The factor of step `step`, counted from 0, in one cycle whose peak and end are at these steps.
fn one_cycle(step: f64, peak: f64, end: f64) -> f64 {
    const START: f64 = 1.0 / 25.0;
    const END: f64 = START / 1e4;
    let peak = peak.max(0.0);
    if step < peak {
        half_a_cosine(START, 1.0, step / peak)
    } else if step == peak {
        1.0
    } else {
        half_a_cosine(1.0, END, (step - peak) / (end - peak))
    }
}

/// What lies between `from` and `to`, along half a cosine.
fn half_a_cosine(from: f64, to: f64, share: f64) -> f64 {
    to + 0.5 * (from - to) * (1.0 + cos(std::f64::consts::PI * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The factors of ten steps, two an epoch.
    fn factors(warm_up: f64, decay: LrDecay) -> Vec<f64> {
        let moment = |step| StepIndex { step, steps_per_epoch: 2, epochs: 5 };
        (1..=10).map(|step| LrSchedule { warm_up, decay }.factor(moment(step))).collect()
    }

    #[test]
    fn rates_rise_and_fall() {
        assert_eq!(factors(0.0, LrDecay::Constant), [1.0; 10]);
        let halves = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25];
        assert_eq!(factors(0.0, LrDecay::Step { every: 2, factor: 0.5 }), halves);
        let warm = [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(factors(2.0, LrDecay::Constant), warm);
        for (step, factor) in factors(1.0, LrDecay::Cosine).into_iter().enumerate() {
            let expected = match step {
                0 | 1 => (step + 1) as f64 / 2.0,
                _ => 0.5 * (1.0 + (std::f64::consts::PI * (step - 2) as f64 / 8.0).cos()),
            };
            assert!((factor - expected).abs() < 1e-12, "{step}: {factor}, not {expected}");
        }
    }

    /// Beside what PyTorch 2.15's `OneCycleLR(max_lr=1, total_steps=10)` says.
    #[test]
    fn one_cycle_is_that_of_pytorch() {
        let expected = [
            0.04,
            0.52,
            1.0,
            0.950_484_632_013_473_7,
            0.811_745_653_949_763_1,
            0.611_262_021_936_289_3,
            0.388_741_978_063_710_75,
            0.188_258_346_050_236_97,
            0.049_519_367_986_526_286,
            4e-6,
        ];
        let found = factors(0.0, LrDecay::OneCycle);
        for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-12, "{step}: {found}, not {expected}");
        }
        // With a warm-up of its own, and in runs of a step or two.
        assert_eq!(factors(2.5, LrDecay::OneCycle)[4], 1.0);
        assert!(factors(9.0, LrDecay::OneCycle).is_sorted());
        let short = StepIndex { step: 1, steps_per_epoch: 1, epochs: 1 };
        assert_eq!(LrSchedule { warm_up: 0.0, decay: LrDecay::OneCycle }.factor(short), 1.0);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let check = |warm_up, decay| LrSchedule { warm_up, decay }.check();
        assert!(check(0.5, LrDecay::Cosine).is_ok());
        assert!(check(-1.0, LrDecay::Constant).is_err());
        assert!(check(f64::NAN, LrDecay::Constant).is_err());
        assert!(check(0.0, LrDecay::Step { every: 0, factor: 0.5 }).is_err());
        assert!(check(0.0, LrDecay::Step { every: 1, factor: 1.5 }).is_err());
    }
}
