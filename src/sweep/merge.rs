//! Shards of one sweep, brought together.

use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::folder::{Keep, SweepFolder};
use super::results::ResultRow;
use crate::files::read_bounded;

/// More bytes than any model of ours has.
const LARGEST_MODEL: u64 = 1 << 33;

/// Adds to `into` what the sweeps in `folders`, which must be of its plan, have and it lacks: results,
/// and the networks that they keep.
///
/// # Errors
/// When one is of another plan or other data, has another result of a run, or a file cannot be read or
/// written.
pub fn merge(folders: &[PathBuf], into: &mut SweepFolder) -> Result<()> {
    let sources = folders.iter().map(SweepFolder::open).collect::<Result<Vec<_>>>()?;
    if let Some(other) = sources.iter().find(|source| source.plan() != into.plan()) {
        return Err(Error::OtherPlan(other.path().to_owned()));
    }
    into.plan().check_shards()?;
    // Before anything is written.
    let mut seen: Vec<_> = into.runs().iter().map(|_| None).collect();
    for (folder, result) in with_results(&sources).chain(with_results([&*into])) {
        match seen[result.run - 1].replace((folder, &result.outcome)) {
            Some((first, outcome)) if *outcome != result.outcome => {
                let (first, second) = (first.to_owned(), folder.to_owned());
                return Err(Error::Contradiction { first, second, run: result.run });
            }
            _ => {}
        }
    }
    for source in &sources {
        for result in source.results() {
            if into.result(result.run).is_some() {
                continue;
            }
            let model = source.model_path(result.run);
            let model = model.is_file().then(|| read_bounded(&model, LARGEST_MODEL)).transpose()?;
            into.add(result.clone(), model.as_deref(), Keep::All)?;
        }
    }
    Ok(())
}

/// The results of `sweeps`, each with the folder that has it.
fn with_results<'a>(
    sweeps: impl IntoIterator<Item = &'a SweepFolder>,
) -> impl Iterator<Item = (&'a Path, &'a ResultRow)> {
    let sweeps = sweeps.into_iter();
    sweeps.flat_map(|sweep| sweep.results().map(|result| (sweep.path(), result)))
}
