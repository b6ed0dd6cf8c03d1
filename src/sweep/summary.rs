//! What came of a sweep: a row a configuration.

use std::fmt;

use serde::Serialize;

use super::configuration::Configuration;
use super::folder::SweepFolder;
use super::results::{Outcome, ResultRow};
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
    /// By which accuracy the best is found: `validation` where all have one, else `test`.
    pub judged_by: &'static str,
    /// The configurations of which a run is done, the best one first.
    pub configurations: Vec<ConfigurationSummary>,
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
        // What only some of them have compares nothing.
        let mut trained = configurations.iter().filter(|row| row.test_accuracy.is_some());
        let is_validated =
            !configurations.is_empty() && trained.all(|row| row.validation_accuracy.is_some());
        let judged = |row: &ConfigurationSummary| match is_validated {
            true => row.validation_accuracy,
            false => row.test_accuracy,
        };
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
        Self {
            planned: runs.len(),
            done: folder.results().count(),
            judged_by: if is_validated { "validation" } else { "test" },
            configurations,
        }
    }

    /// The names of the settings that differ between configurations.
    fn varied(&self) -> Vec<&str> {
        let mut configurations = self.configurations.iter().map(|row| &row.configuration);
        let Some(first) = configurations.next() else { return Vec::new() };
        let others: Vec<_> = configurations.collect();
        let names = first.settings.iter().map(|setting| setting.name.as_str());
        let differs = |name: &&str| others.iter().any(|of| of.value(name) != first.value(name));
        names.filter(differs).collect()
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
            test_accuracy: measured(|row| match row.outcome {
                Outcome::Trained { test_accuracy, .. } => Some(test_accuracy),
                Outcome::Failed(_) => None,
            }),
            validation_accuracy: measured(|row| match row.outcome {
                Outcome::Trained { validation, .. } => validation.map(|of| of.accuracy),
                Outcome::Failed(_) => None,
            }),
            seconds: measured(|row| Some(row.seconds)),
            p_value: None,
            is_worse: None,
        }
    }

    /// The fields of its row: of the settings `varied`, then the measures.
    fn fields(&self, varied: &[&str], is_best: bool) -> Vec<String> {
        let setting = |name: &&str| self.configuration.value(name).unwrap_or_default().to_owned();
        let mut fields = vec![self.configuration.number.to_string()];
        fields.extend(varied.iter().map(setting));
        let percent = |share: f64| format!("{:.3}", 100.0 * share);
        let count = self.test_accuracy.map_or(0, |of| of.count);
        fields.push(match self.failed {
            0 => count.to_string(),
            failed => format!("{count} + {failed} failed"),
        });
        fields.push(self.test_accuracy.map_or_else(
            String::new,
            |of| match of.standard_deviation {
                Some(deviation) => format!("{} ± {}", percent(of.mean), percent(deviation)),
                None => percent(of.mean),
            },
        ));
        fields.push(self.test_accuracy.map_or_else(String::new, |of| match of.half_width {
            Some(half) => format!("{} to {}", percent(of.mean - half), percent(of.mean + half)),
            None => "–".into(),
        }));
        for number in [|of: Statistics| of.least, |of: Statistics| of.greatest] {
            fields.push(self.test_accuracy.map_or_else(String::new, |of| percent(number(of))));
        }
        fields.push(self.seconds.map_or_else(String::new, |of| format!("{:.2}", of.mean)));
        fields.push(match (is_best, self.is_worse, self.p_value) {
            (true, ..) => "best".into(),
            (_, Some(true), Some(p_value)) => format!("worse (p {})", short(p_value)),
            (_, Some(false), Some(p_value)) => format!("not significantly (p {})", short(p_value)),
            _ => "–".into(),
        });
        fields
    }
}

/// A p-value for a person.
fn short(p_value: f64) -> String {
    if p_value < 0.001 { "< 0.001".into() } else { format!("{p_value:.3}") }
}

/// As a table for a person.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { planned, done, judged_by, configurations } = self;
        let varied = self.varied();
        let mut rows = vec![vec!["".to_owned()]];
        rows[0].extend(varied.iter().map(|&name| name.to_owned()));
        let measures =
            ["runs", "test % mean ± sd", "95 % interval", "least", "greatest", "seconds"];
        rows[0].extend(measures.map(str::to_owned));
        rows[0].push("against the best".into());
        let fields = configurations.iter().enumerate();
        rows.extend(fields.map(|(place, row)| row.fields(&varied, place == 0)));
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|field| field.chars().count()).max()
        };
        let widths: Vec<_> = (0..rows[0].len()).map(|column| width(column).unwrap_or(0)).collect();
        for row in &rows {
            let mut line = String::new();
            for (field, width) in row.iter().zip(&widths) {
                let padding = width.saturating_sub(field.chars().count());
                line.push_str(field);
                line.extend(std::iter::repeat_n(' ', padding + 2));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "{done} of {planned} runs; the best is that of the highest {judged_by} accuracy in the mean;"
        )?;
        write!(f, "the others are compared with it by Welch's t-test, adjusted by Holm's method")
    }
}
