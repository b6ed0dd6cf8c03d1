//! Temporary files, each held locked by the process that writes it.
//!
//! The system releases a lock when its process ends, in whichever way. So what a killed process
//! left behind can be told from what is in use, however old or new it is, and is swept away by the
//! next one that writes into the same folder.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use tempfile::{NamedTempFile, TempPath};

use super::durable::{folder_of, sync_file, sync_folder};
use super::error::{Error, Result};
use super::open::{is_at, open_unfollowed};

/// What the names of temporary files begin with.
const PREFIX: &str = ".mnistry-";

/// As readable and writable as any file that the user makes.
const USUAL_MODE: u32 = 0o666;

/// A new file that no other user may write, whatever the user allows for others.
const OWN_MODE: u32 = 0o644;

/// A file that is still being written. It is locked, and removed when dropped.
#[derive(Debug)]
pub(crate) struct TemporaryFile {
    file: NamedTempFile,
}

impl TemporaryFile {
    /// A new file in `folder`.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        Self::create_as(folder, [PREFIX, ""], USUAL_MODE)
    }

    /// As [`create`](Self::create), in a folder that users may share: the file can be trusted later
    /// because no other user may write it.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub(crate) fn create_own(folder: &Path) -> Result<Self> {
        Self::create_as(folder, [PREFIX, ""], OWN_MODE)
    }

    fn create_as(folder: &Path, [begin, end]: [&str; 2], mode: u32) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(begin).suffix(end);
        loop {
            let created = builder.make_in(folder, |path| create_new(path, mode));
            let mut file = created.map_err(Error::io("write to", folder))?;
            // Between its making and its locking another process may have taken the file for a
            // left one: it is theirs, or gone.
            let is_taken = match file.as_file().try_lock() {
                Err(TryLockError::WouldBlock) => true,
                // On the few file systems without locks, nobody else can lock this one either.
                Ok(()) | Err(TryLockError::Error(_)) => !is_at(file.as_file(), file.path()),
            };
            if !is_taken {
                return Ok(Self { file });
            }
            file.disable_cleanup(true);
        }
    }

    /// The file at `path` that an ended process left, locked; `None` if a process has it, or it is
    /// not surely such a file.
    ///
    /// It stays where it is when dropped, unless told [otherwise](Self::keep).
    pub(crate) fn adopt(path: &Path) -> Option<Self> {
        let file = open_unfollowed(File::options().read(true).write(true), path).ok()?;
        file.try_lock().ok()?;
        // It may have been renamed or removed between our opening and locking it.
        if !is_at(&file, path) {
            return None;
        }
        let mut file = NamedTempFile::from_parts(file, TempPath::try_from_path(path).ok()?);
        file.disable_cleanup(true);
        Some(Self { file })
    }

    /// Whether it stays when it is dropped.
    pub(crate) fn keep(&mut self, stays: bool) {
        self.file.disable_cleanup(stays);
    }

    /// Where it is.
    #[cfg(any(test, feature = "download"))]
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// The open file.
    pub(crate) fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Waits until all bytes are on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync_file(self.file.as_file())
    }

    /// As [`rename`](Self::rename), if nothing has the name `path`; says whether that was so.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn rename_new(self, path: &Path) -> Result<bool> {
        self.sync().map_err(Error::io("write", path))?;
        match self.file.persist_noclobber(path) {
            Ok(_) => {}
            Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            // Some file systems know no other way than to replace.
            Err(refused) if path.symlink_metadata().is_err() => {
                Self { file: refused.file }.rename(path)?;
            }
            Err(refused) => return Err(Error::io("write", path)(refused.error)),
        }
        sync_folder(folder_of(path))?;
        Ok(true)
    }

    /// Gives the file the name `path`, in place of what has that name, so that after a power cut
    /// either is there whole.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn rename(self, path: &Path) -> Result<File> {
        self.sync().map_err(Error::io("write", path))?;
        let file = self.rename_synced(path)?;
        sync_folder(folder_of(path))?;
        Ok(file)
    }

    /// As [`rename`](Self::rename), of a file that is synced, whose folder is to be.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn rename_synced(self, path: &Path) -> Result<File> {
        let renamed = self.file.persist(path);
        let file = renamed.map_err(|refused| Error::io("write", path)(refused.error))?;
        // A map of the file would keep the lock.
        let _ = file.unlock();
        Ok(file)
    }
}

/// What only downloads need, which go on with files that an ended process left.
#[cfg(feature = "download")]
impl TemporaryFile {
    /// As [`create_own`](Self::create_own), with a name that begins and ends so.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub(crate) fn create_own_named(folder: &Path, begin: &str, end: &str) -> Result<Self> {
        Self::create_as(folder, [begin, end], OWN_MODE)
    }

    /// Whether this user made it, and it has no other name.
    pub(crate) fn is_own(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let us = rustix::process::geteuid().as_raw();
            self.as_file().metadata().is_ok_and(|found| found.uid() == us && found.nlink() == 1)
        }
        #[cfg(not(unix))]
        true
    }

    /// The open file.
    pub(crate) fn as_file_mut(&mut self) -> &mut File {
        self.file.as_file_mut()
    }
}

impl Write for TemporaryFile {
    // Not by way of `NamedTempFile`, whose errors say a name that nobody gave.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

/// Makes the file at `path`, where nothing may be.
fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

/// Removes the temporary files that ended processes left in `folder`, as far as that is possible.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX)) {
            continue;
        }
        // Removed while it is locked, so that whoever made it and has not locked it yet sees that
        // it is gone.
        if let Some(mut left) = TemporaryFile::adopt(&entry.path()) {
            left.keep(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn what_is_left_is_swept_and_what_is_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let in_use = TemporaryFile::create(folder.path()).unwrap();
        fs::write(folder.path().join(".mnistry-killed"), "half").unwrap();
        fs::write(folder.path().join("other"), "kept").unwrap();
        fs::create_dir(folder.path().join(".mnistry-folder")).unwrap();
        assert_eq!(names(folder.path()), 4);
        sweep(folder.path());
        assert_eq!(names(folder.path()), 3);
        assert!(in_use.path().exists());
        drop(in_use);
        assert_eq!(names(folder.path()), 2);
    }

    #[test]
    fn who_sweeps_at_any_moment_takes_no_file_from_who_writes() {
        let folder = tempfile::tempdir().unwrap();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    sweep(folder.path());
                }
            });
            for round in 0..300 {
                let mut file = TemporaryFile::create(folder.path()).unwrap();
                file.write_all(b"whole").unwrap();
                let path = folder.path().join(round.to_string());
                let renamed = file.rename(&path);
                if renamed.is_err() || fs::read(&path).is_ok_and(|bytes| bytes != b"whole") {
                    is_over.store(true, Ordering::Relaxed);
                    panic!("{renamed:?}");
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
        assert_eq!(names(folder.path()), 300);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_of_such_a_name_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", ".mnistry-link"].map(|name| folder.path().join(name));
        fs::write(&file, "kept").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(TemporaryFile::adopt(&link).is_none());
        sweep(folder.path());
        assert_eq!(fs::read(&file).unwrap(), b"kept");
    }

    #[test]
    fn a_refusal_says_no_name_that_nobody_gave() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let said = TemporaryFile::create(&gone).unwrap_err().to_string();
        assert!(!said.contains(PREFIX), "{said}");
        let occupied = folder.path().join("occupied");
        fs::create_dir_all(occupied.join("by")).unwrap();
        let refused = TemporaryFile::create(folder.path()).unwrap().rename(&occupied);
        let said = refused.unwrap_err().to_string();
        assert!(!said.contains(PREFIX), "{said}");
        assert_eq!(names(folder.path()), 1);
    }
}
