//! Shards of one sweep, brought together.

use std::path::{Path, PathBuf};

use super::claim::Claim;
use super::error::{Error, Result};
use super::folder::{Keep, SweepFolder};
use super::origin_file::Origin;
use super::results::ResultRow;
use super::shard::Shard;
use crate::data::sha256;
use crate::files::read_bounded;

/// More bytes than any model of ours has.
const LARGEST_MODEL: u64 = 1 << 33;

/// Shards of one sweep, in folders, that can be brought together.
#[derive(Debug)]
pub struct Shards {
    /// The first, by whose conditions all were done.
    first: Origin,
    sources: Vec<SweepFolder>,
}

impl Shards {
    /// Those in `folders`.
    ///
    /// # Errors
    /// When there is none; one is of another plan, other data or other conditions than the first, has
    /// another result of a run or a network that is not that of its result; or a file cannot be read.
    pub fn open(folders: &[PathBuf]) -> Result<Self> {
        let sources = folders.iter().map(SweepFolder::open).collect::<Result<Vec<_>>>()?;
        let Some(one) = sources.first() else { return Err(Error::NoShards) };
        one.plan().check_shards()?;
        let first = origin(one)?.clone();
        for source in &sources {
            let path = source.path().to_owned();
            if !source.plan().is_same(one.plan()) {
                return Err(Error::OtherPlan(path));
            }
            if let Some(difference) = first.conditions.difference(&origin(source)?.conditions) {
                return Err(Error::OtherConditions { path, difference });
            }
        }
        check_results(&sources)?;
        for source in &sources {
            source.results().try_for_each(|result| network(source, result).map(drop))?;
        }
        Ok(Self { first, sources })
    }

    /// What a folder for the whole is claimed for.
    ///
    /// # Errors
    /// When there is no shard.
    pub fn claim(&self) -> Result<Claim<'_>> {
        let plan = self.sources.first().ok_or(Error::NoShards)?.plan();
        Ok(Claim { plan, conditions: &self.first.conditions, shard: Shard::default() })
    }

    /// Adds to `into`, which was claimed for it, what the shards have and it lacks: results, and the
    /// networks that they keep; of shards that keep the best alone, that of the whole.
    ///
    /// # Errors
    /// When it has another result of a run, or a file cannot be read or written.
    pub fn merge_into(&self, into: &mut SweepFolder) -> Result<()> {
        // Before anything is written.
        check_results(self.sources.iter().chain([&*into]))?;
        for source in &self.sources {
            for result in source.results() {
                if into.result(result.run).is_none() {
                    let model = network(source, result)?;
                    into.add(result.clone(), model.as_deref(), Keep::All)?;
                }
            }
        }
        let kept = self.sources.iter().filter_map(|source| Some(source.origin.as_ref()?.keep));
        into.begin_keeping(kept.max().unwrap_or_default())
    }
}

/// How the sweep in `folder` was begun.
fn origin(folder: &SweepFolder) -> Result<&Origin> {
    folder.origin.as_ref().ok_or_else(|| Error::NoOrigin(folder.path().to_owned()))
}

/// Refuses sweeps of which two have different results of a run.
fn check_results<'a>(sweeps: impl IntoIterator<Item = &'a SweepFolder>) -> Result<()> {
    let mut seen: Vec<Option<(&Path, &ResultRow)>> = Vec::new();
    for sweep in sweeps {
        seen.resize(sweep.runs().len().max(seen.len()), None);
        for result in sweep.results() {
            match seen[result.run - 1].replace((sweep.path(), result)) {
                Some((first, other)) if other.outcome != result.outcome => {
                    let (first, second) = (first.to_owned(), sweep.path().to_owned());
                    return Err(Error::Contradiction { first, second, run: result.run });
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The network of a run of `source`, if it is kept there, which must be the one that `result` is of.
fn network(source: &SweepFolder, result: &ResultRow) -> Result<Option<Vec<u8>>> {
    let path = source.model_path(result.run);
    if !path.is_file() {
        return Ok(None);
    }
    let model = read_bounded(&path, LARGEST_MODEL)?;
    let is_that = result.outcome.trained().is_some_and(|trained| trained.model == sha256(&model));
    if is_that { Ok(Some(model)) } else { Err(Error::OtherNetwork { path, run: result.run }) }
}
