//! A sweep: what is left of its plan, done as many runs at a time as there are workers.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::configuration::PlannedRun;
use super::error::{Error, Result};
use super::folder::{Keep, SweepFolder};
use super::job::MakeJob;
use super::plan::Plan;
use super::results::ResultRow;
use super::shard::Shard;
use super::tasks::{Task, TaskQueue};
use super::trainer::Trainer;
use super::workforce::{Threads, Workforce};
use crate::data::{Dataset, Folds};
use crate::exec::engine::{Engine, EngineOptions};
use crate::sync::Cores;

/// How the runs of a sweep are done.
#[derive(Debug)]
pub struct Sweep<'a> {
    plan: Plan,
    trainer: Trainer<'a>,
    workers: Vec<Engine>,
    shard: Shard,
    keep: Keep,
    stop: Arc<AtomicBool>,
}

/// How far a sweep is, after a run.
#[derive(Debug)]
pub struct SweepProgress<'a> {
    /// The run.
    pub run: &'a PlannedRun,
    /// What came of it.
    pub result: &'a ResultRow,
    /// How many runs are done since the sweep was begun or gone on with.
    pub done: usize,
    /// Of how many.
    pub of: usize,
}

/// How a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepEnd {
    /// All runs are done that were to be done here.
    Done,
    /// It was asked to stop, and can be gone on with.
    Interrupted,
}

impl<'a> Sweep<'a> {
    /// A sweep of `plan` on `dataset` by `workers`, or as many as the cores are enough for, each an
    /// engine with `options`, or with a thread where these do not say how many.
    ///
    /// # Errors
    /// When the plan makes no sense, or is one of other data; when there are not enough images for its
    /// folds, or too little memory; when an engine cannot be had.
    pub fn new(
        dataset: &'a Dataset,
        plan: Plan,
        options: EngineOptions,
        workers: Option<usize>,
    ) -> Result<Self> {
        plan.check()?;
        let runs = plan.runs();
        let threads = options.threads.unwrap_or(1);
        let enough = (Cores::usable().logical / threads.max(1)).max(1);
        let workers = workers.unwrap_or(enough).min(runs.len()).max(1);
        let stop = Arc::<AtomicBool>::default();
        let options = EngineOptions { threads: Some(threads), ..options };
        let engine = || Ok(Engine::new(options)?.stopped_by(Arc::clone(&stop)));
        let workers = (0..workers).map(|_| engine()).collect::<Result<Vec<_>>>()?;
        let plan = on_data(plan, dataset, &workers)?;
        let folds = plan.folds.map(|count| Folds::deal(&dataset.train, count)).transpose()?;
        // What was gathered stays as it is.
        dataset.check_unchanged()?;
        let trainer = Trainer { dataset, runs, folds };
        let (shard, keep) = (Shard::default(), Keep::default());
        Ok(Self { plan, trainer, workers, shard, keep, stop })
    }

    /// Does the runs of `shard` alone.
    #[must_use]
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = shard;
        self
    }

    /// Keeps these networks.
    #[must_use]
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// How many runs are done at a time.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// What asks the sweep to stop, once it is raised: runs that are not complete are given up.
    #[must_use]
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// The plan, with what its data are known by from now on.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Checks that each configuration can be trained, by its first run, and that the best of them can
    /// be told if it is to be kept.
    ///
    /// # Errors
    /// When one cannot; when some have a validation accuracy and others have none.
    pub fn check(&self, make: &MakeJob<'_>) -> Result<()> {
        let Some(engine) = self.workers.first() else { return Ok(()) };
        let (mut checked, mut validated) = (0, None);
        for run in &self.trainer.runs {
            if run.configuration.number == checked {
                continue;
            }
            checked = run.configuration.number;
            let options = self.trainer.check(engine, make, run)?;
            let is_validated = options.is_validated() || run.fold.is_some();
            if self.keep == Keep::Best && *validated.get_or_insert(is_validated) != is_validated {
                return Err(Error::NoBest);
            }
        }
        Ok(())
    }

    /// Does the runs that `folder`, which must be of this plan, lacks, and adds what comes of them;
    /// `observer` is told of each.
    ///
    /// # Errors
    /// When a run cannot be done or its result not be written. Those that are complete are kept.
    pub fn run(
        &self,
        folder: &mut SweepFolder,
        make: &MakeJob<'_>,
        observer: &mut dyn FnMut(&SweepProgress<'_>),
    ) -> Result<SweepEnd> {
        let (engines, trainer, stop) = (&self.workers[..], &self.trainer, &*self.stop);
        self.run_by(&Threads { engines, trainer, make, stop }, folder, observer)
    }

    /// As [`run`](Self::run), by a `workforce`.
    fn run_by(
        &self,
        workforce: &dyn Workforce,
        folder: &mut SweepFolder,
        observer: &mut dyn FnMut(&SweepProgress<'_>),
    ) -> Result<SweepEnd> {
        if *folder.plan() != self.plan {
            return Err(Error::OtherPlan(folder.path().to_owned()));
        }
        let tasks = folder.to_do(self.shard).map(|run| Task::whole(run.number));
        let tasks = TaskQueue::new(tasks.collect());
        let (mut done, of) = (0, tasks.len());
        workforce.carry_out(&tasks, &mut |found| {
            let (result, model) = (found.result, found.model);
            folder.add(result.clone(), model.as_deref(), self.keep)?;
            done += 1;
            if let Some(run) = folder.runs().get(result.run - 1) {
                observer(&SweepProgress { run, result: &result, done, of });
            }
            Ok(())
        })?;
        Ok(if done < of { SweepEnd::Interrupted } else { SweepEnd::Done })
    }
}

/// `plan` with what `dataset` is known by from now on.
fn on_data(plan: Plan, dataset: &Dataset, engines: &[Engine]) -> Result<Plan> {
    let checksum = match engines.first() {
        Some(engine) => engine.pool().install(|| dataset.checksum()),
        None => dataset.checksum(),
    };
    match plan.data_checksum {
        Some(expected) if expected != checksum => Err(Error::OtherData { expected }),
        _ => Ok(Plan { data_checksum: Some(checksum), ..plan }),
    }
}
