//! A sweep: what is left of its plan, done as many runs at a time as there are workers.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::climb::Climb;
use super::configuration::PlannedRun;
use super::error::{Error, Result};
use super::folder::{Keep, SweepFolder};
use super::halving::{Rung, Rungs, has_one_measure};
use super::job::MakeJob;
use super::plan::Plan;
use super::results::ResultRow;
use super::shard::Shard;
use super::tasks::{Task, TaskQueue};
use super::trainer::{Trainer, options};
use super::workforce::{Threads, Workforce};
use crate::data::{Dataset, Folds};
use crate::exec::engine::{Engine, EngineOptions};
use crate::sync::Cores;
use crate::train::FitOptions;

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
    /// Up to which rung it was done, in a sweep by successive halving.
    pub rung: Option<Rung>,
    /// How many runs are done, up to the rung if there is one, since the sweep was begun or gone on
    /// with.
    pub done: usize,
    /// Of how many.
    pub of: usize,
    /// The part that is done of all that there is to do, by epochs where there are rungs.
    pub share: f64,
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
    /// be told where that is needed.
    ///
    /// # Errors
    /// When one cannot; when the best is to be kept, and some have a validation accuracy and others have
    /// none; when the plan has a halving that cannot be.
    pub fn check(&self, make: &MakeJob<'_>) -> Result<()> {
        let Some(engine) = self.workers.first() else { return Ok(()) };
        let options = self.first_runs().map(|run| self.trainer.check(engine, make, run));
        let options: Vec<FitOptions> = options.collect::<Result<_>>()?;
        if self.keep == Keep::Best && !has_one_measure(&self.plan, &options) {
            return Err(Error::NoBest);
        }
        self.rungs_of(&options).map(drop)
    }

    /// The first run of each configuration.
    fn first_runs(&self) -> impl Iterator<Item = &PlannedRun> {
        self.trainer.runs.iter().step_by(self.plan.runs_each())
    }

    /// The rungs of the configurations that are trained with these options, if there is a halving.
    fn rungs_of(&self, options: &[FitOptions]) -> Result<Option<Rungs>> {
        if self.shard != Shard::default() {
            self.plan.check_shards()?;
        }
        Rungs::of(&self.plan, options)
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
        let options = match self.plan.halving {
            Some(_) => self.first_runs().map(|run| options(make, run)).collect::<Result<_>>()?,
            None => Vec::new(),
        };
        let rungs = self.rungs_of(&options)?;
        let (engines, trainer, stop) = (&self.workers[..], &self.trainer, &*self.stop);
        self.run_by(&Threads { engines, trainer, make, stop }, rungs, folder, observer)
    }

    /// As [`run`](Self::run), by a `workforce`.
    fn run_by(
        &self,
        workforce: &dyn Workforce,
        rungs: Option<Rungs>,
        folder: &mut SweepFolder,
        observer: &mut dyn FnMut(&SweepProgress<'_>),
    ) -> Result<SweepEnd> {
        if *folder.plan() != self.plan {
            return Err(Error::OtherPlan(folder.path().to_owned()));
        }
        let keep = self.keep;
        if let Some(rungs) = rungs {
            return Climb { rungs, workforce, folder, keep, observer, done: 0.0 }.run();
        }
        let tasks = folder.to_do(self.shard).map(|run| Task::whole(run.number));
        let tasks = TaskQueue::new(tasks.collect());
        let (mut done, of) = (0, tasks.len());
        workforce.carry_out(&tasks, &mut |found| {
            let (result, model) = (found.result, found.model);
            folder.add(result.clone(), model.as_deref(), keep)?;
            done += 1;
            if let Some(run) = folder.runs().get(result.run - 1) {
                let share = done as f64 / of as f64;
                observer(&SweepProgress { run, result: &result, rung: None, done, of, share });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generated;
    use crate::model::{Activation, Network, Sequential};
    use crate::sweep::tasks::Done;
    use crate::sweep::{Halving, Job};

    /// Carries tasks out in another order, and knows of them by bytes alone, as another process would.
    struct ByPost<'a> {
        sweep: &'a Sweep<'a>,
        make: &'a MakeJob<'a>,
    }

    impl Workforce for ByPost<'_> {
        fn carry_out(
            &self,
            tasks: &TaskQueue,
            keep: &mut dyn FnMut(Done) -> Result<()>,
        ) -> Result<()> {
            let tasks = std::iter::from_fn(|| tasks.take());
            let mut sent: Vec<_> =
                tasks.map(|task| serde_json::to_vec(&task.unwrap()).unwrap()).collect();
            sent.reverse();
            for task in sent {
                let task: Task = serde_json::from_slice(&task).unwrap();
                let Sweep { trainer, workers, .. } = self.sweep;
                let done = trainer.carry_out(&workers[0], self.make, &task)?.unwrap();
                let answer = serde_json::to_vec(&done).unwrap();
                keep(serde_json::from_slice(&answer).unwrap())?;
            }
            Ok(())
        }
    }

    #[test]
    fn another_workforce_that_is_sent_bytes_does_the_same() {
        let dataset = generated::generate(0, 60, 20).unwrap();
        let units = ("units".to_owned(), "2,3,4,5".parse().unwrap());
        let halving = Some(Halving::new(2).unwrap());
        let plan = Plan { folds: Some(2), halving, settings: vec![units], ..Plan::default() };
        let sweep = Sweep::new(&dataset, plan, EngineOptions::default(), Some(2)).unwrap();
        let make = |run: &PlannedRun| -> Result<Job, Box<dyn std::error::Error + Send + Sync>> {
            let units = run.configuration.value("units").unwrap().parse::<usize>()?;
            let layers = Sequential::new(dataset.shape()).dense(units, Activation::Relu);
            let network = Network::new(layers.dense(10, Activation::Softmax), run.seed)?;
            let options = FitOptions { epochs: 4, seed: run.seed, ..FitOptions::default() };
            Ok(Job { network, options, train_limit: None })
        };
        sweep.check(&make).unwrap();
        let place = tempfile::tempdir().unwrap();
        let folder =
            |name: &str| SweepFolder::claim(place.path().join(name), sweep.plan()).unwrap();
        let [mut by_threads, mut by_post] = ["threads", "post"].map(folder);
        let mut shares = Vec::new();
        let mut observer = |progress: &SweepProgress<'_>| shares.push(progress.share);
        assert_eq!(sweep.run(&mut by_threads, &make, &mut observer).unwrap(), SweepEnd::Done);
        assert!(
            shares.is_sorted() && shares.last().is_some_and(|share| (share - 1.0).abs() < 1e-9)
        );
        let options: Vec<_> = sweep.first_runs().map(|run| options(&make, run).unwrap()).collect();
        let (rungs, post) =
            (sweep.rungs_of(&options).unwrap(), ByPost { sweep: &sweep, make: &make });
        sweep.run_by(&post, rungs, &mut by_post, &mut |_| {}).unwrap();
        let outcomes = |folder: &SweepFolder| {
            let results = folder.results().cloned();
            results.map(|row| ResultRow { seconds: 0.0, ..row }).collect::<Vec<_>>()
        };
        assert_eq!(outcomes(&by_post).len(), 8);
        assert_eq!(outcomes(&by_post), outcomes(&by_threads));
    }
}
