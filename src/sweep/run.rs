//! The runs of a sweep, as many at a time as there are workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::configuration::PlannedRun;
use super::error::{Error, Result};
use super::folder::{Keep, SweepFolder};
use super::plan::Plan;
use super::results::ResultRow;
use super::shard::Shard;
use super::worker::{Done, Job};
use crate::data::Dataset;
use crate::exec::engine::{Engine, EngineOptions};
use crate::sync::{Cores, lead_threads};

/// What makes a training of the settings of a run.
pub type MakeJob<'a> =
    dyn Fn(&PlannedRun) -> Result<Job, Box<dyn std::error::Error + Send + Sync>> + Sync + 'a;

/// How the runs of a sweep are done.
#[derive(Debug)]
pub struct Sweep<'a> {
    dataset: &'a Dataset,
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
    /// A sweep on `dataset` by `workers`, or as many as the cores are enough for, each an engine with
    /// `options`, or with a thread where these do not say how many.
    ///
    /// # Errors
    /// When an engine cannot be had.
    pub fn new(
        dataset: &'a Dataset,
        options: EngineOptions,
        workers: Option<usize>,
    ) -> Result<Self> {
        let threads = options.threads.unwrap_or(1);
        let enough = || (Cores::usable().logical / threads.max(1)).max(1);
        let workers = workers.unwrap_or_else(enough);
        let stop = Arc::<AtomicBool>::default();
        let options = EngineOptions { threads: Some(threads), ..options };
        let engine = || Ok(Engine::new(options)?.stopped_by(Arc::clone(&stop)));
        let workers = (0..workers).map(|_| engine()).collect::<Result<_>>()?;
        Ok(Self { dataset, workers, shard: Shard::default(), keep: Keep::default(), stop })
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

    /// `plan` with what its data are known by from now on.
    ///
    /// # Errors
    /// When it is one of other data.
    pub fn on_data(&self, plan: Plan) -> Result<Plan> {
        let checksum = match self.workers.first() {
            Some(engine) => engine.pool().install(|| self.dataset.checksum()),
            None => self.dataset.checksum(),
        };
        match plan.data_checksum {
            Some(expected) if expected != checksum => Err(Error::OtherData { expected }),
            _ => Ok(Plan { data_checksum: Some(checksum), ..plan }),
        }
    }

    /// Checks that each configuration of `runs` can be trained, by its first run, and that the best of
    /// them can be told if it is to be kept.
    ///
    /// # Errors
    /// When one cannot; when some have a validation accuracy and others have none.
    pub fn check(&self, runs: &[PlannedRun], make: &MakeJob<'_>) -> Result<()> {
        let (mut checked, mut validated) = (0, None);
        for run in runs {
            if run.configuration.number == checked {
                continue;
            }
            checked = run.configuration.number;
            let job = job(make, run)?;
            if let Some(engine) = self.workers.first() {
                job.check(engine, self.dataset, run)?;
            }
            let is_validated = job.options.is_validated();
            if self.keep == Keep::Best && *validated.get_or_insert(is_validated) != is_validated {
                return Err(Error::NoBest);
            }
        }
        Ok(())
    }

    /// Does the runs that `folder` lacks, and adds what comes of them; `observer` is told of each.
    ///
    /// # Errors
    /// When a run cannot be done or its result not be written. Those that are complete are kept.
    pub fn run(
        &self,
        folder: &mut SweepFolder,
        make: &MakeJob<'_>,
        observer: &mut dyn FnMut(&SweepProgress<'_>),
    ) -> Result<SweepEnd> {
        let runs: Vec<PlannedRun> = folder.to_do(self.shard).cloned().collect();
        let next = AtomicUsize::new(0);
        // A worker that is ahead waits until what it found is kept.
        let (tell, told) = sync_channel(self.workers.len());
        let works = self.workers.iter().map(|engine| {
            let (runs, next, tell) = (&runs, &next, tell.clone());
            move || self.work(engine, runs, next, make, &tell)
        });
        let works: Vec<_> = works.collect();
        drop(tell);
        let lead = || {
            let kept = self.listen(folder, &runs, &told, observer);
            if kept.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            // Nobody waits for a listener who has left.
            drop(told);
            kept
        };
        let done = lead_threads(works, lead).map_err(Error::Thread)??;
        Ok(if done < runs.len() { SweepEnd::Interrupted } else { SweepEnd::Done })
    }

    /// Does one of `runs` after the other.
    fn work(
        &self,
        engine: &Engine,
        runs: &[PlannedRun],
        next: &AtomicUsize,
        make: &MakeJob<'_>,
        tell: &SyncSender<Result<Done>>,
    ) {
        while !self.stop.load(Ordering::Relaxed) {
            let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let done = job(make, run).and_then(|job| job.run(engine, self.dataset, run));
            let Some(done) = done.transpose() else { return };
            if tell.send(done).is_err() {
                return;
            }
        }
    }

    /// Keeps what the workers found. How many runs that were.
    fn listen(
        &self,
        folder: &mut SweepFolder,
        runs: &[PlannedRun],
        told: &Receiver<Result<Done>>,
        observer: &mut dyn FnMut(&SweepProgress<'_>),
    ) -> Result<usize> {
        let mut done = 0;
        for found in told {
            let Done { result, model } = found?;
            folder.add(result.clone(), model.as_deref(), self.keep)?;
            done += 1;
            if let Some(run) = folder.runs().get(result.run - 1) {
                observer(&SweepProgress { run, result: &result, done, of: runs.len() });
            }
        }
        Ok(done)
    }
}

fn job(make: &MakeJob<'_>, run: &PlannedRun) -> Result<Job> {
    make(run).map_err(|source| Error::Settings { run: run.to_string(), source })
}
