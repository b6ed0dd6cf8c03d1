//! The folder of a sweep: `plan.toml`, `results.csv`, and `models`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::configuration::PlannedRun;
use super::error::{Error, Result};
use super::plan::Plan;
use super::results::{ResultRow, header, read_row, row};
use super::shard::Shard;
use crate::files::{LineFile, Lock, create_folder, create_next_folder_in, csv_text, numbers_in};
use crate::files::{read_bounded, sweep, whole_lines, write_atomically};

const PLAN_FILE: &str = "plan.toml";
const RESULTS_FILE: &str = "results.csv";
const MODELS: &str = "models";
const LOCK_FILE: &str = ".lock";

/// More bytes than any results of ours have.
const LARGEST_RESULTS: u64 = 1 << 32;

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
    writing: Option<Writing>,
}

#[derive(Debug)]
struct Writing {
    results: LineFile,
    _lock: Lock,
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
        if !path.join(PLAN_FILE).exists() {
            // Another process may have been here.
            check_unused(&path)?;
            write_atomically(&path.join(PLAN_FILE), plan.to_toml().as_bytes())?;
        }
        let mut folder = Self::open(&path)?;
        if folder.plan != *plan {
            return Err(Error::OtherPlan(path));
        }
        folder.writing = Some(Writing { results: folder.results_to_add_to()?, _lock: lock });
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
        let rows = vec![None; runs.len()];
        let path = path.to_owned();
        let mut folder = Self { path, plan, runs, rows, best: None, writing: None };
        folder.read_results()?;
        Ok(folder)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
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
        let judged = |row: &ResultRow| row.outcome.judged();
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
        let run = &self.runs[result.run - 1];
        let line = csv_text(std::iter::once(row(run, &result)))?;
        if let Some(model) = model.filter(|_| keep == Keep::All || (keep == Keep::Best && is_best))
        {
            create_folder(&self.path.join(MODELS))?;
            write_atomically(&self.model_path(result.run), model)?;
        }
        let outdone = self.best().map(|best| best.run).filter(|_| keep == Keep::Best && is_best);
        if let Some(Writing { results, .. }) = &mut self.writing {
            results.add(&line)?;
            results.sync()?;
        }
        if let Some(outdone) = outdone {
            remove(&self.model_path(outdone))?;
        }
        self.take(result);
        Ok(())
    }

    /// Takes the results that are there.
    fn read_results(&mut self) -> Result<()> {
        let path = self.path.join(RESULTS_FILE);
        if !path.exists() {
            return Ok(());
        }
        let bytes = read_bounded(&path, LARGEST_RESULTS)?;
        let wrong = |problem: String| Error::Results { path: path.clone(), problem };
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).from_reader(whole_lines(&bytes));
        for (number, record) in reader.records().enumerate() {
            let record = record.map_err(|error| wrong(error.to_string()))?;
            if number == 0 {
                let expected = header(&self.plan);
                if !record.iter().eq(expected.iter().map(String::as_str)) {
                    return Err(wrong("its columns are others".into()));
                }
                continue;
            }
            let at_line = |problem: String| wrong(format!("in line {}, {problem}", 1 + number));
            let result = read_row(record.iter(), &self.runs).map_err(at_line)?;
            if self.result(result.run).is_some() {
                return Err(at_line(format!("run {} is there twice", result.run)));
            }
            self.take(result);
        }
        Ok(())
    }

    /// The results, without a half line that a killed process left.
    fn results_to_add_to(&self) -> Result<LineFile> {
        let path = self.path.join(RESULTS_FILE);
        let bytes = match path.exists() {
            true => read_bounded(&path, LARGEST_RESULTS)?,
            false => Vec::new(),
        };
        match whole_lines(&bytes) {
            [] => write_atomically(&path, &csv_text(std::iter::once(header(&self.plan)))?)?,
            whole if whole.len() < bytes.len() => write_atomically(&path, whole)?,
            _ => {}
        }
        Ok(LineFile::open(&path)?)
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

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}
