//! What came of a sweep: a row a configuration.

use serde::Serialize;

use super::configuration::Configuration;
use super::folder::SweepFolder;
use super::results::ResultRow;
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
    /// The configurations of which a run is done, the best one first.
    pub configurations: Vec<ConfigurationSummary>,
}

/// An accuracy by which configurations are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// That on the folds that were held out, where there are folds.
    Folds,
    /// The validation accuracy, where all have one.
    Validation,
    /// That on the test images.
    Test,
}

/// What came of the runs of one configuration.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigurationSummary {
    /// Its number and settings.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// How many of its runs came to no network.
    pub failed: usize,
    /// The accuracy on the test images.
    pub test_accuracy: Option<Statistics>,
    /// The accuracy on the images that were held out, where there are such.
    pub validation_accuracy: Option<Statistics>,
    /// The accuracy on the folds that were held out, in a sweep with folds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold_accuracy: Option<Statistics>,
    /// How long a run took, in seconds.
    pub seconds: Option<Statistics>,
    /// How likely a difference from the best as great as that is by chance, adjusted for how many are
    /// compared; none of the best itself, or where too few runs are done.
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
            None => Measure::without_folds(&configurations),
        };
        let judged = |row: &ConfigurationSummary| row.accuracy(judged_by);
        let mean = |row: &ConfigurationSummary| judged(row).map_or(f64::NEG_INFINITY, |of| of.mean);
        configurations.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
        if let Some((best, others)) = configurations.split_first_mut() {
            let best = judged(best);
            let p_values: Vec<_> =
                others.iter().map(|other| welch(&best?, &judged(other)?)).collect();
            for (other, p_value) in others.iter_mut().zip(holm(&p_values)) {
                other.p_value = p_value;
                other.is_worse = p_value.map(|p_value| p_value < SIGNIFICANT);
            }
        }
        Self { planned: runs.len(), done: folder.results().count(), judged_by, configurations }
    }
}

impl Measure {
    /// What only some of the configurations have compares nothing.
    fn without_folds(configurations: &[ConfigurationSummary]) -> Self {
        let mut trained = configurations.iter().filter(|row| row.test_accuracy.is_some());
        let is_validated =
            !configurations.is_empty() && trained.all(|row| row.validation_accuracy.is_some());
        if is_validated { Self::Validation } else { Self::Test }
    }
}

impl ConfigurationSummary {
    fn new(configuration: &Configuration, results: &[&ResultRow]) -> Self {
        let measured = |measure: fn(&ResultRow) -> Option<f64>| {
            let numbers: Vec<_> = results.iter().filter_map(|result| measure(result)).collect();
            Statistics::of(&numbers)
        };
        Self {
            configuration: configuration.clone(),
            failed: results.iter().filter(|row| row.outcome.judged().is_none()).count(),
            test_accuracy: measured(|row| Some(row.outcome.trained()?.test_accuracy)),
            validation_accuracy: measured(|row| Some(row.outcome.trained()?.validation?.accuracy)),
            fold_accuracy: measured(|row| Some(row.outcome.trained()?.fold?.accuracy)),
            seconds: measured(|row| Some(row.seconds)),
            p_value: None,
            is_worse: None,
        }
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
