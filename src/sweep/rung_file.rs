//! `rungs.csv`: a row for each run at each rung of a halving but the last.

use std::collections::BTreeMap;
use std::path::Path;

use super::configuration::PlannedRun;
use super::error::Result;
use super::plan::Plan;
use super::results::{ResultRow, header, read_row};
use super::row_file::RowFile;

pub(super) const RUNGS_FILE: &str = "rungs.csv";

/// What came of runs up to the rungs of a halving: columns as of the results, after the rung.
#[derive(Debug)]
pub(super) struct RungFile {
    table: RowFile,
    /// By rung and run.
    rows: BTreeMap<(usize, usize), ResultRow>,
}

impl RungFile {
    /// That of a sweep of `plan`, whose runs are `runs`, in `folder`.
    ///
    /// # Errors
    /// When it cannot be read, or is not what such a sweep wrote.
    pub(super) fn open(folder: &Path, plan: &Plan, runs: &[PlannedRun]) -> Result<Self> {
        let columns = std::iter::once("rung".to_owned()).chain(header(plan)).collect();
        let table = RowFile::new(folder.join(RUNGS_FILE), columns);
        let mut rows = BTreeMap::new();
        table.read(|record| {
            let rung = record.get(0).and_then(|rung| rung.parse::<usize>().ok());
            let rung = rung.filter(|&rung| rung > 0).ok_or("its rung is wrong")?;
            let result = read_row(record.iter().skip(1), plan, runs)?;
            let run = result.run;
            match rows.insert((rung, run), result) {
                Some(_) => Err(format!("run {run} is there twice at rung {rung}")),
                None => Ok(()),
            }
        })?;
        Ok(Self { table, rows })
    }

    /// Has it there, so that rows can be added.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn begin_writing(&mut self) -> Result<()> {
        self.table.begin_writing()
    }

    /// What came of run `run` up to rung `rung`, if that is known.
    pub(super) fn result(&self, rung: usize, run: usize) -> Option<&ResultRow> {
        self.rows.get(&(rung, run))
    }

    /// All that is known, each with its rung, in their order.
    pub(super) fn results(&self) -> impl Iterator<Item = (usize, &ResultRow)> {
        self.rows.iter().map(|(&(rung, _), result)| (rung, result))
    }

    /// Adds what came of a run up to rung `rung`, whose row among the results would be `row`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, rung: usize, row: Vec<String>, result: ResultRow) -> Result<()> {
        self.table.add(std::iter::once(rung.to_string()).chain(row).collect())?;
        self.rows.insert((rung, result.run), result);
        Ok(())
    }
}
