//! One run of a sweep, on one engine.

use std::path::Path;
use std::time::Instant;

use super::configuration::PlannedRun;
use super::error::{Error, Result};
use super::results::{Outcome, ResultRow};
use crate::data::{Dataset, Split, sha256};
use crate::exec::engine::Engine;
use crate::model::{Error as ModelError, Network};
use crate::train::{Error as TrainError, FitOptions, NoObserver, State};

/// What a run of a sweep trains.
#[derive(Clone, Debug)]
pub struct Job {
    /// The network with its first weights.
    pub network: Network,
    /// How it is trained.
    pub options: FitOptions,
    /// On how many of the training images, the first ones; on all where it is `None`.
    pub train_limit: Option<usize>,
}

/// A run that is done.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) result: ResultRow,
    /// What `model.safetensors` of such a run holds; none where there is no network.
    pub(super) model: Option<Vec<u8>>,
}

impl Job {
    /// Checks that it can be trained on `dataset`.
    pub(super) fn check(&self, engine: &Engine, dataset: &Dataset, run: &PlannedRun) -> Result<()> {
        let train = self.images(dataset)?;
        let checked = engine.check_fit(&self.network, &train, &self.options);
        checked.map_err(|error| failed(run, error))
    }

    fn images(&self, dataset: &Dataset) -> Result<Split> {
        let train = &dataset.train;
        Ok(self.train_limit.map_or(Ok(train.clone()), |limit| train.take(limit))?)
    }

    /// Trains and tests the network; `None` where the engine was asked to stop.
    pub(super) fn run(
        self,
        engine: &Engine,
        dataset: &Dataset,
        run: &PlannedRun,
    ) -> Result<Option<Done>> {
        let start = Instant::now();
        let (outcome, model) = match self.train(engine, dataset, run) {
            Ok(Some(trained)) => trained,
            Ok(None) => return Ok(None),
            Err(Error::Train { source, .. }) if matches!(*source, TrainError::Stopped) => {
                return Ok(None);
            }
            // A learning rate that is too high is a result as any other.
            Err(Error::Train { source, .. }) if matches!(*source, TrainError::NotFinite { .. }) => {
                (Outcome::Failed(source.to_string()), None)
            }
            Err(error) => return Err(error),
        };
        let seconds = start.elapsed().as_secs_f64();
        Ok(Some(Done { result: ResultRow { run: run.number, outcome, seconds }, model }))
    }

    /// What the training comes to, and the bytes of its network, if it comes to one.
    fn train(
        self,
        engine: &Engine,
        dataset: &Dataset,
        run: &PlannedRun,
    ) -> Result<Option<(Outcome, Option<Vec<u8>>)>> {
        let refused = |error| failed(run, error);
        let train = self.images(dataset)?;
        let network = self.network.taking_class_names(&dataset.class_names);
        let mut state = State::new(network.map_err(ModelError::from)?, self.options);
        let history = match self.options.is_judged_by_others() {
            true => engine.fit_validated(&mut state, &train, &dataset.test, &mut NoObserver),
            false => engine.fit_from(&mut state, &train, &mut NoObserver),
        };
        let stopped = history.map_err(refused)?.stopped;
        let Some(last) = state.epochs().last().filter(|_| !stopped) else { return Ok(None) };
        let network = state.result();
        let test = engine.evaluate(network, &dataset.test).map_err(refused)?;
        if !test.loss.is_finite() {
            let why = format!("the test loss is {}: lower the learning rate", test.loss);
            return Ok(Some((Outcome::Failed(why), None)));
        }
        let model = network.to_bytes(Path::new("a network"))?;
        let outcome = Outcome::Trained {
            epochs: state.epochs().len(),
            loss: last.loss,
            accuracy: last.accuracy,
            validation: last.validation,
            test_loss: test.loss,
            test_accuracy: test.accuracy(),
            model: sha256(&model),
        };
        Ok(Some((outcome, Some(model))))
    }
}

fn failed(run: &PlannedRun, error: TrainError) -> Error {
    Error::Train { run: run.to_string(), source: error.into() }
}
