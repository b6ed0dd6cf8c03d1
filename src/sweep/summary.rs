//! What came of a sweep: a row a configuration.

use serde::Serialize;

use super::configuration::Configuration;
use super::folder::SweepFolder;
use super::measure::Measure;
use super::results::ResultRow;
use super::standing::Standing;
use super::statistics::{Statistics, holm, welch};

/// p-values below this are called significant.
const SIGNIFICANT: f64 = 0.05;

/// What came of a sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How many runs the plan has.
    pub planned: usize,
    /// How many are done.
    pub done: usize,
    /// By which accuracy the best is found.
    pub judged_by: Measure,
    /// What was found at the rungs of a halving.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rungs: Vec<RungSummary>,
    /// The configurations of which a run is done, the best one first; those of which a run came to no
    /// network after the others, and those that were stopped after those that were not.
    pub configurations: Vec<ConfigurationSummary>,
}

/// What was found at a rung of a halving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RungSummary {
    /// Its number, from 1.
    pub rung: usize,
    /// How many configurations had a network there.
    pub configurations: usize,
    /// How many of them were stopped.
    pub stopped: usize,
}

/// What came of the runs of one configuration.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigurationSummary {
    /// Its number and settings.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// How many of its runs came to no network.
    pub failed: usize,
    /// How many epochs the others were trained, at most; none where there are no others.
    pub epochs: Option<usize>,
    /// The accuracy on the test images.
    pub test_accuracy: Option<Statistics>,
    /// The accuracy on the images that were held out, where there are such.
    pub validation_accuracy: Option<Statistics>,
    /// The accuracy on the folds that were held out, in a sweep with folds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold_accuracy: Option<Statistics>,
    /// How long a run took, in seconds.
    pub seconds: Option<Statistics>,
    /// The rung at which it was stopped, in a sweep by successive halving.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at_rung: Option<usize>,
    /// How likely a difference from the best as great as that is by chance, adjusted for how many are
    /// compared; none of the best itself, or where too few runs are done or none of them vary, it was
    /// not trained for as long, or its mean is the higher one and stands back for runs that failed.
    pub p_value: Option<f64>,
    /// Whether it is significantly worse than the best; none where that cannot be said.
    pub is_worse: Option<bool>,
}

impl Summary {
    /// What `folder` has up to now.
    #[must_use]
    pub fn new(folder: &SweepFolder) -> Self {
        let runs = folder.runs();
        let mut rows: Vec<(&Configuration, Vec<&ResultRow>)> = Vec::new();
        for result in folder.results() {
            let configuration = &runs[result.run - 1].configuration;
            match rows.last_mut() {
                Some((last, results)) if last.number == configuration.number => {
                    results.push(result);
                }
                _ => rows.push((configuration, vec![result])),
            }
        }
        let mut configurations: Vec<_> =
            rows.iter().map(|(of, results)| ConfigurationSummary::new(of, results)).collect();
        let judged_by = match folder.plan().folds {
            Some(_) => Measure::Folds,
            None if all_validated(&configurations) => Measure::Validation,
            None => Measure::Test,
        };
        let standing = |row: &ConfigurationSummary| row.standing(judged_by);
        // Longer training comes first, and last what came to nothing.
        let reached = |row: &ConfigurationSummary| {
            row.accuracy(judged_by).map_or(0, |_| row.stopped_at_rung.unwrap_or(usize::MAX))
        };
        configurations.sort_by(|a, b| {
            reached(b).cmp(&reached(a)).then_with(|| standing(a).better_first(&standing(b)))
        });
        if let Some((best, others)) = configurations.split_first_mut() {
            let best = best.compared_by(judged_by);
            let p_value = |other: &ConfigurationSummary| {
                let (best, other) = (best.as_ref()?, other.compared_by(judged_by)?);
                welch(best, &other).filter(|_| other.mean <= best.mean)
            };
            let p_values: Vec<_> = others.iter().map(p_value).collect();
            for (other, p_value) in others.iter_mut().zip(holm(&p_values)) {
                other.p_value = p_value;
                other.is_worse = p_value.map(|p_value| p_value < SIGNIFICANT);
            }
        }
        let (planned, done) = (runs.len(), folder.results().count());
        let rungs = rungs(folder, &configurations);
        Self { planned, done, judged_by, rungs, configurations }
    }

    /// Whether any configuration was compared with the best: none can be of which there are no several
    /// complete runs, or whose runs do not vary.
    #[must_use]
    pub fn has_comparisons(&self) -> bool {
        self.configurations.iter().any(|row| row.p_value.is_some())
    }

    /// The best configuration; none where no run came to a network without being stopped.
    #[must_use]
    pub fn best(&self) -> Option<&ConfigurationSummary> {
        self.configurations.first().filter(|first| first.compared_by(self.judged_by).is_some())
    }
}

/// Whether all that came to a network have a validation accuracy: what only some of them have compares
/// nothing.
fn all_validated(configurations: &[ConfigurationSummary]) -> bool {
    let has_validation = |row: &ConfigurationSummary| row.validation_accuracy.is_some();
    let mut trained = configurations.iter().filter(|row| row.test_accuracy.is_some());
    configurations.iter().any(has_validation) && trained.all(has_validation)
}

/// What `folder` has of rungs, with those of `configurations` that were stopped there.
fn rungs(folder: &SweepFolder, configurations: &[ConfigurationSummary]) -> Vec<RungSummary> {
    let mut rungs: Vec<RungSummary> = Vec::new();
    let mut last = None;
    for (rung, result) in folder.results_at_rungs() {
        let configuration = folder.runs()[result.run - 1].configuration.number;
        if last.replace((rung, configuration)) == Some((rung, configuration)) {
            continue;
        }
        match rungs.last_mut() {
            Some(of) if of.rung == rung => of.configurations += 1,
            _ => rungs.push(RungSummary { rung, configurations: 1, stopped: 0 }),
        }
    }
    for rung in &mut rungs {
        let is_stopped = |row: &&ConfigurationSummary| row.stopped_at_rung == Some(rung.rung);
        rung.stopped = configurations.iter().filter(is_stopped).count();
    }
    rungs
}

impl ConfigurationSummary {
    fn new(configuration: &Configuration, results: &[&ResultRow]) -> Self {
        let networks = || results.iter().filter_map(|row| row.outcome.trained());
        let accuracy = |measure: Measure| {
            let numbers: Vec<_> = networks().filter_map(|network| measure.of(network)).collect();
            Statistics::of(&numbers)
        };
        let seconds: Vec<_> = results.iter().map(|row| row.seconds).collect();
        Self {
            configuration: configuration.clone(),
            failed: results.len() - networks().count(),
            epochs: networks().map(|network| network.epochs).max(),
            test_accuracy: accuracy(Measure::Test),
            validation_accuracy: accuracy(Measure::Validation),
            fold_accuracy: accuracy(Measure::Folds),
            seconds: Statistics::of(&seconds),
            stopped_at_rung: results.iter().filter_map(|row| row.stopped_at_rung).max(),
            p_value: None,
            is_worse: None,
        }
    }

    /// Its accuracy by `measure`, if it was not stopped: what was trained for less is not compared.
    fn compared_by(&self, measure: Measure) -> Option<Statistics> {
        self.accuracy(measure).filter(|_| self.stopped_at_rung.is_none())
    }

    /// How it stands among others by `measure`.
    fn standing(&self, measure: Measure) -> Standing {
        Standing { failed: self.failed, accuracy: self.accuracy(measure) }
    }

    /// Its accuracy by `measure`.
    pub(super) fn accuracy(&self, measure: Measure) -> Option<Statistics> {
        match measure {
            Measure::Folds => self.fold_accuracy,
            Measure::Validation => self.validation_accuracy,
            Measure::Test => self.test_accuracy,
        }
    }
}
