//! A folder that one process at a time may write.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::error::{Error, Result};
use super::open::open_unfollowed;

/// Who looks whether a lock is held has it for an instant: it is tried so often,
const TRIES: usize = 20;
/// so long apart.
const APART: Duration = Duration::from_millis(10);

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
        for tried in 1.. {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) if tried < TRIES => thread::sleep(APART),
                Err(TryLockError::WouldBlock) => break,
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(Some(Self { _file: file })),
            }
        }
        Ok(None)
    }

    /// Whether a process, which may be this one, has a lock on the file at `path`. Nothing is made
    /// and nobody kept out.
    pub(crate) fn is_held(path: &Path) -> bool {
        let file = open_unfollowed(File::options().read(true), path);
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
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
        assert!(Lock::is_held(&path));
        assert!(Lock::acquire(&path).unwrap().is_none());
        drop(first);
        assert!(path.exists());
        assert!(!Lock::is_held(&path));
        assert!(Lock::acquire(&path).unwrap().is_some());
    }

    #[test]
    fn whoever_looks_keeps_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".lock");
        assert!(!Lock::is_held(&path));
        assert!(!path.exists());
        drop(Lock::acquire(&path).unwrap());
        thread::scope(|scope| {
            // Held for some microseconds in a millisecond: twenty tries do not all meet that.
            let look = |_| {
                thread::sleep(Duration::from_millis(1));
                Lock::is_held(&path)
            };
            let looks = scope.spawn(move || (0..200).map(look).filter(|held| *held).count());
            while !looks.is_finished() {
                assert!(Lock::acquire(&path).unwrap().is_some());
                thread::sleep(Duration::from_micros(100));
            }
        });
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
