//! `mnistry evaluate`: tests a trained network.

use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};
use mnistry::report::{
    TestReport, check_output, check_output_folder, misclassified, write_misclassified,
    write_probabilities,
};
use mnistry::train::Error as TrainError;
use mnistry::{Dataset, Engine, Network, Prediction, Split};
use serde::Serialize;

use super::common::{Common, data_of_run, load, load_ensemble, model_file, names, output_file};
use super::{CommandError, Outcome, output};

/// Test a trained network on the test images of a data set
#[derive(Args)]
#[command(after_help = EXAMPLES, mut_arg("data", data_of_run))]
pub(super) struct Evaluate {
    /// A model file, or a run folder that holds one; several with --ensemble
    #[arg(value_name = "MODEL", required_unless_present = "ensemble")]
    models: Vec<PathBuf>,

    /// Ask all the networks together, the one that is named here too: the answer is the mean of their
    /// probabilities. May be given many times
    #[arg(long, value_name = "MODEL", num_args = 0..=1, action = ArgAction::Append, conflicts_with = "misclassified")]
    ensemble: Option<Vec<PathBuf>>,

    /// Write what is predicted of each test image to this CSV file: index,label,predicted,p0,p1 and so
    /// on, the probabilities of all classes in the order of the confusion matrix
    #[arg(long, value_name = "FILE", value_parser = output_file)]
    predictions: Option<PathBuf>,

    /// Write the test images that are misclassified into this new or empty folder, as PNG files whose
    /// names say the index, the label and what was read: 00042_label5_read3.png
    #[arg(long, value_name = "DIR")]
    misclassified: Option<PathBuf>,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  mnistry evaluate runs/1 --data mnist.npz
  mnistry evaluate model.safetensors --data mnist.npz --json | jq .test.accuracy
  mnistry evaluate runs/1 --predictions predictions.csv --misclassified errors
  mnistry evaluate runs/1 runs/2 runs/3 --ensemble
  mnistry evaluate runs/1 --ensemble runs/2 --ensemble runs/3";

/// The JSON of an evaluation: the fields of a run's report that it has.
#[derive(Serialize)]
struct Evaluated {
    dataset: String,
    model: String,
    parameters: usize,
    test: TestReport,
}

impl Evaluate {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        let together = self.ensemble.iter().flatten();
        let models: Vec<&Path> = self.models.iter().chain(together).map(PathBuf::as_path).collect();
        if let Some(path) = &self.predictions {
            check_output(path, models.iter().map(|model| model_file(model)))?;
            Dataset::check_output(self.common.data.as_deref(), path)?;
        }
        if let Some(folder) = &self.misclassified {
            check_output_folder(folder)?;
        }
        let engine = self.common.engine()?;
        if self.ensemble.is_some() {
            return self.ensemble(&engine, &models);
        }
        let [model] = models[..] else { return Err(CommandError::ManyModels) };
        let network = load(model)?;
        let data = engine.install(|| self.common.dataset_for(model, network.class_names()))?;
        let names = names(&network, &data, &self.common.output);
        let evaluation = engine.evaluate(&network, &data.test)?;
        let test = TestReport::new(evaluation, &names)?;
        // First: it takes an empty folder, in which the predictions may be to lie.
        if let (Some(folder), Some(indices)) = (&self.misclassified, &test.misclassified) {
            let images = misclassified(&engine, &network, &data.test, indices)?;
            write_misclassified(folder, &data.test, &images, &names)?;
        }
        if let Some(path) = &self.predictions {
            let predictions =
                predictions(&data.test, |images| engine.predict_batch(&network, images))?;
            write_probabilities(path, &data.test, &predictions, &names)?;
        }
        let evaluated = Evaluated {
            dataset: data.name,
            model: network.architecture().to_string(),
            parameters: network.parameter_count(),
            test,
        };
        self.common.output.print(&evaluated, || evaluated.test.text(&output::palette()))
    }

    /// Tests the networks at `models` together.
    fn ensemble(&self, engine: &Engine, models: &[&Path]) -> Result<Outcome, CommandError> {
        let Some(model) = models.first() else { return Err(TrainError::NoNetwork.into()) };
        let ensemble = load_ensemble(models)?;
        let classes = ensemble.first().class_names();
        let data = engine.install(|| self.common.dataset_for(model, classes))?;
        let names = names(ensemble.first(), &data, &self.common.output);
        let test = TestReport::new(engine.evaluate_ensemble(&ensemble, &data.test)?, &names)?;
        if let Some(path) = &self.predictions {
            let predictions =
                predictions(&data.test, |images| engine.predict_ensemble(&ensemble, images))?;
            write_probabilities(path, &data.test, &predictions, &names)?;
        }
        let networks = ensemble.networks().iter();
        let models: Vec<_> = networks.clone().map(|of| of.architecture().to_string()).collect();
        let evaluated = Evaluated {
            dataset: data.name,
            model: format!("{} networks: {}", models.len(), models.join("; ")),
            parameters: networks.map(Network::parameter_count).sum(),
            test,
        };
        self.common.output.print(&evaluated, || evaluated.test.text(&output::palette()))
    }
}

/// What is predicted of all images of `split`, of which so many at a time are copied out of the file
/// that they are mapped from.
fn predictions(
    split: &Split,
    predict: impl Fn(Vec<u8>) -> Result<Vec<Prediction>, TrainError>,
) -> Result<Vec<Prediction>, CommandError> {
    const AT_A_TIME: usize = 4096;
    let mut predictions = Vec::new();
    for images in split.pixels().chunks(AT_A_TIME * split.shape().pixels()) {
        predictions.extend(predict(images.to_vec())?);
    }
    split.check_unchanged().map_err(mnistry::data::Error::from)?;
    Ok(predictions)
}
