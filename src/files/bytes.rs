//! Immutable bytes: a window on a memory-mapped file, or on memory of our own.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use super::error::{Error, Result};
use super::open::open_regular;

/// A cheaply cloned window on a memory-mapped file or on owned bytes.
#[derive(Clone, Debug)]
pub struct Bytes {
    store: Arc<Store>,
    window: Range<usize>,
}

#[derive(Debug)]
enum Store {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl Bytes {
    /// Maps the whole file at `path`, read-only.
    ///
    /// # Errors
    /// When the file cannot be opened or mapped, or is no regular one.
    pub fn map(path: &Path) -> Result<Self> {
        let file = open_regular(path)?;
        Self::map_file(&file).map_err(Error::io("map", path))
    }

    /// Maps a whole open file, read-only.
    pub(crate) fn map_file(file: &File) -> io::Result<Self> {
        #[allow(unsafe_code, reason = "mapping a file is this module's purpose")]
        // SAFETY: the map is private to us and only ever read. A file that another process
        // truncates or rewrites meanwhile is outside what a program can guard against; our own
        // cache files are never changed in place (they are renamed into position).
        let map = unsafe { Mmap::map(file) }?;
        let window = 0..map.len();
        Ok(Self { store: Arc::new(Store::Mapped(map)), window })
    }

    /// The bytes of `range` within this window, sharing the same store; `None` when out of bounds.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        self.get(range.clone())?;
        let start = self.window.start + range.start;
        Some(Self { store: Arc::clone(&self.store), window: start..start + range.len() })
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        let window = 0..bytes.len();
        Self { store: Arc::new(Store::Owned(bytes)), window }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let all: &[u8] = match &*self.store {
            Store::Mapped(map) => map,
            Store::Owned(bytes) => bytes,
        };
        &all[self.window.clone()]
    }
}
