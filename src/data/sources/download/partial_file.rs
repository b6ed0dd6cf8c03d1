//! A file that is still being received: nobody trusts it, and a later run may go on with it.
//!
//! Each process receives into a file of its own, which it holds locked. The system releases the
//! lock when the process ends, in whichever way, so what a killed process left behind can be told
//! from what is in use.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::data::checksum::sha256;
use crate::files::{Bytes, TemporaryFile};
use crate::files::{Error, Result};

/// What the name of a partial file ends in.
const SUFFIX: &str = ".part";

/// The first bytes of a file, as far as they have come.
///
/// It stays when it is dropped, unless it is empty.
#[derive(Debug)]
pub(super) struct PartialFile {
    file: TemporaryFile,
    len: u64,
    /// Where the whole file will be: what a person is told of.
    goal: PathBuf,
}

impl PartialFile {
    /// What an ended process left of the file `name` in `folder`, else a new one.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self> {
        if let Some(left) = abandoned(folder, name)?.next() {
            return Ok(left);
        }
        let file = TemporaryFile::create_own_named(folder, &prefix(name), SUFFIX)?;
        Ok(Self { file, len: 0, goal: folder.join(name) })
    }

    /// Removes what ended processes left of the file `name` in `folder`.
    pub(super) fn sweep(folder: &Path, name: &str) -> Result<()> {
        for mut partial in abandoned(folder, name)? {
            partial.file.keep(false);
        }
        Ok(())
    }

    /// The file at `path`, if no process is receiving it and this user made it: another one may
    /// have put something there to be written over.
    fn adopt(path: &Path, goal: PathBuf) -> Option<Self> {
        let mut file = TemporaryFile::adopt(path).filter(TemporaryFile::is_own)?;
        let len = file.as_file_mut().seek(SeekFrom::End(0)).ok()?;
        file.keep(len > 0);
        Some(Self { file, len, goal })
    }

    /// How many bytes have come.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Adds the next bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.keep(true);
        self.file.write_all(bytes).map_err(Error::io("write", &self.goal))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Drops all bytes.
    pub(super) fn clear(&mut self) -> Result<()> {
        let file = self.file.as_file_mut();
        let cleared = file.set_len(0).and_then(|()| file.rewind());
        cleared.map_err(Error::io("write", &self.goal))?;
        self.file.keep(false);
        self.len = 0;
        Ok(())
    }

    /// The checksum of all bytes.
    pub(super) fn sha256(&self) -> Result<String> {
        let path = self.file.path();
        let bytes = self.file.as_file().try_clone().and_then(|file| Bytes::map_file(file, path));
        Ok(sha256(&bytes.map_err(Error::io("map", &self.goal))?))
    }

    /// Gives the file its name, under which it is trusted, in place of what has that name.
    pub(super) fn rename(self, path: &Path) -> Result<()> {
        self.file.rename(path)?;
        Ok(())
    }
}

/// The partial files of `name` in `folder` that no process is receiving.
fn abandoned(folder: &Path, name: &str) -> Result<impl Iterator<Item = PartialFile>> {
    let (prefix, goal) = (prefix(name), folder.join(name));
    let is_partial = move |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(&prefix) && name.ends_with(SUFFIX)
    };
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_partial);
    Ok(paths.filter_map(move |path| PartialFile::adopt(&path, goal.clone())))
}

/// What the names of the partial files of `name` begin with.
fn prefix(name: &str) -> String {
    format!(".{name}-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn what_is_left_is_taken_up_and_what_is_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let open = || PartialFile::open(folder.path(), "a").unwrap();
        let mut first = open();
        first.append(b"one ").unwrap();
        let second = open();
        assert_eq!(second.len(), 0, "the first is in use");
        drop(second);
        assert_eq!(names(folder.path()), 1, "an empty one is removed");
        drop(first);

        let mut again = open();
        assert_eq!(again.len(), 4);
        again.append(b"two").unwrap();
        assert_eq!(again.sha256().unwrap(), sha256(b"one two"));
        let other = PartialFile::open(folder.path(), "ab").unwrap();
        assert_eq!(other.len(), 0, "what there is of another file");
        let path = folder.path().join("a");
        again.rename(&path).unwrap();
        assert_eq!(fs::read(path).unwrap(), b"one two");
        assert_eq!(open().len(), 0);
    }

    #[test]
    fn a_cleared_file_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut partial = PartialFile::open(folder.path(), "a").unwrap();
        partial.append(b"wrong").unwrap();
        partial.clear().unwrap();
        partial.append(b"so").unwrap();
        assert_eq!((partial.len(), partial.sha256().unwrap()), (2, sha256(b"so")));
        partial.clear().unwrap();
        drop(partial);
        assert_eq!(names(folder.path()), 0);
    }

    #[test]
    fn partial_files_that_nobody_needs_are_swept_away() {
        let folder = tempfile::tempdir().unwrap();
        let partials = [(); 3].map(|()| {
            let mut partial = PartialFile::open(folder.path(), "a").unwrap();
            partial.append(b"some").unwrap();
            partial
        });
        let [one, two, in_use] = partials;
        drop((one, two));
        PartialFile::sweep(folder.path(), "a").unwrap();
        assert_eq!(names(folder.path()), 1);
        drop(in_use);
    }

    #[cfg(unix)]
    #[test]
    fn what_leads_to_another_file_is_neither_written_nor_kept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("soft"), "some").unwrap();
        fs::write(at("hard"), "some").unwrap();
        std::os::unix::fs::symlink(at("soft"), at(".a-soft.part")).unwrap();
        fs::hard_link(at("hard"), at(".a-hard.part")).unwrap();
        let mut partial = PartialFile::open(folder.path(), "a").unwrap();
        assert_eq!(partial.len(), 0);
        partial.append(b"other").unwrap();
        partial.rename(&at("a")).unwrap();
        for (name, bytes) in [("soft", "some"), ("hard", "some"), ("a", "other")] {
            assert_eq!(fs::read_to_string(at(name)).unwrap(), bytes);
        }
        assert!(!at("a").is_symlink());
    }
}
