//! One task of a sweep, on one engine.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use super::configuration::PlannedRun;
use super::error::{Error, Result};
use super::job::{Job, MakeJob};
use super::results::{Outcome, ResultRow};
use super::tasks::{Done, Task};
use crate::data::{Dataset, Split, sha256};
use crate::exec::engine::Engine;
use crate::model::{Error as ModelError, Network};
use crate::train::{Epoch, Error as TrainError, FitOptions, Observer, ObserverError, State};

/// What carries out tasks: all that is needed for it but an engine. It knows no folder.
#[derive(Debug)]
pub(super) struct Trainer<'a> {
    pub(super) dataset: &'a Dataset,
    /// All runs of the plan.
    pub(super) runs: Vec<PlannedRun>,
}

/// What a network comes to that was trained, and the bytes of its file.
struct Tested {
    outcome: Outcome,
    model: Option<Vec<u8>>,
}

/// Ends a training with an epoch.
struct Until(usize);

impl Observer for Until {
    fn on_epoch_end(
        &mut self,
        epoch: &Epoch,
        _: &Network,
    ) -> Result<ControlFlow<()>, ObserverError> {
        let is_last = epoch.epoch >= self.0;
        Ok(if is_last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

impl Trainer<'_> {
    /// Checks that `run` can be trained; by which options.
    pub(super) fn check(
        &self,
        engine: &Engine,
        make: &MakeJob<'_>,
        run: &PlannedRun,
    ) -> Result<FitOptions> {
        let job = job(make, run)?;
        let train = self.images(&job)?;
        let checked = engine.check_fit(&job.network, &train, &job.options);
        checked.map_err(|error| failed(run, error))?;
        Ok(job.options)
    }

    fn images(&self, job: &Job) -> Result<Split> {
        let train = &self.dataset.train;
        Ok(job.train_limit.map_or(Ok(train.clone()), |limit| train.take(limit))?)
    }

    /// Carries out `task`; `None` where the engine was asked to stop.
    ///
    /// # Errors
    /// When the task is none of this sweep, or its run cannot be trained or tested.
    pub(super) fn carry_out(
        &self,
        engine: &Engine,
        make: &MakeJob<'_>,
        task: &Task,
    ) -> Result<Option<Done>> {
        let start = Instant::now();
        let run = task.run.checked_sub(1).and_then(|place| self.runs.get(place));
        let run = run.ok_or(Error::NoSuchRun(task.run))?;
        let job = job(make, run)?;
        let train = self.images(&job)?;
        let mut state = self.state(task, job)?;
        let before = state.seconds();
        let until = task.until.unwrap_or(state.options().epochs);
        let trained = self.train(engine, &mut state, &train, until);
        let trained = trained.map_err(|error| failed(run, error));
        let Tested { outcome, model } = match trained.and_then(|()| self.test(engine, run, &state))
        {
            Ok(tested) => tested,
            Err(Error::Train { source, .. }) if matches!(*source, TrainError::Stopped) => {
                return Ok(None);
            }
            // A learning rate that is too high is a result as any other.
            Err(Error::Train { source, .. }) if matches!(*source, TrainError::NotFinite { .. }) => {
                Tested::failed(source.to_string())
            }
            Err(error) => return Err(error),
        };
        // One whose loss is no number any more stands before that epoch.
        let goes_on = state.epochs().len() == until && !state.is_complete();
        let state = goes_on.then(|| state.to_bytes(Path::new("a state"))).transpose()?;
        let seconds = before + start.elapsed().as_secs_f64();
        let result = ResultRow { run: run.number, outcome, seconds };
        Ok(Some(Done { result, model, state }))
    }

    /// Where `task` begins.
    fn state(&self, task: &Task, job: Job) -> Result<State> {
        let Some(bytes) = &task.state else {
            let network = job.network.taking_class_names(&self.dataset.class_names);
            return Ok(State::new(network.map_err(ModelError::from)?, job.options));
        };
        let state = State::from_bytes(Path::new("a state"), bytes)?;
        match *state.options() == job.options {
            true => Ok(state),
            false => Err(Error::OtherState(task.run)),
        }
    }

    /// Trains until epoch `until` is complete, or the run is.
    fn train(
        &self,
        engine: &Engine,
        state: &mut State,
        train: &Split,
        until: usize,
    ) -> Result<(), TrainError> {
        let is_there = |state: &State| state.epochs().len() >= until || state.is_complete();
        if !is_there(state) {
            let (mut end, test) = (Until(until), &self.dataset.test);
            match state.options().is_judged_by_others() {
                true => engine.fit_validated(state, train, test, &mut end)?,
                false => engine.fit_from(state, train, &mut end)?,
            };
        }
        if is_there(state) { Ok(()) } else { Err(TrainError::Stopped) }
    }

    /// What the network comes to that `state` has.
    fn test(&self, engine: &Engine, run: &PlannedRun, state: &State) -> Result<Tested> {
        let network = state.result();
        let tested = engine.evaluate(network, &self.dataset.test);
        let test = tested.map_err(|error| failed(run, error))?;
        if !test.loss.is_finite() {
            let why = format!("the test loss is {}: lower the learning rate", test.loss);
            return Ok(Tested::failed(why));
        }
        let Some(last) = state.epochs().last() else {
            return Err(failed(run, TrainError::Stopped));
        };
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
        Ok(Tested { outcome, model: Some(model) })
    }
}

impl Tested {
    /// No network, and why.
    fn failed(why: String) -> Self {
        Self { outcome: Outcome::Failed(why), model: None }
    }
}

fn job(make: &MakeJob<'_>, run: &PlannedRun) -> Result<Job> {
    make(run).map_err(|source| Error::Settings { run: run.to_string(), source })
}

fn failed(run: &PlannedRun, error: TrainError) -> Error {
    Error::Train { run: run.to_string(), source: error.into() }
}
