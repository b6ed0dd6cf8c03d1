//! `mnistry evaluate`: tests a trained network.

use std::path::PathBuf;

use clap::Args;
use mnistry::report::TestReport;
use serde::Serialize;

use super::common::{Common, load, names};
use super::{CommandError, Outcome, output};

/// Test a trained network on the test images of a data set
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Evaluate {
    /// A model file, or a run folder that holds one
    model: PathBuf,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  mnistry evaluate runs/1 --data mnist.npz
  mnistry evaluate model.safetensors --data mnist.npz --json | jq .test.accuracy";

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
        let engine = self.common.engine()?;
        let network = load(&self.model)?;
        let data = self.common.dataset_for(&network)?;
        let evaluation = engine.evaluate(&network, &data.test)?;
        let test = TestReport::new(evaluation, &names(&network, &data, &self.common.output))?;
        let evaluated = Evaluated {
            dataset: data.name,
            model: network.architecture().to_string(),
            parameters: network.parameter_count(),
            test,
        };
        self.common.output.print(&evaluated, || evaluated.test.text(&output::palette()))
    }
}
