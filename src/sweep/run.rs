//! A sweep: what is left of its plan, done as many runs at a time as there are workers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::claim::Claim;
use super::climb::Climb;
use super::conditions::Conditions;
use super::configuration::PlannedRun;
use super::error::{Error, Result};
use super::folder::{Keep, SweepFolder};
use super::halving::{Rung, Rungs, has_one_measure};
use super::job::{Job, MakeJob};
use super::plan::Plan;
use super::ranks::{AllRanks, follow};
use super::results::ResultRow;
use super::settings_files::SettingsFiles;
use super::shard::Shard;
use super::tasks::{Task, TaskQueue};
use super::trainer::{Trainer, options};
use super::workforce::{Threads, Workforce};
use crate::data::{Dataset, Folds, Sha256Sum};
use crate::exec::engine::{Engine, EngineOptions};
use crate::ranks::Ranks;
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
    /// Those that work together, where they are several.
    ranks: Option<&'a Ranks>,
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
    /// The best of all that are complete, those of earlier days too.
    pub best: Option<&'a ResultRow>,
    /// The part that is done of all that there is to do, by epochs where there are rungs.
    pub share: f64,
}

/// What is known of a sweep before it begins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Checked {
    /// What decides what its runs come to.
    pub conditions: Conditions,
    /// How files of first weights were read where that was not the only way, a line each.
    pub notes: Vec<String>,
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
        plan.check_draws()?;
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
        let trainer = Trainer { dataset, runs, folds, files: SettingsFiles::default() };
        let (shard, keep) = (Shard::default(), Keep::default());
        Ok(Self { plan, trainer, workers, shard, keep, stop, ranks: None })
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
    /// be told where that is needed; and says what decides what they come to, and how files were read.
    ///
    /// # Errors
    /// When one cannot; when the best is to be kept, and some have a validation accuracy and others have
    /// none; when the plan has a halving that cannot be.
    pub fn check(&self, make: &MakeJob<'_>) -> Result<Checked> {
        let engine = self.workers.first().ok_or(Error::NoRuns)?;
        let (mut all, mut settings) = (Vec::new(), Sha256Sum::default());
        let (mut files, mut notes) = (BTreeSet::new(), BTreeSet::new());
        for run in self.first_runs() {
            let job = self.trainer.check(engine, make, run, &mut notes)?;
            let Job { architecture, options, train_limit, .. } = &job;
            settings.add(format!("{architecture:?} {options:?} {train_limit:?}\n").as_bytes());
            files.extend(job.files.into_iter().chain(job.init));
            all.push(job.options);
        }
        if self.keep == Keep::Best && !has_one_measure(&self.plan, &all) {
            return Err(Error::NoBest);
        }
        self.rungs_of(&all)?;
        let files = self.trainer.files.learn(&files)?;
        let conditions = Conditions::new(engine, settings.text(), files);
        Ok(Checked { conditions, notes: notes.into_iter().collect() })
    }

    /// What a folder is claimed for in which it is done under `conditions`, those of its
    /// [check](Self::check).
    #[must_use]
    pub fn claim<'b>(&'b self, conditions: &'b Conditions) -> Claim<'b> {
        Claim { plan: &self.plan, conditions, shard: self.shard }
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
        let own = self.threads(make);
        match self.ranks {
            None => self.run_by(&mut { own }, rungs, folder, observer),
            Some(ranks) => self.run_by(&mut AllRanks::new(ranks, own), rungs, folder, observer),
        }
    }

    fn threads<'b>(&'b self, make: &'b MakeJob<'b>) -> Threads<'b> {
        Threads { engines: &self.workers, trainer: &self.trainer, make, stop: &self.stop }
    }

    /// The same sweep on `ranks`, which all have it under these conditions: the first one then does
    /// [`run`](Self::run), with the workers of all, and the others [`follow`](Self::follow) it.
    ///
    /// # Errors
    /// When it is not the same on all of them.
    pub fn across(mut self, ranks: &'a Ranks, conditions: &Conditions) -> Result<Self> {
        let about = format!("{conditions:?} {:?} {}", self.keep, self.plan.to_toml());
        if let Some(rank) = ranks.first_that_differs(about.as_bytes()) {
            return Err(Error::RanksDiffer { rank });
        }
        self.ranks = Some(ranks);
        Ok(self)
    }

    /// Carries out what the first of the ranks hands out, until it says that nothing is left.
    ///
    /// # Errors
    /// When a run cannot be done.
    pub fn follow(&self, make: &MakeJob<'_>) -> Result<()> {
        match self.ranks {
            Some(ranks) => follow(ranks, self.threads(make), self.keep != Keep::None),
            None => Ok(()),
        }
    }

    /// As [`run`](Self::run), by a `workforce`.
    fn run_by(
        &self,
        workforce: &mut dyn Workforce,
        rungs: Option<Rungs>,
        folder: &mut SweepFolder,
        observer: &mut dyn FnMut(&SweepProgress<'_>),
    ) -> Result<SweepEnd> {
        if !folder.plan().is_same(&self.plan) {
            return Err(Error::OtherPlan(folder.path().to_owned()));
        }
        let keep = self.keep;
        folder.begin_keeping(keep)?;
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
                let (best, result) = (folder.best(), &result);
                observer(&SweepProgress { run, result, rung: None, done, of, best, share });
            }
            Ok(())
        })?;
        Ok(if done < of { SweepEnd::Interrupted } else { SweepEnd::Done })
    }
}

/// `plan` with what `dataset` is known by from now on.
fn on_data(plan: Plan, dataset: &Dataset, engines: &[Engine]) -> Result<Plan> {
    let checksum = match engines.first() {
        Some(engine) => engine.install(|| dataset.checksum()),
        None => dataset.checksum(),
    };
    match plan.data_checksum {
        Some(expected) if expected != checksum => Err(Error::OtherData { expected }),
        _ => Ok(Plan { data_checksum: Some(checksum), ..plan }),
    }
}
