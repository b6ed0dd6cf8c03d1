//! What people look at: the report of a run as JSON and as text, and the folder that keeps it.

mod confusion_heat;
mod contact_sheet;
mod drawing;
mod error;
mod heat_colours;
#[cfg(feature = "html")]
mod html;
mod memory;
mod misclassified;
mod output;
mod overview;
mod palette;
mod probabilities;
mod run;
mod shades;
mod submission;
mod summary;
mod teams;
mod tensorboard;
mod text;
mod until_accuracy;

pub use contact_sheet::write_contact_sheet;
pub use error::Error;
#[cfg(feature = "html")]
pub use html::{
    RunPictures, comparison_page, curves, roofline_page, run_page, sweep_page, write_page,
};
pub use misclassified::{Misclassified, misclassified, write_misclassified};
pub use output::{check_output, check_output_folder, check_writable};
pub use overview::Overview;
pub use palette::Palette;
pub use probabilities::{ProbabilityTable, write_probabilities};
pub use run::{
    FollowedRun, MODEL_FILE, PAGE_FILE, RecordedRun, RunConfig, RunEnd, RunRecord, RunStatus,
    SavedRun, StartedRun, TrainedRun, run_folders,
};
pub use shades::shades;
pub use submission::{submission, write_submission};
pub use summary::{LayerSummary, Summary};
pub use until_accuracy::UntilAccuracy;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::data::ClassNames;
use crate::measure::Machine;
use crate::train::{Averages, ClassReport, ConfusionMatrix, Epoch, Evaluation, TeamUse};
use error::Result;
use memory::peak_memory_bytes;

/// A completed run: what was trained on what, how fast, and how well it does. As JSON it is
/// `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The name of the data set.
    pub dataset: String,
    /// The network's layers, in a line.
    pub model: String,
    /// How many parameters it has: the numbers that were learnt.
    pub parameters: usize,
    /// The number of threads that there were to train it; how many did, `teams` says.
    pub threads: usize,
    /// The ranks that they are threads of, where these are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranks: Option<usize>,
    /// With how many of them each epoch was trained, or a part of it; without those epochs that the run
    /// had before it was gone on with, and empty in reports of versions that did not say.
    #[serde(default)]
    pub teams: Vec<TeamUse>,
    /// The instruction set of the kernels.
    pub isa: String,
    /// The machine; `None` in reports of versions that did not say.
    #[serde(default)]
    pub machine: Option<Machine>,
    /// How long the training took, in seconds, without the time in which the run was recorded and
    /// shown after each epoch.
    pub train_seconds: f64,
    /// How long all took, in seconds: loading, training, evaluation and what lies between.
    pub total_seconds: f64,
    /// Training samples per second of `train_seconds`, over all epochs.
    pub samples_per_second: f64,
    /// The same relative to the peak rate of fused multiply-adds of as many threads, as measured after
    /// the training: from 0 to 1, more where zeros were left out; `None` in reports of versions that
    /// did not measure it, and of several ranks.
    #[serde(default)]
    pub of_peak: Option<f64>,
    /// The most memory that the process ever had resident, in bytes; `None` where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
    /// The epochs, in order.
    pub history: Vec<Epoch>,
    /// What became of a run until some accuracy; `None` for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_accuracy: Option<UntilAccuracy>,
    /// How the trained network does on the test images.
    pub test: TestReport,
}

/// How a network does on the test images of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TestReport {
    /// The mean cross-entropy over the test images, in nats.
    pub loss: f64,
    /// The share of test images that were classified correctly, from 0 to 1.
    pub accuracy: f64,
    /// What the classes are called, in order; empty in reports of versions that knew no names.
    #[serde(default)]
    pub class_names: Vec<String>,
    /// How many images of each true class (row) were predicted to be of each class (column).
    pub confusion_matrix: ConfusionMatrix,
    /// Precision, recall and F1, each from 0 to 1, and support, a class after the other.
    pub per_class: Vec<ClassReport>,
    /// The means of those; zeros in reports of versions that had none.
    #[serde(flatten)]
    pub averages: Averages,
    /// Which test images were misclassified, counted from 0, ascending; `None` in reports of versions
    /// that did not say.
    #[serde(default)]
    pub misclassified: Option<Vec<usize>>,
}

impl TestReport {
    /// The report of an evaluation, with what the classes are called.
    ///
    /// # Errors
    /// When the loss is not a finite number, which JSON could not say and nobody could use.
    pub fn new(evaluation: Evaluation, class_names: &ClassNames) -> Result<Self> {
        if !evaluation.loss.is_finite() {
            return Err(Error::TestLoss(evaluation.loss));
        }
        Ok(Self {
            loss: evaluation.loss,
            accuracy: evaluation.accuracy(),
            class_names: (0..evaluation.confusion.rows().len())
                .map(|class| class_names.name(class).into_owned())
                .collect(),
            per_class: evaluation.confusion.per_class(),
            averages: evaluation.confusion.averages(),
            confusion_matrix: evaluation.confusion,
            misclassified: Some(evaluation.misclassified),
        })
    }

    /// What `class` is called.
    fn class_name(&self, class: usize) -> Cow<'_, str> {
        match self.class_names.get(class) {
            Some(name) => name.into(),
            None => class.to_string().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_json_cannot_say_is_refused() {
        let confusion = || ConfusionMatrix::new(2);
        let evaluation = |loss| Evaluation { loss, confusion: confusion(), misclassified: vec![] };
        let report = |loss| TestReport::new(evaluation(loss), &ClassNames::numbered(2));
        assert!(report(0.5).is_ok());
        for loss in [f64::NAN, f64::INFINITY] {
            let text = report(loss).unwrap_err().to_string();
            assert!(text.starts_with(&format!("the test loss is {loss}: ")), "{text}");
        }
    }
}
