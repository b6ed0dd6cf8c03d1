//! A folder that one process at a time may write.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::error::{Error, Result};
use super::open::open_unfollowed;

/// A lock that this process has on a file, until it is dropped or the process ends, in whichever
/// way: that of a killed process binds nobody.
#[derive(Debug)]
#[must_use = "the lock is given up when it is dropped"]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the file at `path`, which is made if need be and never removed: a lock on a file that
    /// another process removes and makes anew would bind nobody.
    ///
    /// `None` where another process has it. On a file system that knows no locks nobody has one,
    /// and all go on.
    ///
    /// # Errors
    /// When the file cannot be opened, or is a link or no regular one.
    pub(crate) fn acquire(path: &Path) -> Result<Option<Self>> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = open_unfollowed(&mut options, path).map_err(Error::io("lock", path))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(Self { _file: file })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_lock_until_it_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        let first = Lock::acquire(&path).unwrap();
        assert!(first.is_some());
        assert!(Lock::acquire(&path).unwrap().is_none());
        drop(first);
        assert!(path.exists());
        assert!(Lock::acquire(&path).unwrap().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed_to_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", ".lock"].map(|name| folder.path().join(name));
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(Lock::acquire(&link).is_err());
        assert!(!file.exists());
    }
}
