//! The files that settings name: while a sweep runs they must stay what they were when it was checked, or
//! its table would have results of two kinds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::error::{Error, Result};
use crate::data::sha256;
use crate::files::read_bounded;

/// More bytes than any file of ours has that a setting names.
const LARGEST: u64 = 1 << 33;

/// What files were when a sweep was checked.
#[derive(Debug, Default)]
pub(super) struct SettingsFiles(Mutex<BTreeMap<PathBuf, Known>>);

#[derive(Debug)]
struct Known {
    /// The SHA-256.
    sum: String,
    stamp: Option<Stamp>,
}

/// What changes with a file, as far as the system tells.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    len: u64,
    modified: SystemTime,
}

impl SettingsFiles {
    /// Reads `files`, as which they are known from now on: the SHA-256 of each, by its path.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(super) fn learn<'a>(
        &self,
        files: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Result<BTreeMap<String, String>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sums = BTreeMap::new();
        for path in files {
            let file = Known::read(path)?;
            sums.insert(path.to_string_lossy().into_owned(), file.sum.clone());
            known.insert(path.clone(), file);
        }
        Ok(sums)
    }

    /// Checks that `files`, which were read for a run, are what they were. Those are read again of which
    /// the length or the time of the last change is another.
    ///
    /// # Errors
    /// When one is another file, or cannot be read.
    pub(super) fn check<'a>(&self, files: impl IntoIterator<Item = &'a PathBuf>) -> Result<()> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for path in files {
            let Some(before) = known.get_mut(path) else { continue };
            if before.stamp.is_some() && before.stamp == Stamp::of(path) {
                continue;
            }
            let now = Known::read(path)?;
            if now.sum != before.sum {
                return Err(Error::ChangedFile(path.clone()));
            }
            *before = now;
        }
        Ok(())
    }
}

impl Known {
    fn read(path: &Path) -> Result<Self> {
        // Before the bytes: what changes meanwhile is read again.
        let stamp = Stamp::of(path);
        Ok(Self { sum: sha256(&read_bounded(path, LARGEST)?), stamp })
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let about = fs::metadata(path).ok()?;
        Some(Self { len: about.len(), modified: about.modified().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_named_and_what_was_only_touched_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.toml");
        fs::write(&path, "one").unwrap();
        let files = SettingsFiles::default();
        let sums = files.learn([&path]).unwrap();
        assert_eq!(sums.into_values().collect::<Vec<_>>(), [sha256(b"one")]);
        files.check([&path]).unwrap();
        let touched = fs::File::options().write(true).open(&path).unwrap();
        touched.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        files.check([&path]).unwrap();
        fs::write(&path, "another").unwrap();
        let changed = files.check([&path]).unwrap_err().to_string();
        assert!(changed.contains("net.toml: was changed while the sweep"), "{changed}");
        fs::write(&path, "one").unwrap();
        files.check([&path]).unwrap();
    }
}
