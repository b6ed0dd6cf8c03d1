//! The folder in which a sweep is begun, or gone on with.

use std::fs;
use std::path::{Path, PathBuf};

use super::conditions::Conditions;
use super::error::{Error, Result};
use super::folder::{LOCK_FILE, PLAN_FILE, SweepFolder};
use super::network_files::NetworkFiles;
use super::origin_file::Origin;
use super::plan::Plan;
use super::shard::Shard;
use super::states::StateFiles;
use crate::files::{
    Lock, create_folder, create_next_folder_in, numbers_in, sweep, write_atomically,
};

/// What a folder is claimed for.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// What is tried.
    pub plan: &'a Plan,
    /// What else decides what comes of it.
    pub conditions: &'a Conditions,
    /// Which of the runs are to be done there.
    pub shard: Shard,
}

impl SweepFolder {
    /// The folder at `path` for a sweep: one that holds it already is gone on with, a new or empty one
    /// gets it.
    ///
    /// # Errors
    /// When the folder holds a sweep of another plan or under other conditions, or something else;
    /// another process is at work in it; or a file cannot be read or written.
    pub fn claim(path: impl Into<PathBuf>, claim: &Claim<'_>) -> Result<Self> {
        let path = path.into();
        claim.plan.check()?;
        create_folder(&path)?;
        if !path.join(PLAN_FILE).exists() {
            // Before the lock, so that nothing is left in a folder of something else.
            check_unused(&path)?;
        }
        let Some(lock) = Lock::acquire(&path.join(LOCK_FILE))? else {
            return Err(Error::Busy(path));
        };
        sweep(&path);
        NetworkFiles::of(&path).sweep();
        StateFiles::of(&path).sweep();
        if !path.join(PLAN_FILE).exists() {
            // Another process may have been here.
            check_unused(&path)?;
            write_atomically(&path.join(PLAN_FILE), claim.plan.to_toml().as_bytes())?;
        }
        let mut folder = Self::open(&path)?;
        if !folder.plan.is_same(claim.plan) {
            return Err(Error::OtherPlan(path));
        }
        folder.begin(claim)?;
        folder.begin_writing(lock)?;
        Ok(folder)
    }

    /// A folder in `parent` for a sweep: the last one in which it, the same shard of it, was begun and
    /// has not ended, or else a new one. Those in which it might have been gone on with, and was not,
    /// are [told](Self::passed_over).
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
    pub fn claim_in(parent: impl AsRef<Path>, claim: &Claim<'_>) -> Result<Self> {
        let parent = parent.as_ref();
        create_folder(parent)?;
        let mut passed_over = Vec::new();
        for number in numbers_in(parent)?.into_iter().rev() {
            let path = parent.join(number.to_string());
            match Self::open(&path) {
                Ok(found) if !found.is_to_go_on(claim) => continue,
                Ok(_) => {}
                Err(why) => {
                    // What is no sweep, or one of another plan, is left alone here.
                    let is_other = match Plan::load(path.join(PLAN_FILE)) {
                        Ok(plan) => !plan.is_same(claim.plan),
                        Err(_) => matches!(why, Error::NoSuchSweep(_)),
                    };
                    passed_over.extend((!is_other).then_some(why));
                    continue;
                }
            }
            match Self::claim(path, claim) {
                Err(
                    why @ (Error::Busy(_) | Error::OtherConditions { .. } | Error::NoOrigin(_)),
                ) => passed_over.push(why),
                claimed => return Ok(claimed?.having_passed_over(passed_over)),
            }
        }
        Ok(Self::claim_next_in(parent, claim)?.having_passed_over(passed_over))
    }

    /// A new folder in `parent` for a sweep, whose number follows the greatest there is.
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
    pub fn claim_next_in(parent: impl AsRef<Path>, claim: &Claim<'_>) -> Result<Self> {
        Self::claim(create_next_folder_in(parent.as_ref())?, claim)
    }

    /// Whether it has what `claim` is for, and that has not ended.
    fn is_to_go_on(&self, claim: &Claim<'_>) -> bool {
        let Claim { plan, shard, .. } = *claim;
        // One that does not say its shard may be of any.
        let has_shard = self.origin.as_ref().is_none_or(|origin| origin.has(shard));
        self.plan.is_same(plan) && has_shard && !self.has_ended(shard)
    }

    /// Whether nothing is left to do of `shard`, its report neither; of one that does not say, whether
    /// all runs are there.
    fn has_ended(&self, shard: Shard) -> bool {
        let has_ended = self.origin.as_ref().is_none_or(|origin| origin.has_ended(shard));
        has_ended && self.to_do(shard).next().is_none()
    }

    fn having_passed_over(mut self, others: Vec<Error>) -> Self {
        self.passed_over = others;
        self
    }

    /// Begins what `claim` is for, or goes on with it.
    fn begin(&mut self, claim: &Claim<'_>) -> Result<()> {
        let mut origin = match self.origin.take() {
            Some(origin) => {
                if let Some(difference) = claim.conditions.difference(&origin.conditions) {
                    return Err(Error::OtherConditions { path: self.path.clone(), difference });
                }
                origin
            }
            // As whoever began it and was killed at once left it.
            None if self.is_unbegun() => Origin::new(claim.conditions.clone()),
            None => return Err(Error::NoOrigin(self.path.clone())),
        };
        origin.begin(claim.shard);
        origin.write(&self.path)?;
        self.origin = Some(origin);
        Ok(())
    }

    /// Whether no run was done there.
    fn is_unbegun(&self) -> bool {
        self.results().next().is_none() && self.results_at_rungs().next().is_none()
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
