//! Files of one folder that are written beside their places, and get their names together.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use super::durable::{folder_of, sync_folder};
use super::error::{Error, Result};
use super::temporary::TemporaryFile;

/// Files that are written, each to a temporary file beside its place.
///
/// What fails easily, on a full disk for example, fails while they are added. The rest takes its
/// time, as it waits for the disk, and may be done by another thread.
#[derive(Debug, Default)]
pub(crate) struct StagedFiles {
    files: Vec<(TemporaryFile, PathBuf)>,
    outdated: Vec<PathBuf>,
}

impl StagedFiles {
    /// Writes `bytes`, which are to be found at `path`.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn add(&mut self, path: PathBuf, bytes: &[u8]) -> Result<()> {
        let mut file = TemporaryFile::create(folder_of(&path))?;
        file.write_all(bytes).map_err(Error::io("write", &path))?;
        self.files.push((file, path));
        Ok(())
    }

    /// Has the file at `path`, if there is one, removed before the new files get their names.
    pub(crate) fn outdate(&mut self, path: PathBuf) {
        self.outdated.push(path);
    }

    /// Gives the files their names, the first one first, in place of what has them, so that after a
    /// power cut each is there whole. Nothing is removed or replaced before all are on the disk.
    ///
    /// # Errors
    /// When the system refuses; those before the one that it refuses have their names.
    pub(crate) fn rename(self) -> Result<()> {
        let folder = self.files.first().map(|(_, path)| folder_of(path).to_owned());
        for (file, path) in &self.files {
            file.sync().map_err(Error::io("write", path))?;
        }
        for path in self.outdated {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io("replace", path)(error));
                }
                _ => {}
            }
        }
        for (file, path) in self.files {
            file.rename_synced(&path)?;
        }
        folder.map_or(Ok(()), |folder| sync_folder(&folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_get_their_names_together_and_what_is_outdated_goes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("old"), "old").unwrap();
        fs::write(at("b"), "old").unwrap();
        let mut staged = StagedFiles::default();
        for name in ["a", "b"] {
            staged.add(at(name), name.as_bytes()).unwrap();
        }
        staged.outdate(at("old"));
        staged.outdate(at("none"));
        assert!(!at("a").exists() && at("old").exists());
        staged.rename().unwrap();
        assert_eq!(
            (fs::read(at("a")).unwrap(), fs::read(at("b")).unwrap()),
            ("a".into(), "b".into())
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);

        let mut staged = StagedFiles::default();
        staged.add(at("a"), b"other").unwrap();
        drop(staged);
        assert_eq!(fs::read(at("a")).unwrap(), b"a");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
