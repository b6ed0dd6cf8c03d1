//! Unpacked copies of compressed files, kept so that each is unpacked once and then mapped.
//!
//! A copy is named by the length and the CRC-32 of the compressed file, and taken only if it is what
//! that unpacks to by the file's own checksums: so two have to agree by chance before it is that of
//! another one. It is written to a temporary file in the same folder and renamed, so that other processes
//! see it whole or not at all. Where the folder cannot be written, copies are made in memory.

use std::fs::File;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::data::Problem;
use crate::data::checksum::crc32_of;
use crate::data::formats::unpack;
use crate::data::formats::unpack::{Compressed, UnpackError};
use crate::files::{Bytes, TemporaryFile, create_folder, is_ours_alone, open_unfollowed, sweep};

/// The folder of unpacked copies. Whatever is in it may be deleted at any time.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The folder that `MNISTRY_CACHE_DIR` names, else the platform's usual one.
    #[must_use]
    pub fn from_env() -> Self {
        let named = super::path_from_env("MNISTRY_CACHE_DIR");
        let usual = || Some(ProjectDirs::from("", "", "mnistry")?.cache_dir().to_owned());
        Self { folder: named.or_else(usual) }
    }

    /// The folder at `path`, which is made when it is first needed.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { folder: Some(path.into()) }
    }

    /// Where copies are kept; `None` where the platform has no place for them.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The unpacked copy of `file`: the one in the folder if it is good, else a new one.
    pub(super) fn unpacked<P: Compressed>(&self, file: &P) -> Result<Bytes, Problem> {
        let Some(folder) = &self.folder else {
            return Ok(unpack::to_memory(file)?.into());
        };
        let compressed = file.compressed();
        let (sum, len) = (crc32_of(compressed), compressed.len());
        let path = folder.join(format!("{sum:08x}-{len}.{}", P::EXTENSION));
        // Also where nothing is to be unpacked: another process may have been killed at it since.
        sweep(folder);
        if let Some(copy) = kept(file, &path) {
            return Ok(copy);
        }
        match write(file, folder, &path) {
            Ok(copy) => Ok(copy),
            Err(UnpackError::Compressed(problem)) => Err(problem),
            Err(UnpackError::Write(_)) => Ok(unpack::to_memory(file)?.into()),
        }
    }
}

/// The copy of `file` at `path`, if it is good. Others may write into the folder too, and a copy may
/// have been damaged since it was made, by a full disk or a crash for example.
fn kept(file: &impl Compressed, path: &Path) -> Option<Bytes> {
    let copy = open_unfollowed(File::options().read(true), path).ok()?;
    let copy = is_ours_alone(&copy).then(|| Bytes::map_file(copy, path))?.ok()?;
    file.unpacks_to(&copy).then_some(copy)
}

fn write(file: &impl Compressed, folder: &Path, path: &Path) -> Result<Bytes, UnpackError> {
    create_folder(folder)?;
    let mut copy = TemporaryFile::create_own(folder)?;
    file.unpack_to(&mut copy)?;
    let copy = copy.rename(path)?;
    Bytes::map_file(copy, path).map_err(UnpackError::Write)
}
