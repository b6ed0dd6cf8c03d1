//! `results.csv`: a row a run.

use serde::{Deserialize, Serialize};

use super::configuration::PlannedRun;
use super::plan::Plan;
use crate::train::Validation;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// The number of the run, from 1.
    pub run: usize,
    /// What its training came to.
    pub outcome: Outcome,
    /// How long it took, with its test.
    pub seconds: f64,
}

/// What a training came to: the same wherever and whenever it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// A network.
    #[non_exhaustive]
    Trained {
        /// How many epochs were trained.
        epochs: usize,
        /// The mean loss of the last epoch.
        loss: f64,
        /// The training accuracy of the last epoch.
        accuracy: f64,
        /// How the network does on the images that were held out, after the last epoch.
        validation: Option<Validation>,
        /// The mean loss on the test images.
        test_loss: f64,
        /// The accuracy on the test images.
        test_accuracy: f64,
        /// The SHA-256 of `model.safetensors` of such a run.
        model: String,
    },
    /// None: the loss was no number any more.
    Failed(String),
}

/// The columns after the settings.
const MEASURES: [&str; 10] = [
    "epochs_trained",
    "loss",
    "accuracy",
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
    "seconds",
    "model_sha256",
    "error",
];

impl Outcome {
    /// By what it is judged: the validation accuracy where there is one, else that on the test images.
    #[must_use]
    pub fn judged(&self) -> Option<f64> {
        match self {
            Self::Trained { validation: Some(validation), .. } => Some(validation.accuracy),
            Self::Trained { test_accuracy, .. } => Some(*test_accuracy),
            Self::Failed(_) => None,
        }
    }
}

/// The names of the columns of the results of `plan`.
pub(super) fn header(plan: &Plan) -> Vec<String> {
    let first = ["run", "configuration", "seed"].map(str::to_owned);
    let settings = plan.settings.iter().map(|(name, _)| name.clone());
    first.into_iter().chain(settings).chain(MEASURES.map(str::to_owned)).collect()
}

/// The row of `run`.
pub(super) fn row(run: &PlannedRun, result: &ResultRow) -> Vec<String> {
    let of_run =
        [run.number.to_string(), run.configuration.number.to_string(), run.seed.to_string()];
    let settings = run.configuration.settings.iter().map(|setting| setting.value.clone());
    let seconds = result.seconds.to_string();
    let none = String::new;
    let measures = match &result.outcome {
        Outcome::Trained {
            epochs,
            loss,
            accuracy,
            validation,
            test_loss,
            test_accuracy,
            model,
        } => {
            let of_validation = |number: fn(&Validation) -> f64| {
                validation.as_ref().map_or_else(none, |validation| number(validation).to_string())
            };
            [
                epochs.to_string(),
                loss.to_string(),
                accuracy.to_string(),
                of_validation(|validation| validation.loss),
                of_validation(|validation| validation.accuracy),
                test_loss.to_string(),
                test_accuracy.to_string(),
                seconds,
                model.clone(),
                none(),
            ]
        }
        Outcome::Failed(why) => {
            let mut measures: [String; MEASURES.len()] = Default::default();
            (measures[7], measures[9]) = (seconds, why.clone());
            measures
        }
    };
    of_run.into_iter().chain(settings).chain(measures).collect()
}

/// The result that `fields` has, which must be one of a run of `runs`.
pub(super) fn read_row(
    fields: &csv::StringRecord,
    runs: &[PlannedRun],
) -> Result<ResultRow, String> {
    let number = fields.get(0).and_then(|number| number.parse::<usize>().ok());
    let run = number.and_then(|number| runs.get(number.checked_sub(1)?));
    let Some(run) = run else { return Err("the plan has no such run".into()) };
    let split = 3 + run.configuration.settings.len();
    let measures: Vec<_> = fields.iter().skip(split).collect();
    let [
        epochs,
        loss,
        accuracy,
        val_loss,
        val_accuracy,
        test_loss,
        test_accuracy,
        seconds,
        model,
        error,
    ] = measures[..]
    else {
        return Err("it has another number of columns".into());
    };
    let wrong = |name: &str| format!("run {}: its {name} is wrong", run.number);
    let float = |text: &str, name| {
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| wrong(name))
    };
    let seconds = float(seconds, "time")?;
    let outcome = match error {
        "" => Outcome::Trained {
            epochs: epochs.parse().map_err(|_| wrong("number of epochs"))?,
            loss: float(loss, "loss")?,
            accuracy: float(accuracy, "accuracy")?,
            validation: match (val_loss, val_accuracy) {
                ("", "") => None,
                (loss, accuracy) => Some(Validation {
                    loss: float(loss, "validation loss")?,
                    accuracy: float(accuracy, "validation accuracy")?,
                }),
            },
            test_loss: float(test_loss, "test loss")?,
            test_accuracy: float(test_accuracy, "test accuracy")?,
            model: model.to_owned(),
        },
        why => Outcome::Failed(why.to_owned()),
    };
    let result = ResultRow { run: run.number, outcome, seconds };
    // What stands before the measures must be the plan's, and numbers as we write them.
    match row(run, &result).iter().map(String::as_str).eq(fields.iter()) {
        true => Ok(result),
        false => Err(wrong("row")),
    }
}
