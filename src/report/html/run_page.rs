//! The page of one run.

use askama::Template;

use super::curves::{self, Figure};
use super::heat_map::HeatMap;
use super::picture::Picture;
use super::pictures::RunPictures;
use super::rendered;
use super::settings::{Setting, settings};
use super::words;
use crate::report::error::Result;
use crate::report::{Misclassified, Report, RunRecord, Summary, TestReport};
use crate::train::{ClassReport, Confusion};

/// So many of the most frequent confusions are put into words.
const CONFUSIONS: usize = 12;

/// What the template is filled with.
#[derive(Template)]
#[template(path = "run.html")]
struct Page<'a> {
    record: &'a RunRecord,
    folder: String,
    figures: Vec<Figure>,
    tested: Option<Tested<'a>>,
    pictures: Option<&'a RunPictures>,
    summary: Summary,
    settings: Vec<Setting>,
}

impl Page<'_> {
    /// The misclassified images, if they are known and at hand.
    fn misclassified(&self) -> Option<&[(Misclassified, Picture)]> {
        let images = &self.pictures?.misclassified;
        if images.is_empty() { None } else { Some(images) }
    }
}

/// What is said of a network that was tested.
struct Tested<'a> {
    report: &'a Report,
    test: &'a TestReport,
    heat_map: HeatMap,
    confusions: Vec<Confusion>,
    misclassified: u64,
}

/// The page of the run in `record`: one file, which needs no other, no network and no script.
///
/// # Errors
/// When a chart or a picture cannot be made.
pub fn run_page(record: &RunRecord, pictures: Option<&RunPictures>) -> Result<String> {
    rendered(&Page {
        record,
        folder: record.folder.display().to_string(),
        figures: curves::of_run(record)?,
        tested: record.report.as_ref().map(Tested::new).transpose()?,
        pictures,
        summary: Summary::new(&record.config.architecture),
        settings: settings(&record.config)?,
    })
}

impl<'a> Tested<'a> {
    fn new(report: &'a Report) -> Result<Self> {
        let test = &report.test;
        let mut confusions = test.confusion_matrix.confusions();
        confusions.truncate(CONFUSIONS);
        let misclassified = test.confusion_matrix.total() - test.confusion_matrix.correct();
        Ok(Self { report, test, heat_map: HeatMap::new(test)?, confusions, misclassified })
    }

    /// What `class` is called.
    fn class(&self, class: &usize) -> String {
        self.test.class_name(*class).into_owned()
    }

    /// The rows of the table of classes: a name, precision, recall and F1, support.
    fn classes(&self) -> Vec<(String, ClassReport)> {
        let averages = &self.test.averages;
        let classes = self.test.per_class.iter().enumerate();
        let classes = classes.map(|(class, report)| (self.class(&class), *report));
        let averages = [
            ("macro average", averages.macro_average),
            ("weighted average", averages.weighted_average),
        ];
        classes.chain(averages.map(|(name, report)| (name.into(), report))).collect()
    }
}
