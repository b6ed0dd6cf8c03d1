//! A whole file, mapped into memory, and whether it is still the one that was mapped.

use std::fs::{File, Metadata};
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use memmap2::{Mmap, MmapOptions};

use super::error::{Error, Result};
use super::guard::Guard;

/// A mapped file, which is held open.
#[derive(Debug)]
pub(super) struct MappedFile {
    // Dropped before the map that it guards.
    guard: Guard,
    map: Mmap,
    file: File,
    path: PathBuf,
    stamp: Stamp,
}

/// What tells a file from the same one after a change.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    len: u64,
    /// When its bytes changed the last time.
    modified: Option<SystemTime>,
    inode: Inode,
}

impl MappedFile {
    /// Maps the whole open `file`, which is at `path`, read-only.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn new(file: File, path: &Path) -> io::Result<Self> {
        // Looked at first: what changes from now on is noticed.
        let stamp = Stamp::of(&file.metadata()?);
        let len = usize::try_from(stamp.len).map_err(io::Error::other)?;
        #[allow(unsafe_code, reason = "mapping a file is this module's purpose")]
        // SAFETY: the map is ours alone and only ever read, and stays where it is as long as there
        // are references into it. That its bytes do not change while they are read, which Rust
        // takes for granted, holds as long as nobody writes to the file in place or cuts it short;
        // no program can keep others from that. What holds then: lost pages read as zeros
        // (`Guard`); any byte is a pixel, and nothing that is computed from pixels is an address or
        // an index that is not checked; what has to keep a meaning is copied before it is checked
        // (`Bytes::into_memory`); and the change is told of (`check_unchanged`) before results are.
        let map = unsafe { MmapOptions::new().len(len).map(&file) }?;
        let guard = Guard::over(&map)?;
        Ok(Self { guard, map, file, path: path.to_owned(), stamp })
    }

    /// Whether all bytes are still those that were mapped, as far as the system tells.
    ///
    /// # Errors
    /// When they are not, or the file can no longer be looked at.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        let found = self.file.metadata().map_err(Error::io("look at", &self.path))?;
        if self.guard.has_lost_pages() || Stamp::of(&found).is_changed_since(&self.stamp) {
            return Err(Error::Changed { path: self.path.clone() });
        }
        Ok(())
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { len: metadata.len(), modified: metadata.modified().ok(), inode: Inode::of(metadata) }
    }

    fn is_changed_since(&self, before: &Self) -> bool {
        (self.len, self.modified) != (before.len, before.modified)
            || self.inode.is_changed_since(&before.inode)
    }
}

/// What else the system knows of a file.
#[cfg(unix)]
#[derive(Debug, PartialEq, Eq)]
struct Inode {
    /// When anything of it changed the last time: nobody can set that.
    changed: (i64, i64),
    /// What changes that time too, and leaves the bytes alone: names, permissions, the owner.
    others: [u64; 4],
}

#[cfg(unix)]
impl Inode {
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;

        let owner = [u64::from(metadata.uid()), u64::from(metadata.gid())];
        Self {
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            others: [metadata.nlink(), u64::from(metadata.mode()), owner[0], owner[1]],
        }
    }

    /// Whether it changed in a way that the others do not explain, such as a time of change that was
    /// set back. A file that was replaced by another one loses its name, and stays what it was.
    fn is_changed_since(&self, before: &Self) -> bool {
        self.changed != before.changed && self.others == before.others
    }
}

#[cfg(not(unix))]
#[derive(Debug, PartialEq, Eq)]
struct Inode;

#[cfg(not(unix))]
impl Inode {
    fn of(_: &Metadata) -> Self {
        Self
    }

    fn is_changed_since(&self, _: &Self) -> bool {
        false
    }
}
