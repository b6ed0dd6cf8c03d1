//! Successive halving: how long configurations are trained before they are compared, and how many of
//! them go on.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::error::{Error, Result};
use super::plan::Plan;
use crate::train::FitOptions;

/// Successive halving (Jamieson and Talwalkar, 2016): all configurations are trained for a part of
/// their epochs, one of so many, the best, goes on from where it stands to so many times the epochs,
/// and so on until the last ones are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halving {
    factor: usize,
}

impl Halving {
    /// One configuration of `factor` goes on.
    ///
    /// # Errors
    /// When that is not less than all; the text says so.
    pub fn new(factor: usize) -> Result<Self, String> {
        match factor {
            0 | 1 => Err("give a number from 2 on: of so many configurations one goes on".into()),
            _ => Ok(Self { factor }),
        }
    }

    /// Of how many configurations one goes on.
    #[must_use]
    pub fn factor(self) -> usize {
        self.factor
    }
}

impl Default for Halving {
    /// 3: Hyperband's authors advise 3 or 4 (Li et al., 2018).
    fn default() -> Self {
        Self { factor: 3 }
    }
}

/// As arguments have it: its factor.
impl FromStr for Halving {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(text.parse().unwrap_or(0))
    }
}

/// Where the configurations of a sweep are compared: after which of their epochs, and how many they
/// are then.
///
/// There are as many rungs as both allow, the configurations and the least epochs that one has: each
/// has `factor` times the epochs of the one before and `1 / factor` of its configurations.
#[derive(Clone, Debug)]
pub struct Rungs {
    factor: usize,
    count: usize,
    /// The epochs of each configuration.
    epochs: Vec<usize>,
}

/// One of the [`Rungs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rung {
    /// From 1.
    #[serde(rename = "rung")]
    pub number: usize,
    /// How many configurations come to it.
    pub configurations: usize,
    /// It is after the epochs of each configuration divided by this, rounded up.
    pub epochs_divided_by: usize,
}

impl Rungs {
    /// Those of a sweep of `plan`, whose configurations are trained with these options, in their order;
    /// none where it has no halving.
    ///
    /// # Errors
    /// When there are too few configurations or epochs to choose before the end, some runs may end by
    /// themselves, or some have a validation accuracy to be judged by and others have none.
    pub fn of(plan: &Plan, configurations: &[FitOptions]) -> Result<Option<Self>> {
        let Some(halving) = plan.halving else { return Ok(None) };
        let rungs = Self::new(halving, configurations)?;
        if has_one_measure(plan, configurations) { Ok(Some(rungs)) } else { Err(Error::NoBest) }
    }

    /// Those of configurations that are trained with these options, however they are judged.
    fn new(halving: Halving, configurations: &[FitOptions]) -> Result<Self> {
        let factor = halving.factor;
        if configurations.len() < factor {
            return Err(Error::FewToHalve { configurations: configurations.len(), factor });
        }
        for (options, number) in configurations.iter().zip(1..) {
            if options.epochs < factor {
                let epochs = options.epochs;
                return Err(Error::ShortToHalve { configuration: number, epochs, factor });
            }
            if options.patience.is_some() || options.until_accuracy.is_some() {
                return Err(Error::EndsByItself { configuration: number });
            }
        }
        let epochs: Vec<_> = configurations.iter().map(|options| options.epochs).collect();
        let least = epochs.iter().min().copied().unwrap_or(factor);
        let count = 1 + least.min(epochs.len()).ilog(factor) as usize;
        Ok(Self { factor, count, epochs })
    }

    /// How many there are; at the last one, the configurations that come to it are complete.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Each of them, in order.
    pub fn each(&self) -> impl Iterator<Item = Rung> + '_ {
        (1..=self.count).map(|number| Rung {
            number,
            configurations: self.configurations(number),
            epochs_divided_by: self.divisor(number),
        })
    }

    /// How many configurations come to rung `rung`, from 1.
    pub(super) fn configurations(&self, rung: usize) -> usize {
        self.epochs.len() / self.factor.pow(rung as u32 - 1)
    }

    /// After which epoch of configuration `configuration`, from 1, rung `rung` is.
    pub(super) fn epoch(&self, rung: usize, configuration: usize) -> usize {
        self.epochs[configuration - 1].div_ceil(self.divisor(rung))
    }

    /// Which part of a whole run lies between rung `rung` and the one before it.
    pub(super) fn part(&self, rung: usize) -> f64 {
        let at = |rung: usize| 1.0 / self.divisor(rung) as f64;
        at(rung) - if rung == 1 { 0.0 } else { at(rung - 1) }
    }

    fn divisor(&self, rung: usize) -> usize {
        self.factor.pow((self.count - rung) as u32)
    }
}

/// Whether all configurations of `plan`, trained with these options, are judged by one measure.
pub(super) fn has_one_measure(plan: &Plan, configurations: &[FitOptions]) -> bool {
    let mut validated = configurations.iter().map(FitOptions::is_validated);
    let first = validated.next();
    plan.folds.is_some() || validated.all(|is_validated| Some(is_validated) == first)
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, configurations, epochs_divided_by } = self;
        let plural = if *configurations == 1 { "" } else { "s" };
        write!(f, "rung {number}: {configurations} configuration{plural}, ")?;
        match epochs_divided_by {
            1 => f.write_str("to the end of their epochs"),
            divisor => write!(f, "to 1/{divisor} of their epochs"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rungs(factor: usize, epochs: &[usize]) -> Result<Rungs> {
        let options = |&epochs: &usize| FitOptions { epochs, ..FitOptions::default() };
        let configurations: Vec<_> = epochs.iter().map(options).collect();
        Rungs::new(Halving::new(factor).unwrap(), &configurations)
    }

    #[test]
    fn each_rung_has_a_part_of_the_configurations_and_times_the_epochs() {
        let rungs = rungs(3, &[[9; 20], [10; 20]].concat()).unwrap();
        let each: Vec<_> = rungs.each().collect();
        assert_eq!(each.iter().map(|rung| rung.configurations).collect::<Vec<_>>(), [40, 13, 4]);
        assert_eq!([1, 2, 3].map(|rung| rungs.epoch(rung, 1)), [1, 3, 9]);
        assert_eq!([1, 2, 3].map(|rung| rungs.epoch(rung, 40)), [2, 4, 10]);
        assert!(([1, 2, 3].map(|rung| rungs.part(rung)).iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(each[0].to_string(), "rung 1: 40 configurations, to 1/9 of their epochs");
        assert_eq!(each[2].to_string(), "rung 3: 4 configurations, to the end of their epochs");
    }

    #[test]
    fn rungs_lie_apart_and_end_with_one_configuration_at_least() {
        for factor in 2..6 {
            for (count, epochs) in (factor..40).flat_map(|n| (factor..40).map(move |e| (n, e))) {
                let rungs = rungs(factor, &vec![epochs; count]).unwrap();
                let at: Vec<_> = (1..=rungs.count()).map(|rung| rungs.epoch(rung, 1)).collect();
                assert!(rungs.count() > 1 && at[0] > 0 && at.is_sorted_by(|a, b| a < b), "{at:?}");
                assert_eq!(at.last(), Some(&epochs));
                assert!(rungs.configurations(rungs.count()) > 0);
            }
        }
    }

    #[test]
    fn what_cannot_be_halved_is_refused() {
        let refused = |refused: Result<Rungs>| refused.unwrap_err().to_string();
        assert!(refused(rungs(3, &[5, 5])).contains("2 configurations"));
        assert!(refused(rungs(3, &[5, 2, 5])).contains("configuration 2"));
        for options in [
            FitOptions { patience: Some(1), validation_split: 0.5, ..FitOptions::default() },
            FitOptions { until_accuracy: Some(0.9), ..FitOptions::default() },
        ] {
            let all = [FitOptions::default(), FitOptions::default(), options];
            assert!(refused(Rungs::new(Halving::default(), &all)).contains("configuration 3"));
        }
        for wrong in ["", "0", "1", "-2", "a", "2.5"] {
            assert!(wrong.parse::<Halving>().is_err(), "{wrong}");
        }
        assert_eq!("4".parse(), Halving::new(4));
    }
}
