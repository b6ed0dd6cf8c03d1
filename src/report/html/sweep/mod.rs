//! The page of a sweep: what was tried, what came of each configuration, and how that varies.

mod axis;
mod figure;
mod parallel_coordinates;
mod strip_plot;

use std::collections::HashMap;

use askama::Template;

use super::settings::Setting;
use super::{rendered, words};
use crate::report::error::Result;
use crate::sweep::{
    Configuration, Outcome, Plan, PlannedRun, Statistics, Summary, SummaryTable, SweepFolder,
    Values,
};
use figure::Figure;

/// So many configurations at most have a row of the table.
const ROWS: usize = 1000;

/// So many runs that came to no network are named.
const FAILED: usize = 10;

/// What the template is filled with.
#[derive(Template)]
#[template(path = "sweep.html")]
struct Page<'a> {
    folder: String,
    tried: Vec<Setting>,
    summary: &'a Summary,
    /// How long all runs took together.
    seconds: f64,
    best: Option<&'a Judged<'a>>,
    table: SummaryTable,
    figures: Vec<Figure>,
    failed: Vec<Failed<'a>>,
    plan: String,
}

/// A configuration that came to networks.
#[derive(Debug)]
struct Judged<'a> {
    configuration: &'a Configuration,
    /// The accuracies of its runs, by which it is judged.
    accuracies: Vec<f64>,
    statistics: Statistics,
    /// The rung at which it was stopped, in a halving: then the accuracies are those there.
    stopped_at_rung: Option<usize>,
}

/// A run that came to no network.
struct Failed<'a> {
    run: &'a PlannedRun,
    why: &'a str,
}

impl Page<'_> {
    /// How many configurations were stopped at a rung of a halving.
    fn stopped(&self) -> usize {
        self.summary.rungs.iter().map(|rung| rung.stopped).sum()
    }

    /// How many runs came to no network.
    fn failures(&self) -> usize {
        self.summary.configurations.iter().map(|row| row.failed).sum()
    }
}

impl<'a> Judged<'a> {
    /// The first of `configurations`, the best first, unless it was stopped.
    fn best(configurations: &'a [Self]) -> Option<&'a Self> {
        configurations.first().filter(|first| first.stopped_at_rung.is_none())
    }

    /// Its mean, and its standard deviation where there is one.
    fn accuracy(&self) -> String {
        let Statistics { mean, standard_deviation, .. } = self.statistics;
        match standard_deviation {
            Some(deviation) => {
                format!("{:.3}\u{a0}±\u{a0}{:.3}\u{a0}%", 100.0 * mean, 100.0 * deviation)
            }
            None => format!("{:.3}\u{a0}%", 100.0 * mean),
        }
    }
}

/// The page of the sweep in `folder`, complete or not: one file, which needs no other, no network and
/// no script.
///
/// # Errors
/// When a chart cannot be made.
pub fn sweep_page(folder: &SweepFolder) -> Result<String> {
    let summary = Summary::new(folder);
    let judged = judged(folder, &summary);
    let varied = summary.varied();
    let mut table = summary.table();
    table.rows.truncate(ROWS);
    let figures = [
        strip_plot::figure(&judged, &varied, summary.judged_by)?,
        parallel_coordinates::figure(&judged, &varied, summary.judged_by)?,
    ];
    rendered(&Page {
        folder: folder.path().display().to_string(),
        tried: tried(folder.plan()),
        summary: &summary,
        seconds: folder.results().map(|result| result.seconds).sum(),
        best: Judged::best(&judged),
        table,
        figures: figures.into_iter().flatten().collect(),
        failed: failed(folder).take(FAILED).collect(),
        plan: folder.plan().to_toml(),
    })
}

/// The configurations that came to networks, in the order of `summary`: the best one first.
fn judged<'a>(folder: &SweepFolder, summary: &'a Summary) -> Vec<Judged<'a>> {
    let mut found: HashMap<usize, Vec<f64>> = HashMap::new();
    for result in folder.results() {
        let network = result.outcome.trained();
        if let Some(accuracy) = network.and_then(|network| summary.judged_by.of(network)) {
            let number = folder.runs()[result.run - 1].configuration.number;
            found.entry(number).or_default().push(accuracy);
        }
    }
    let rows = summary.configurations.iter();
    let judged = rows.filter_map(|row| {
        let accuracies = found.remove(&row.configuration.number)?;
        let statistics = Statistics::of(&accuracies)?;
        let (configuration, stopped_at_rung) = (&row.configuration, row.stopped_at_rung);
        Some(Judged { configuration, accuracies, statistics, stopped_at_rung })
    });
    judged.collect()
}

/// What `plan` tries, in words.
fn tried(plan: &Plan) -> Vec<Setting> {
    let setting = |name: &str, value: String| Setting { name: name.into(), value };
    let mut tried = Vec::new();
    tried.extend(plan.data.iter().map(|data| setting("data", data.clone())));
    let configurations = match plan.sample {
        None => "all combinations".into(),
        Some(sample) => format!(
            "{} drawn at random, by seed {}",
            words::counted(sample.configurations),
            sample.seed
        ),
    };
    tried.push(setting("configurations", configurations));
    tried.push(setting("seeds of each", plan.seeds.to_string()));
    tried.extend(
        plan.folds
            .map(|folds| setting("folds", format!("{folds}, each held out once by each seed"))),
    );
    tried.extend(plan.halving.map(|halving| {
        let factor = halving.factor();
        setting("halving", format!("at each rung one of {factor} configurations goes on"))
    }));
    tried.extend(plan.settings.iter().map(|(name, values)| setting(name, in_words(values))));
    tried
}

/// `values` for a person.
fn in_words(values: &Values) -> String {
    match values {
        Values::List(values) => {
            let value = |value: &String| match value.contains(',') {
                true => format!("[{value}]"),
                false => value.clone(),
            };
            values.iter().map(value).collect::<Vec<_>>().join(", ")
        }
        Values::Range(range) => {
            let by = if range.log { ", each factor as likely as any other" } else { "" };
            format!("from {} to {}{by}", range.from, range.to)
        }
    }
}

/// The runs of `folder` that came to no network.
fn failed(folder: &SweepFolder) -> impl Iterator<Item = Failed<'_>> {
    folder.results().filter_map(|result| match &result.outcome {
        Outcome::Failed(why) => Some(Failed { run: &folder.runs()[result.run - 1], why }),
        Outcome::Trained(_) => None,
    })
}
