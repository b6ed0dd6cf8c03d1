//! The folder of a sweep: `plan.toml`, `results.csv`, and `models`; of one by successive halving also
//! `rungs.csv`, and `states` until it is done.

use std::fs;
use std::path::{Path, PathBuf};

use super::configuration::PlannedRun;
use super::error::{Error, Result};
use super::plan::Plan;
use super::results::{ResultRow, header, read_row, row};
use super::row_file::RowFile;
use super::rung_file::{RUNGS_FILE, RungFile};
use super::shard::Shard;
use super::states::{StateFiles, remove};
use crate::files::{
    Lock, create_folder, create_next_folder_in, numbers_in, sweep, write_atomically,
};
use crate::train::State;

const PLAN_FILE: &str = "plan.toml";
const RESULTS_FILE: &str = "results.csv";
const MODELS: &str = "models";
const LOCK_FILE: &str = ".lock";

/// Which networks are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    path: PathBuf,
    plan: Plan,
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
}

impl SweepFolder {
    /// The folder at `path` for a sweep of `plan`: one that holds it already is gone on with, a new or
    /// empty one gets it.
    ///
    /// # Errors
    /// When the folder holds a sweep of another plan, or something else; another process is at work in
    /// it; or a file cannot be read or written.
    pub fn claim(path: impl Into<PathBuf>, plan: &Plan) -> Result<Self> {
        let path = path.into();
        plan.check()?;
        create_folder(&path)?;
        if !path.join(PLAN_FILE).exists() {
            // Before the lock, so that nothing is left in a folder of something else.
            check_unused(&path)?;
        }
        let Some(lock) = Lock::acquire(&path.join(LOCK_FILE))? else {
            return Err(Error::Busy(path));
        };
        sweep(&path);
        sweep(&path.join(MODELS));
        StateFiles::of(&path).sweep();
        if !path.join(PLAN_FILE).exists() {
            // Another process may have been here.
            check_unused(&path)?;
            write_atomically(&path.join(PLAN_FILE), plan.to_toml().as_bytes())?;
        }
        let mut folder = Self::open(&path)?;
        if folder.plan != *plan {
            return Err(Error::OtherPlan(path));
        }
        folder.table.begin_writing()?;
        if let Some(rungs) = &mut folder.rungs {
            rungs.begin_writing()?;
        }
        folder.lock = Some(lock);
        Ok(folder)
    }

    /// A folder in `parent` for a sweep of `plan`: the last one that holds it and lacks results of
    /// `shard`, or else a new one, whose number follows the greatest there is.
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
    pub fn claim_in(parent: impl AsRef<Path>, plan: &Plan, shard: Shard) -> Result<Self> {
        let parent = parent.as_ref();
        create_folder(parent)?;
        for number in numbers_in(parent)?.into_iter().rev() {
            let path = parent.join(number.to_string());
            // What is no sweep, or damaged, is left alone here.
            let Ok(found) = Self::open(&path) else { continue };
            if found.plan == *plan && found.to_do(shard).next().is_some() {
                match Self::claim(path, plan) {
                    Err(Error::Busy(_)) => {}
                    claimed => return claimed,
                }
            }
        }
        Self::claim(create_next_folder_in(parent)?, plan)
    }

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
        let runs = plan.runs();
        let table = RowFile::new(path.join(RESULTS_FILE), header(&plan));
        let rungs = plan.halving.map(|_| RungFile::open(path, &plan, &runs)).transpose()?;
        let states = StateFiles::of(path);
        let (path, rows) = (path.to_owned(), vec![None; runs.len()]);
        let mut folder =
            Self { path, plan, runs, rows, best: None, lock: None, table, rungs, states };
        folder.read_results()?;
        Ok(folder)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files that say what it is: nothing else may replace them.
    #[must_use]
    pub fn files(&self) -> [PathBuf; 3] {
        [PLAN_FILE, RESULTS_FILE, RUNGS_FILE].map(|name| self.path.join(name))
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
        // What was stopped is not compared with what was not.
        let judged =
            |row: &ResultRow| row.outcome.judged().filter(|_| row.stopped_at_rung.is_none());
        match (judged(result), self.best().and_then(|best| Some((judged(best)?, best.run)))) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(new), Some((best, run))) => new > best || (new == best && result.run < run),
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
        self.path.join(MODELS).join(format!("{run}.safetensors"))
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
        let is_best = self.is_best(&result);
        let row = row(&self.plan, &self.runs[result.run - 1], &result);
        if let Some(model) = model.filter(|_| keep == Keep::All || (keep == Keep::Best && is_best))
        {
            create_folder(&self.path.join(MODELS))?;
            write_atomically(&self.model_path(result.run), model)?;
        }
        let outdone = self.best().map(|best| best.run).filter(|_| keep == Keep::Best && is_best);
        self.table.add(row)?;
        if let Some(outdone) = outdone {
            remove(&self.model_path(outdone))?;
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
        let state = State::from_bytes(Path::new("a state"), &bytes)?;
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

/// Refuses a folder that holds anything, but what a sweep that was killed at once may have left.
fn check_unused(path: &Path) -> Result<()> {
    for entry in fs::read_dir(path).map_err(Error::io("read", path))? {
        let name = entry.map_err(Error::io("read", path))?.file_name();
        if !name.to_string_lossy().starts_with('.') {
            return Err(Error::NotASweep(path.to_owned()));
        }
    }
    Ok(())
}
