//! One run of a sweep, on one engine.

use std::path::Path;
use std::time::Instant;

use super::configuration::PlannedRun;
use super::error::{Error, Result};
use super::results::{Outcome, ResultRow};
use crate::data::{Dataset, sha256};
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

    fn images(&self, dataset: &Dataset) -> Result<crate::data::Split> {
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
        let trained = self.train(engine, dataset);
        let done = |outcome, model| {
            let seconds = start.elapsed().as_secs_f64();
            Ok(Some(Done { result: ResultRow { run: run.number, outcome, seconds }, model }))
        };
        match trained {
            Ok(Some((outcome, model))) => done(outcome, Some(model)),
            Ok(None) | Err(Failure::Train(TrainError::Stopped)) => Ok(None),
            // A learning rate that is too high is a result as any other.
            Err(Failure::Train(error @ TrainError::NotFinite { .. })) => {
                done(Outcome::Failed(error.to_string()), None)
            }
            Err(Failure::TestLoss(loss)) => {
                let why = format!("the test loss is {loss}: lower the learning rate");
                done(Outcome::Failed(why), None)
            }
            Err(Failure::Train(error)) => Err(failed(run, error)),
            Err(Failure::Other(error)) => Err(error),
        }
    }

    fn train(
        self,
        engine: &Engine,
        dataset: &Dataset,
    ) -> Result<Option<(Outcome, Vec<u8>)>, Failure> {
        let train = self.images(dataset)?;
        let network = self.network.taking_class_names(&dataset.class_names);
        let network = network.map_err(|error| Failure::Other(ModelError::from(error).into()))?;
        let mut state = State::new(network, self.options);
        let history = match self.options.is_judged_by_others() {
            true => engine.fit_validated(&mut state, &train, &dataset.test, &mut NoObserver)?,
            false => engine.fit_from(&mut state, &train, &mut NoObserver)?,
        };
        if history.stopped {
            return Ok(None);
        }
        let network = state.result();
        let test = engine.evaluate(network, &dataset.test)?;
        if !test.loss.is_finite() {
            return Err(Failure::TestLoss(test.loss));
        }
        let model = network.to_bytes(Path::new("a network")).map_err(Error::from)?;
        let last = state.epochs().last();
        let outcome = Outcome::Trained {
            epochs: state.epochs().len(),
            loss: last.map_or(f64::NAN, |epoch| epoch.loss),
            accuracy: last.map_or(f64::NAN, |epoch| epoch.accuracy),
            validation: last.and_then(|epoch| epoch.validation),
            test_loss: test.loss,
            test_accuracy: test.accuracy(),
            model: sha256(&model),
        };
        Ok(Some((outcome, model)))
    }
}

fn failed(run: &PlannedRun, error: TrainError) -> Error {
    Error::Train { run: run.to_string(), source: error.into() }
}

/// Why there is no network.
enum Failure {
    Train(TrainError),
    TestLoss(f64),
    Other(Error),
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        Self::Train(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}
