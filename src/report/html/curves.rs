//! The curves of runs: loss, accuracy and learning rate by epoch.

use askama::Template;

use super::chart::{Chart, Series, Unit};
use super::rendered;
use crate::report::RunRecord;
use crate::report::error::Result;
use crate::train::{Epoch, Validation};

/// So many points at most has the curve of the learning rate.
const RATES: usize = 240;

/// A chart as it stands in a page.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) title: &'static str,
    /// An `svg` element.
    pub(super) svg: String,
    /// What each of several lines is.
    pub(super) legend: Vec<Entry>,
}

/// A line of a legend.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// The number of its colour.
    pub(super) colour: usize,
    pub(super) is_dashed: bool,
}

/// A part of a page with nothing but charts.
#[derive(Template)]
#[template(path = "figures.html")]
struct Part {
    figures: Vec<Figure>,
}

/// The curves of the run in `record`, as HTML that stands within a page with the style of reports.
///
/// # Errors
/// When a chart cannot be drawn.
pub fn curves(record: &RunRecord) -> Result<String> {
    rendered(&Part { figures: of_run(record)? })
}

/// The curves of one run: training and validation, and the learning rate.
///
/// # Errors
/// When a chart cannot be drawn.
pub(super) fn of_run(record: &RunRecord) -> Result<Vec<Figure>> {
    let curves = |what: What| Chart {
        title: what.title(),
        unit: what.unit(),
        series: vec![
            Series {
                name: "training".into(),
                colour: 0,
                is_dashed: false,
                points: what.of_training(&record.epochs),
            },
            Series {
                name: judges(record).into(),
                colour: 1,
                is_dashed: true,
                points: what.of_validation(&record.epochs),
            },
        ],
    };
    figures([curves(What::Loss), curves(What::Accuracy), learning_rate(record)])
}

/// What a run is validated with.
fn judges(record: &RunRecord) -> &'static str {
    if record.config.fit.is_judged_by_others() { "test images" } else { "validation" }
}

/// The curves of several runs over each other, those of training and those of validation.
///
/// # Errors
/// As [`of_run`].
pub(super) fn of_runs(records: &[RunRecord], names: &[String]) -> Result<Vec<Figure>> {
    type Points = fn(What, &[Epoch]) -> Vec<(f64, f64)>;
    let curves = |title, what: What, points: Points| Chart {
        title,
        unit: what.unit(),
        series: records
            .iter()
            .zip(names)
            .enumerate()
            .map(|(colour, (record, name))| Series {
                name: name.clone(),
                colour,
                is_dashed: false,
                points: points(what, &record.epochs),
            })
            .collect(),
    };
    figures([
        curves("training loss", What::Loss, What::of_training),
        curves("training accuracy", What::Accuracy, What::of_training),
        curves("validation loss", What::Loss, What::of_validation),
        curves("validation accuracy", What::Accuracy, What::of_validation),
    ])
}

/// The charts that show something.
fn figures<const N: usize>(charts: [Chart; N]) -> Result<Vec<Figure>> {
    let figure = |mut chart: Chart| {
        chart.series.retain(|series| !series.points.is_empty());
        let entry = |series: &Series| Entry {
            name: series.name.clone(),
            colour: series.colour,
            is_dashed: series.is_dashed,
        };
        let legend = chart.legend().map(entry).collect();
        Ok(Figure { title: chart.title, svg: chart.svg()?, legend })
    };
    charts.into_iter().filter(Chart::has_points).map(figure).collect()
}

/// What an epoch is judged by.
#[derive(Clone, Copy, Debug)]
enum What {
    Loss,
    Accuracy,
}

impl What {
    fn title(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
        }
    }

    fn unit(self) -> Unit {
        match self {
            Self::Loss => Unit::Number,
            Self::Accuracy => Unit::Share,
        }
    }

    fn of_training(self, epochs: &[Epoch]) -> Vec<(f64, f64)> {
        let value = |epoch: &Epoch| match self {
            Self::Loss => epoch.loss,
            Self::Accuracy => epoch.accuracy,
        };
        epochs.iter().map(|epoch| (epoch.epoch as f64, value(epoch))).collect()
    }

    fn of_validation(self, epochs: &[Epoch]) -> Vec<(f64, f64)> {
        let value = |of: Validation| match self {
            Self::Loss => of.loss,
            Self::Accuracy => of.accuracy,
        };
        let point = |epoch: &Epoch| Some((epoch.epoch as f64, value(epoch.validation?)));
        epochs.iter().filter_map(point).collect()
    }
}

/// The learning rate of the steps of the epochs that are complete.
fn learning_rate(record: &RunRecord) -> Chart {
    let fit = &record.config.fit;
    let steps_per_epoch = record.config.train_images.div_ceil(fit.batch_size.max(1)).max(1);
    let steps = steps_per_epoch * record.epochs.len();
    let points = (0..RATES.min(steps)).map(|point| {
        let step = 1 + point * (steps - 1) / (RATES.min(steps) - 1).max(1);
        (step as f64 / steps_per_epoch as f64, fit.learning_rate(step, steps_per_epoch))
    });
    let (name, points) = ("learning rate".into(), points.collect());
    Chart {
        title: "learning rate",
        unit: Unit::Number,
        series: vec![Series { name, colour: 2, is_dashed: false, points }],
    }
}
