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
    /// The rung at which it was stopped, in favour of better ones, in a sweep by successive halving.
    pub stopped_at_rung: Option<usize>,
}

/// What a training came to: the same wherever and whenever it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// A network.
    Trained(Trained),
    /// None: the loss was no number any more.
    Failed(String),
}

/// How a network was trained, and how it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trained {
    /// How many epochs were trained.
    pub epochs: usize,
    /// The mean loss of the last epoch.
    pub loss: f64,
    /// The training accuracy of the last epoch.
    pub accuracy: f64,
    /// How the network does on the images that were set aside, after the last epoch.
    pub validation: Option<Validation>,
    /// The mean loss on the test images.
    pub test_loss: f64,
    /// The accuracy on the test images.
    pub test_accuracy: f64,
    /// How the network does on the fold that was held out, in a sweep with folds.
    pub fold: Option<Validation>,
    /// The SHA-256 of `model.safetensors` of such a run.
    pub model: String,
}

/// What a network comes to: its columns.
const MEASURES: [&str; 7] = [
    "epochs_trained",
    "loss",
    "accuracy",
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
];

/// Those of a network by the fold that was held out.
const FOLD_MEASURES: [&str; 2] = ["fold_loss", "fold_accuracy"];

impl Outcome {
    /// The network, if there is one.
    #[must_use]
    pub fn trained(&self) -> Option<&Trained> {
        match self {
            Self::Trained(trained) => Some(trained),
            Self::Failed(_) => None,
        }
    }

    /// By what it is judged: the accuracy on the fold that was held out, where there are folds; the
    /// validation accuracy where there is one; else that on the test images.
    #[must_use]
    pub fn judged(&self) -> Option<f64> {
        let trained = self.trained()?;
        let apart = trained.fold.or(trained.validation);
        Some(apart.map_or(trained.test_accuracy, |found| found.accuracy))
    }
}

/// The names of the columns of the results of `plan`.
pub(super) fn header(plan: &Plan) -> Vec<String> {
    let mut names = vec!["run", "configuration", "seed"];
    names.extend(plan.folds.map(|_| "fold"));
    names.extend(plan.settings.iter().map(|(name, _)| name.as_str()));
    names.extend(MEASURES);
    names.extend(plan.folds.iter().flat_map(|_| FOLD_MEASURES));
    names.extend(["seconds", "model_sha256", "error"]);
    names.extend(plan.halving.map(|_| "stopped_at_rung"));
    names.into_iter().map(str::to_owned).collect()
}

/// The row of `run`, one of `plan`.
pub(super) fn row(plan: &Plan, run: &PlannedRun, result: &ResultRow) -> Vec<String> {
    let mut fields = of_run(run);
    let (mut model, mut error) = (String::new(), String::new());
    let (mut measures, mut of_fold): ([String; MEASURES.len()], [String; FOLD_MEASURES.len()]) =
        Default::default();
    let both = |found: Option<Validation>| match found {
        Some(Validation { loss, accuracy }) => [loss.to_string(), accuracy.to_string()],
        None => Default::default(),
    };
    match &result.outcome {
        Outcome::Trained(trained) => {
            let [validation_loss, validation_accuracy] = both(trained.validation);
            measures = [
                trained.epochs.to_string(),
                trained.loss.to_string(),
                trained.accuracy.to_string(),
                validation_loss,
                validation_accuracy,
                trained.test_loss.to_string(),
                trained.test_accuracy.to_string(),
            ];
            of_fold = both(trained.fold);
            model.clone_from(&trained.model);
        }
        Outcome::Failed(why) => error.clone_from(why),
    }
    fields.extend(measures);
    fields.extend(run.fold.into_iter().flat_map(|_| of_fold.clone()));
    fields.extend([result.seconds.to_string(), model, error]);
    let stopped = result.stopped_at_rung.map_or_else(String::new, |rung| rung.to_string());
    fields.extend(plan.halving.map(|_| stopped));
    fields
}

/// What a row has of `run` itself.
fn of_run(run: &PlannedRun) -> Vec<String> {
    let mut fields =
        vec![run.number.to_string(), run.configuration.number.to_string(), run.seed.to_string()];
    fields.extend(run.fold.map(|fold| fold.to_string()));
    fields.extend(run.configuration.settings.iter().map(|setting| setting.value.clone()));
    fields
}

/// The result that `fields` has, which must be one of `runs`, those of `plan`.
pub(super) fn read_row<'a>(
    fields: impl Iterator<Item = &'a str> + Clone,
    plan: &Plan,
    runs: &[PlannedRun],
) -> Result<ResultRow, String> {
    let number = fields.clone().next().and_then(|number| number.parse::<usize>().ok());
    let run = number.and_then(|number| runs.get(number.checked_sub(1)?));
    let Some(run) = run else { return Err("the plan has no such run".into()) };
    let result = Reader { plan, run, fields: fields.clone().skip(of_run(run).len()) }.result()?;
    // What stands before the measures must be the plan's, and numbers as we write them.
    match row(plan, run, &result).iter().map(String::as_str).eq(fields) {
        true => Ok(result),
        false => Err(format!("run {}: its row is wrong", run.number)),
    }
}

/// Reads the fields after those of the run itself, one after the other.
struct Reader<'r, Fields> {
    plan: &'r Plan,
    run: &'r PlannedRun,
    fields: Fields,
}

impl<'a, Fields: Iterator<Item = &'a str>> Reader<'_, Fields> {
    fn result(&mut self) -> Result<ResultRow, String> {
        let epochs = self.next()?;
        let [loss, accuracy] = [self.next()?, self.next()?];
        let validation = [self.next()?, self.next()?];
        let [test_loss, test_accuracy] = [self.next()?, self.next()?];
        let fold = match self.run.fold {
            Some(_) => [self.next()?, self.next()?],
            None => [""; 2],
        };
        let [seconds, model, error] = [self.next()?, self.next()?, self.next()?];
        let stopped = if self.plan.halving.is_some() { self.next()? } else { "" };
        let stopped_at_rung = match stopped {
            "" => None,
            rung => Some(rung.parse().map_err(|_| self.wrong("rung"))?),
        };
        let outcome = match error {
            "" => Outcome::Trained(Trained {
                epochs: epochs.parse().map_err(|_| self.wrong("number of epochs"))?,
                loss: self.float(loss, "loss")?,
                accuracy: self.float(accuracy, "accuracy")?,
                validation: self.both(validation, "validation")?,
                test_loss: self.float(test_loss, "test loss")?,
                test_accuracy: self.float(test_accuracy, "test accuracy")?,
                fold: self.both(fold, "fold")?,
                model: model.to_owned(),
            }),
            why => Outcome::Failed(why.to_owned()),
        };
        let seconds = self.float(seconds, "time")?;
        Ok(ResultRow { run: self.run.number, outcome, seconds, stopped_at_rung })
    }

    fn next(&mut self) -> Result<&'a str, String> {
        self.fields.next().ok_or_else(|| "it has another number of columns".into())
    }

    fn both(&self, [loss, accuracy]: [&str; 2], name: &str) -> Result<Option<Validation>, String> {
        match (loss, accuracy) {
            ("", "") => Ok(None),
            _ => Ok(Some(Validation {
                loss: self.float(loss, name)?,
                accuracy: self.float(accuracy, name)?,
            })),
        }
    }

    fn float(&self, text: &str, name: &str) -> Result<f64, String> {
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.wrong(name))
    }

    fn wrong(&self, name: &str) -> String {
        format!("run {}: its {name} is wrong", self.run.number)
    }
}
