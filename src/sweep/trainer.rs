//! One task of a sweep, on one engine.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use super::configuration::PlannedRun;
use super::error::{Error, Result};
use super::job::{Job, MakeJob};
use super::results::{Outcome, ResultRow, Trained};
use super::settings_files::SettingsFiles;
use super::states::StateFiles;
use super::tasks::{Done, Task};
use crate::data::{Dataset, Fold, Folds, Split, sha256};
use crate::exec::engine::Engine;
use crate::interchange::Imported;
use crate::model::{Error as ModelError, Network};
use crate::train::{
    Epoch, Error as TrainError, FitOptions, Observer, ObserverError, State, Validation,
};

/// What carries out tasks: all that is needed for it but an engine. It knows no folder.
#[derive(Debug)]
pub(super) struct Trainer<'a> {
    pub(super) dataset: &'a Dataset,
    /// All runs of the plan.
    pub(super) runs: Vec<PlannedRun>,
    /// The training images, where the plan has folds.
    pub(super) folds: Option<Folds>,
    /// What settings name, as it was when the sweep was checked.
    pub(super) files: SettingsFiles,
}

/// The images of a run.
struct Images {
    train: Split,
    /// The fold that is held out, if there are folds.
    held_out: Option<Split>,
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
    /// Checks that `run` can be trained, and how it is. What there is to say of how its first weights
    /// were read goes to `notes`.
    pub(super) fn check(
        &self,
        engine: &Engine,
        make: &MakeJob<'_>,
        run: &PlannedRun,
        notes: &mut BTreeSet<String>,
    ) -> Result<Job> {
        let job = job(make, run)?;
        let Images { train, .. } = self.images(run, &job)?;
        let names = &self.dataset.class_names;
        // To draw weights takes longer than all else here: they are what they are.
        if let Some(path) = &job.init {
            let said = self.first(&job)?.notes.into_iter();
            notes.extend(said.map(|note| format!("{}: {note}", path.display())));
        }
        let checked = engine.check_fit_of(&job.architecture, names, &train, &job.options);
        checked.map_err(|error| failed(run, error))?;
        Ok(job)
    }

    /// The network that `job` begins with, and how it was read.
    fn first(&self, job: &Job) -> Result<Imported> {
        let Imported { network, notes } = job.network()?;
        let network = network.taking_class_names(&self.dataset.class_names);
        Ok(Imported { network: network.map_err(ModelError::from)?, notes })
    }

    fn images(&self, run: &PlannedRun, job: &Job) -> Result<Images> {
        let all = &self.dataset.train;
        let Some(number) = run.fold else {
            let train = job.train_limit.map_or(Ok(all.clone()), |limit| all.take(limit))?;
            return Ok(Images { train, held_out: None });
        };
        if job.train_limit.is_some() {
            // Of other images there would be other folds.
            return Err(Error::LimitedFolds(run.to_string()));
        }
        let fold = self.folds.as_ref().and_then(|folds| folds.fold(number));
        let Fold { train, held_out } = fold.ok_or(Error::NoSuchRun(run.number))?;
        Ok(Images { train, held_out: Some(held_out) })
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
        let images = self.images(run, &job)?;
        let files: Vec<_> = job.files.iter().chain(&job.init).cloned().collect();
        let mut state = self.state(task, job)?;
        // Once all of them are read.
        self.files.check(&files)?;
        let before = state.seconds();
        let until = task.until.unwrap_or(state.options().epochs);
        let trained = self.train(engine, &mut state, &images.train, until);
        let tested = match trained.map_err(|error| failed(run, error)) {
            Ok(()) => self.test(engine, run, &state, images.held_out.as_ref()),
            Err(error) => Err(error),
        };
        let Tested { outcome, model } = match tested {
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
        let result = ResultRow { run: run.number, outcome, seconds, stopped_at_rung: None };
        Ok(Some(Done { result, model, state }))
    }

    /// Where `task` begins.
    fn state(&self, task: &Task, job: Job) -> Result<State> {
        let Some(bytes) = &task.state else {
            return Ok(State::new(self.first(&job)?.network, job.options));
        };
        // Whoever trains may know no folder.
        let path = StateFiles::of(Path::new("")).path(task.run);
        let state = State::from_bytes(&path, bytes)?;
        let is_beyond = task.until.is_some_and(|until| state.epochs().len() > until);
        match *state.options() == job.options && !is_beyond {
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

    /// What the network comes to that `state` has, on the test images and the fold `held_out`.
    fn test(
        &self,
        engine: &Engine,
        run: &PlannedRun,
        state: &State,
        held_out: Option<&Split>,
    ) -> Result<Tested> {
        let refused = |error| failed(run, error);
        let network = state.result();
        let test = engine.evaluate(network, &self.dataset.test).map_err(refused)?;
        let fold = held_out.map(|held_out| engine.evaluate(network, held_out));
        let fold = fold.transpose().map_err(refused)?;
        let of_fold = fold.as_ref().map(|fold| ("loss on the held-out fold", fold));
        for (what, found) in [("test loss", &test)].into_iter().chain(of_fold) {
            if !found.loss.is_finite() {
                let why = format!("the {what} is {}: lower the learning rate", found.loss);
                return Ok(Tested::failed(why));
            }
        }
        let last = state.epochs().last().ok_or_else(|| refused(TrainError::Stopped))?;
        let model = network.to_bytes(Path::new("a network"))?;
        let outcome = Outcome::Trained(Trained {
            epochs: state.epochs().len(),
            loss: last.loss,
            accuracy: last.accuracy,
            validation: last.validation,
            test_loss: test.loss,
            test_accuracy: test.accuracy(),
            fold: fold.map(|fold| Validation { loss: fold.loss, accuracy: fold.accuracy() }),
            model: sha256(&model),
        });
        Ok(Tested { outcome, model: Some(model) })
    }
}

impl Tested {
    /// No network, and why.
    fn failed(why: String) -> Self {
        Self { outcome: Outcome::Failed(why), model: None }
    }
}

/// How `run` is trained.
pub(super) fn options(make: &MakeJob<'_>, run: &PlannedRun) -> Result<FitOptions> {
    Ok(job(make, run)?.options)
}

pub(super) fn job(make: &MakeJob<'_>, run: &PlannedRun) -> Result<Job> {
    make(run).map_err(|source| Error::Settings { run: run.to_string(), source })
}

fn failed(run: &PlannedRun, error: TrainError) -> Error {
    Error::Train { run: run.to_string(), source: error.into() }
}
