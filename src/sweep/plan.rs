//! What a sweep tries.

use std::collections::{HashMap, HashSet};

use super::configuration::{Configuration, PlannedRun, Setting};
use super::error::{Error, Result};
use super::halving::Halving;
use super::seeds::{MOST_RUNS, Seeds};
use super::values::Values;
use crate::data;
use crate::rng::{Rng, Stream};

/// What a sweep tries: all combinations of its settings' values, or some that are drawn at random,
/// each trained once by each seed, or once for each fold by each seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What names the data set; the default one where it is `None`.
    pub data: Option<String>,
    /// What that is known by: whoever goes on must have the same.
    pub data_checksum: Option<String>,
    /// The seeds of the runs.
    pub seeds: Seeds,
    /// To how many folds the training images are dealt, of which each run holds one out; where it is
    /// `None`, all are trained on.
    pub folds: Option<usize>,
    /// How configurations are stopped early that are not among the best; where it is `None`, none is.
    pub halving: Option<Halving>,
    /// How configurations are drawn at random; where it is `None`, all of the grid are taken.
    pub sample: Option<Sample>,
    /// The settings, by the names that they have among the arguments of a training.
    pub settings: Vec<(String, Values)>,
}

/// How often a configuration is drawn until it is one that there was not yet.
const DRAWS: usize = 100;

/// How configurations are drawn at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// How many.
    pub configurations: usize,
    /// What decides which.
    pub seed: u64,
}

/// A configuration that was drawn.
struct Drawn {
    values: Vec<String>,
    /// Whether it is none of those before.
    is_new: bool,
}

impl Plan {
    /// Refuses a plan that makes no sense, or has more than a million runs.
    ///
    /// # Errors
    /// As said.
    pub fn check(&self) -> Result<()> {
        for (index, (name, values)) in self.settings.iter().enumerate() {
            if self.settings[..index].iter().any(|(other, _)| other == name) {
                return Err(Error::SettingTwice(name.clone()));
            }
            match values {
                Values::List(values) if values.is_empty() => {
                    return Err(Error::NoValues(name.clone()));
                }
                Values::List(values) => check_distinct(name, values)?,
                Values::Range(_) if self.sample.is_none() => {
                    return Err(Error::RangeInGrid(name.clone()));
                }
                Values::Range(range) => range.check(name)?,
            }
        }
        // What a plan's file cannot say.
        let most = i64::MAX as u64;
        if let Some(sample) = self.sample.filter(|sample| sample.seed > most) {
            return Err(Error::Seed(sample.seed));
        }
        if let Some((Sample { configurations, .. }, there)) = self.sample.zip(self.combinations())
            && configurations > there
        {
            return Err(Error::SampleOfFew { configurations, there });
        }
        if let Some(folds) = self.folds.filter(|&folds| folds < 2) {
            return Err(data::Problem::TooFewFolds(folds).into());
        }
        let configurations = self.configuration_count();
        match configurations.and_then(|count| count.checked_mul(self.runs_each())) {
            Some(0) => Err(Error::NoRuns),
            Some(1..=MOST_RUNS) => Ok(()),
            _ => Err(Error::TooManyRuns(MOST_RUNS)),
        }
    }

    /// Refuses a sample in which a configuration is drawn twice, as no other one was found. A sweep that is
    /// there may have such.
    ///
    /// # Errors
    /// As said.
    pub fn check_draws(&self) -> Result<()> {
        let Some(sample) = self.sample else { return Ok(()) };
        let again = self.drawn(sample).zip(1..).find(|(drawn, _)| !drawn.is_new);
        again.map_or(Ok(()), |(drawn, number)| {
            let configuration = self.configuration(drawn.values, number).to_string();
            let configurations = sample.configurations;
            Err(Error::SampleRepeats { configurations, number, configuration })
        })
    }

    /// Whether it tries the same as `other`, on the same data, wherever these lie.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_known = self.data_checksum.is_some();
        let data = if is_known { self.data.clone() } else { other.data.clone() };
        *self == Self { data, ..other.clone() }
    }

    /// Refuses a plan whose runs are not done shard by shard.
    ///
    /// # Errors
    /// When it has a halving.
    pub fn check_shards(&self) -> Result<()> {
        if self.halving.is_some() { Err(Error::ShardOfHalving) } else { Ok(()) }
    }

    /// How often each configuration is trained.
    pub(super) fn runs_each(&self) -> usize {
        self.seeds.list().len().saturating_mul(self.folds.unwrap_or(1))
    }

    /// How many configurations there are, if a number can say it.
    fn configuration_count(&self) -> Option<usize> {
        if let Some(sample) = self.sample {
            return Some(sample.configurations);
        }
        self.combinations()
    }

    /// How many combinations of values there are, if a number can say it.
    fn combinations(&self) -> Option<usize> {
        let mut counts = self.settings.iter().map(|(_, values)| values.count());
        counts.try_fold(1_usize, |all, count| all.checked_mul(count?))
    }

    /// Its configurations, in order: of a grid the last setting changes first.
    #[must_use]
    pub fn configurations(&self) -> Vec<Configuration> {
        let all: Vec<_> = match self.sample {
            Some(sample) => self.drawn(sample).map(|drawn| drawn.values).collect(),
            None => {
                (0..self.configuration_count().unwrap_or(0)).map(|at| self.of_grid(at)).collect()
            }
        };
        let numbered = all.into_iter().zip(1..);
        numbered.map(|(values, number)| self.configuration(values, number)).collect()
    }

    /// That of this number, by the values of the settings.
    fn configuration(&self, values: Vec<String>, number: usize) -> Configuration {
        let settings = self.settings.iter().zip(values);
        let settings = settings.map(|((name, _), value)| Setting { name: name.clone(), value });
        Configuration { number, settings: settings.collect() }
    }

    /// The values of point `index` of the grid.
    fn of_grid(&self, index: usize) -> Vec<String> {
        let mut rest = index;
        let mut values: Vec<_> = self
            .settings
            .iter()
            .rev()
            .map(|(_, values)| {
                // There are as many combinations as a number can say.
                let count = values.count().unwrap_or(1);
                let value = values.value(rest % count);
                rest /= count;
                value
            })
            .collect();
        values.reverse();
        values
    }

    /// Each configuration of a random sample, another one as long as others are found: what was drawn
    /// before is drawn anew.
    fn drawn(&self, sample: Sample) -> impl Iterator<Item = Drawn> {
        let mut seen = HashSet::new();
        // Where chance does not find what is left of few, they are taken in order.
        let mut rest = (0..self.combinations().unwrap_or(0)).map(|at| self.of_grid(at));
        (0..sample.configurations).map(move |index| {
            let mut rng = Rng::stream(sample.seed, Stream::Sweep, index as u64);
            let mut draw = || {
                self.settings.iter().map(|(_, values)| values.draw(&mut rng)).collect::<Vec<_>>()
            };
            let drawn = draw();
            let mut draws = std::iter::once(drawn.clone()).chain((1..DRAWS).map(|_| draw()));
            let new = draws.find(|values| !seen.contains(values));
            let new = new.or_else(|| rest.find(|values| !seen.contains(values)));
            let (values, is_new) = new.map_or((drawn, false), |new| (new, true));
            seen.insert(values.clone());
            Drawn { values, is_new }
        })
    }

    /// Its runs, in order: a configuration by each seed, for each fold, then the next one.
    #[must_use]
    pub fn runs(&self) -> Vec<PlannedRun> {
        let folds: Vec<Option<usize>> = match self.folds {
            Some(count) => (1..=count).map(Some).collect(),
            None => vec![None],
        };
        let mut runs = Vec::new();
        for configuration in self.configurations() {
            for &seed in self.seeds.list() {
                for &fold in &folds {
                    let (number, configuration) = (1 + runs.len(), configuration.clone());
                    runs.push(PlannedRun { number, configuration, seed, fold });
                }
            }
        }
        runs
    }
}

/// Refuses values of which two are the same, also where they are written otherwise: 1e-3 and 0.001.
fn check_distinct(setting: &str, values: &[String]) -> Result<()> {
    let part = |part: &str| {
        let number = part.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        number.map_or_else(|| part.trim().to_owned(), |number| (number + 0.0).to_string())
    };
    let mut seen = HashMap::new();
    for value in values {
        let meant: Vec<_> = value.split(',').map(part).collect();
        if let Some(first) = seen.insert(meant, value) {
            let (setting, values) = (setting.to_owned(), [first.clone(), value.clone()]);
            return Err(Error::ValueTwice { setting, values });
        }
    }
    Ok(())
}
