//! Immutable bytes: a window on a memory-mapped file, or on memory of our own.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

use super::error::{Error, Result};
use super::known_sums::KnownSums;
use super::mapped_file::MappedFile;
use super::open::open_regular;
use super::stream;

/// A cheaply cloned window on a memory-mapped file or on owned bytes.
///
/// Other processes may change a mapped file: see [`check_unchanged`](Self::check_unchanged).
#[derive(Clone, Debug)]
pub struct Bytes {
    store: Arc<Store>,
    sums: Arc<KnownSums>,
    window: Range<usize>,
}

#[derive(Debug)]
enum Store {
    Mapped(MappedFile),
    /// A copy of what a window showed.
    Copied(Vec<u8>, Bytes),
    Owned(Vec<u8>),
}

impl Bytes {
    /// Maps the whole file at `path`, read-only.
    ///
    /// On Linux the first call installs a handler of SIGBUS for the process, which takes care of
    /// the pages of maps made here and passes on all else.
    ///
    /// # Errors
    /// When the file cannot be opened or mapped, or is no regular one.
    pub fn map(path: &Path) -> Result<Self> {
        let file = open_regular(path)?;
        Self::map_file(file, path).map_err(Error::io("map", path))
    }

    /// The whole file at `path`, mapped, or what comes out of the named pipe, the terminal or the
    /// socket that is there, read to its end; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be opened or read, is a folder, a stream of more than `most` bytes, or a named
    /// pipe into which nobody writes.
    pub fn read(path: &Path, most: u64) -> Result<Self> {
        match path.metadata() {
            Ok(found) if found.is_file() || found.is_dir() => Self::map(path),
            Err(_) if path != Path::new("-") => Self::map(path),
            _ => Ok(stream::read(path, most)?.into()),
        }
    }

    /// Maps a whole open file, read-only; `path` is what errors call it.
    pub(crate) fn map_file(file: File, path: &Path) -> io::Result<Self> {
        let map = MappedFile::new(file, path)?;
        Ok(Self::over(map.len(), Store::Mapped(map)))
    }

    fn over(len: usize, store: Store) -> Self {
        Self { store: Arc::new(store), sums: Arc::default(), window: 0..len }
    }

    /// These bytes in memory of our own, where they stay as they are now; whether their file stays
    /// so too is still [looked at](Self::check_unchanged).
    pub(crate) fn into_memory(self) -> Self {
        match &*self.store {
            Store::Owned(_) | Store::Copied(..) => self,
            Store::Mapped(_) => Self::over(self.len(), Store::Copied(self.to_vec(), self)),
        }
    }

    /// Whether the file, if there is one, is still as it was when it was mapped. Where it was cut
    /// short since, zeros may have been read; where it was written to, anything.
    ///
    /// Ask when what was computed of the bytes is about to be used: it takes a microsecond.
    ///
    /// # Errors
    /// When another process has changed it, or it can no longer be looked at.
    pub fn check_unchanged(&self) -> Result<()> {
        match &*self.store {
            Store::Mapped(file) => file.check_unchanged(),
            Store::Copied(_, of) => of.check_unchanged(),
            Store::Owned(_) => Ok(()),
        }
    }

    /// The bytes of `range` within this window, sharing the same store; `None` when out of bounds.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        self.get(range.clone())?;
        let start = self.window.start + range.start;
        let (store, sums) = (Arc::clone(&self.store), Arc::clone(&self.sums));
        Some(Self { store, sums, window: start..start + range.len() })
    }

    /// The CRC-32 of these bytes: by `compute`, unless it follows from what was computed before.
    pub(crate) fn crc32(&self, compute: impl FnOnce(&[u8]) -> u32) -> u32 {
        self.sums.sum(self.window.clone(), self.store.bytes(), compute)
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::over(bytes.len(), Store::Owned(bytes))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.store.bytes()[self.window.clone()]
    }
}

impl Store {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Copied(bytes, _) | Self::Owned(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    /// Long enough for the clock of a file system to have gone on.
    const TICK: Duration = Duration::from_millis(50);

    /// A mapped file of 10,000 ones, after `change` was done to it.
    fn changed(change: impl FnOnce(&Path)) -> (tempfile::TempDir, Bytes) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images");
        fs::write(&path, [1; 10_000]).unwrap();
        let bytes = Bytes::map(&path).unwrap();
        bytes.check_unchanged().unwrap();
        sleep(TICK);
        change(&path);
        (folder, bytes)
    }

    fn assert_is_told(bytes: &Bytes) {
        let told = bytes.check_unchanged().unwrap_err().to_string();
        assert!(
            told.ends_with(
                "images: changed while it was read: run again when nothing else writes to it"
            ),
            "{told}"
        );
    }

    fn write_in_place(path: &Path) {
        use std::io::Write;
        File::options().write(true).open(path).unwrap().write_all(&[2; 10]).unwrap();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_is_cut_short_reads_as_zeros_and_is_told_of() {
        for len in [0, 4096, 5000] {
            let cut = |path: &Path| File::options().write(true).open(path).unwrap().set_len(len);
            let (_folder, bytes) = changed(|path| cut(path).unwrap());
            assert_eq!(bytes.len(), 10_000);
            assert_eq!(bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>(), len);
            assert_is_told(&bytes);
        }
    }

    #[test]
    fn a_file_that_is_written_to_is_told_of() {
        let (_folder, bytes) = changed(write_in_place);
        assert_is_told(&bytes);
        assert_is_told(&bytes.slice(5000..6000).unwrap());
    }

    #[test]
    #[cfg(unix)]
    fn a_time_of_change_that_is_set_back_does_not_hide_it() {
        let (_folder, bytes) = changed(|path| {
            let modified = path.metadata().unwrap().modified().unwrap();
            write_in_place(path);
            File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
        });
        assert_is_told(&bytes);
    }

    #[test]
    fn a_file_that_grows_is_told_of() {
        let (_folder, bytes) = changed(|path| fs::write(path, [1; 20_000]).unwrap());
        assert_is_told(&bytes);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_is_replaced_renamed_away_or_shared_is_what_it_was() {
        for change in [
            |path: &Path| {
                let other = path.with_extension("new");
                fs::write(&other, [2; 10]).unwrap();
                fs::rename(other, path).unwrap();
            },
            |path: &Path| fs::remove_file(path).unwrap(),
            |path: &Path| fs::hard_link(path, path.with_extension("link")).unwrap(),
            |path: &Path| {
                use std::os::unix::fs::PermissionsExt;
                fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
            },
        ] {
            let (_folder, bytes) = changed(change);
            bytes.check_unchanged().unwrap();
            assert_eq!(*bytes, [1; 10_000]);
        }
    }

    #[test]
    fn a_copy_in_memory_stays_and_knows_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images");
        fs::write(&path, [1; 100]).unwrap();
        let copy = Bytes::map(&path).unwrap().slice(10..20).unwrap().into_memory();
        sleep(TICK);
        write_in_place(&path);
        fs::write(&path, []).unwrap();
        let window = copy.slice(0..5).unwrap().into_memory();
        assert_eq!((&*copy, &*window), (&[1; 10][..], &[1; 5][..]));
        assert_is_told(&copy);
        assert_is_told(&window);
        Bytes::from(vec![1]).into_memory().check_unchanged().unwrap();
    }
}
