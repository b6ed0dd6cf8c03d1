//! The folder of a sweep: `plan.toml`, `origin.toml`, `results.csv`, and `models`; of one by successive
//! halving also `rungs.csv`, and `states` until it is done.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::configuration::PlannedRun;
use super::error::{Error, Result};
use super::network_files::NetworkFiles;
use super::origin_file::{ORIGIN_FILE, Origin};
use super::plan::Plan;
use super::results::{ResultRow, header, read_row, row};
use super::row_file::RowFile;
use super::rung_file::{RUNGS_FILE, RungFile};
use super::shard::Shard;
use super::states::StateFiles;
use crate::files::Lock;
use crate::train::State;

pub(super) const PLAN_FILE: &str = "plan.toml";
const RESULTS_FILE: &str = "results.csv";
pub(super) const LOCK_FILE: &str = ".lock";

/// Which networks are kept: the later, the more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// None.
    #[default]
    None,
    /// That of the best run so far.
    Best,
    /// Each.
    All,
}

/// A sweep as its folder has it: the plan, and what came of the runs that are done.
#[derive(Debug)]
pub struct SweepFolder {
    pub(super) path: PathBuf,
    pub(super) plan: Plan,
    /// How it was begun; that of none that was killed as it began, or of an old one, is known.
    pub(super) origin: Option<Origin>,
    runs: Vec<PlannedRun>,
    /// The results, by run.
    rows: Vec<Option<ResultRow>>,
    /// Where in them the best one is.
    best: Option<usize>,
    /// While this process writes to it.
    lock: Option<Lock>,
    table: RowFile,
    /// What was found at the rungs of a halving.
    rungs: Option<RungFile>,
    states: StateFiles,
    networks: NetworkFiles,
    /// Why others were not gone on with.
    pub(super) passed_over: Vec<Error>,
}

impl SweepFolder {
    /// The sweep in the folder at `path`, to be looked at.
    ///
    /// # Errors
    /// When there is none, or its files are not what a sweep wrote.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if !path.join(PLAN_FILE).is_file() {
            return Err(Error::NoSuchSweep(path.to_owned()));
        }
        let plan = Plan::load(path.join(PLAN_FILE))?;
        let (runs, origin) = (plan.runs(), Origin::open(path)?);
        let table = RowFile::new(path.join(RESULTS_FILE), header(&plan));
        let rungs = plan.halving.map(|_| RungFile::open(path, &plan, &runs)).transpose()?;
        let mut folder = Self {
            path: path.to_owned(),
            plan,
            origin,
            rows: vec![None; runs.len()],
            runs,
            best: None,
            lock: None,
            table,
            rungs,
            states: StateFiles::of(path),
            networks: NetworkFiles::of(path),
            passed_over: Vec::new(),
        };
        folder.read_results()?;
        Ok(folder)
    }

    /// Whether a sweep is kept in the folder at `path`.
    #[must_use]
    pub fn is_at(path: impl AsRef<Path>) -> bool {
        path.as_ref().join(PLAN_FILE).exists()
    }

    /// Has its tables there, so that rows can be added, by this process alone.
    pub(super) fn begin_writing(&mut self, lock: Lock) -> Result<()> {
        self.table.begin_writing()?;
        if let Some(rungs) = &mut self.rungs {
            rungs.begin_writing()?;
        }
        self.lock = Some(lock);
        Ok(())
    }

    /// The sweeps that [`claim_in`](Self::claim_in) might have gone on with in place of this one, each
    /// as the reason why it did not.
    #[must_use]
    pub fn passed_over(&self) -> &[Error] {
        &self.passed_over
    }

    /// Notes that all of `shard` is done, its report too, unless runs of it are left.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn end(&mut self, shard: Shard) -> Result<()> {
        if self.to_do(shard).next().is_none()
            && let Some(origin) = &mut self.origin
        {
            origin.end(shard);
            origin.write(&self.path)?;
        }
        Ok(())
    }

    /// Keeps these networks from now on. Where never more than the best was asked for, what a killed
    /// process left beside it is removed.
    ///
    /// # Errors
    /// When a file cannot be written or removed.
    pub(super) fn begin_keeping(&mut self, keep: Keep) -> Result<()> {
        if let Some(origin) = &mut self.origin
            && origin.keep < keep
        {
            origin.keep = keep;
            origin.write(&self.path)?;
        }
        if !self.keeps_the_best_alone() {
            return Ok(());
        }
        let kept = self.networks.runs()?;
        let kept = kept.into_iter().filter_map(|run| self.result(run));
        let best = kept.reduce(|best, result| better(best, result)).map(|best| best.run);
        self.networks.remove_but(best)
    }

    /// Whether never more was asked for than the network of the best run.
    fn keeps_the_best_alone(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.keep == Keep::Best)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files that say what it is: nothing else may replace them.
    #[must_use]
    pub fn files(&self) -> [PathBuf; 4] {
        [PLAN_FILE, ORIGIN_FILE, RESULTS_FILE, RUNGS_FILE].map(|name| self.path.join(name))
    }

    /// What is tried.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// All runs of the plan, in order.
    #[must_use]
    pub fn runs(&self) -> &[PlannedRun] {
        &self.runs
    }

    /// What came of the runs that are done, in their order.
    pub fn results(&self) -> impl Iterator<Item = &ResultRow> {
        self.rows.iter().flatten()
    }

    /// What came of run `run`, if it is done.
    pub(super) fn result(&self, run: usize) -> Option<&ResultRow> {
        self.rows.get(run.checked_sub(1)?)?.as_ref()
    }

    /// The runs of `shard` that are not done.
    pub fn to_do(&self, shard: Shard) -> impl Iterator<Item = &PlannedRun> {
        let runs = self.runs.iter().zip(&self.rows);
        runs.filter(move |(run, row)| row.is_none() && shard.has(run.number)).map(|(run, _)| run)
    }

    /// The best run that is done: of equals, the first.
    #[must_use]
    pub fn best(&self) -> Option<&ResultRow> {
        self.best.and_then(|place| self.rows[place].as_ref())
    }

    /// Whether `result` is better than all there are.
    fn is_best(&self, result: &ResultRow) -> bool {
        match self.best() {
            None => compared(result).is_some(),
            Some(best) => std::ptr::eq(better(best, result), result),
        }
    }

    /// Takes a result among those that there are.
    fn take(&mut self, result: ResultRow) {
        let place = result.run - 1;
        if self.is_best(&result) {
            self.best = Some(place);
        }
        self.rows[place] = Some(result);
    }

    /// Where the network of run `run` is, if it is kept.
    #[must_use]
    pub fn model_path(&self, run: usize) -> PathBuf {
        self.networks.path(run)
    }

    /// Adds what came of a run, and keeps its network `model` if it is to be kept: first that, so that
    /// whoever finds the row finds the network too.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn add(
        &mut self,
        result: ResultRow,
        model: Option<&[u8]>,
        keep: Keep,
    ) -> Result<()> {
        let is_kept = keep == Keep::All || (keep == Keep::Best && self.is_best(&result));
        let row = row(&self.plan, &self.runs[result.run - 1], &result);
        if let Some(model) = model.filter(|_| is_kept) {
            self.networks.write(result.run, model)?;
        }
        self.table.add(row)?;
        if is_kept && keep == Keep::Best && self.keeps_the_best_alone() {
            self.networks.remove_but(Some(result.run))?;
        }
        if self.plan.halving.is_some() {
            self.states.remove(result.run)?;
        }
        self.take(result);
        Ok(())
    }

    /// The runs of configuration `number`, from 1.
    pub(super) fn runs_of(&self, number: usize) -> &[PlannedRun] {
        let each = self.plan.runs_each();
        &self.runs[(number - 1) * each..number * each]
    }

    /// Where runs stand that may go on.
    pub(super) fn states(&self) -> &StateFiles {
        &self.states
    }

    /// Removes where runs stand, once all have ended.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub(super) fn clear_states(&self) -> Result<()> {
        // A process that was killed may have left one of a run that had ended.
        self.states.clear(self.runs.iter().map(|run| run.number))
    }

    /// What came of runs up to rungs of a halving, each with the number of its rung, in their order.
    pub(super) fn results_at_rungs(&self) -> impl Iterator<Item = (usize, &ResultRow)> {
        self.rungs.iter().flat_map(RungFile::results)
    }

    /// What came of run `run` up to rung `rung` of a halving, if it was there.
    pub(super) fn result_at(&self, rung: usize, run: usize) -> Option<&ResultRow> {
        self.rungs.as_ref()?.result(rung, run)
    }

    /// Adds what came of a run up to rung `rung`, and keeps where it stands: first that, so that whoever
    /// finds the row can go on.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn add_at_rung(
        &mut self,
        rung: usize,
        result: ResultRow,
        state: &[u8],
    ) -> Result<()> {
        self.states.write(result.run, state)?;
        let row = row(&self.plan, &self.runs[result.run - 1], &result);
        match &mut self.rungs {
            Some(rungs) => rungs.add(rung, row, result),
            None => Ok(()),
        }
    }

    /// Has run `run` end with what came of it up to rung `rung`, unless it has ended.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub(super) fn stop_at_rung(&mut self, rung: usize, run: usize, keep: Keep) -> Result<()> {
        let to_stop = self.result_at(rung, run).filter(|_| self.result(run).is_none());
        let Some(result) = to_stop.cloned() else { return Ok(()) };
        let model = match keep == Keep::All && result.outcome.trained().is_some() {
            true => Some(self.network_of(run)?),
            false => None,
        };
        self.add(ResultRow { stopped_at_rung: Some(rung), ..result }, model.as_deref(), keep)
    }

    /// The network that the state of run `run` has, as the bytes of its file.
    fn network_of(&self, run: usize) -> Result<Vec<u8>> {
        let bytes = self.states.read(run)?.ok_or(Error::NoState(run))?;
        let state = State::from_bytes(&self.states.path(run), &bytes)?;
        Ok(state.result().to_bytes(Path::new("a network"))?)
    }

    /// Takes the results that are there.
    fn read_results(&mut self) -> Result<()> {
        let mut found = vec![None; self.runs.len()];
        self.table.read(|record| {
            let result = read_row(record.iter(), &self.plan, &self.runs)?;
            let run = result.run;
            match found[run - 1].replace(result) {
                Some(_) => Err(format!("run {run} is there twice")),
                None => Ok(()),
            }
        })?;
        found.into_iter().flatten().for_each(|result| self.take(result));
        Ok(())
    }
}

/// The accuracy by which a result is compared with others: what was stopped is not compared with what
/// was not.
fn compared(row: &ResultRow) -> Option<f64> {
    row.outcome.judged().filter(|_| row.stopped_at_rung.is_none())
}

/// The better one of two results: of equals, that of the first run.
fn better<'a>(one: &'a ResultRow, other: &'a ResultRow) -> &'a ResultRow {
    match (compared(one), compared(other)) {
        (_, None) => one,
        (None, Some(_)) => other,
        (Some(a), Some(b)) if b > a || (b == a && other.run < one.run) => other,
        _ => one,
    }
}
