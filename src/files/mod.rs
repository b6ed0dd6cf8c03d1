//! Files: written whole or not at all, read no further than expected, mapped into memory.

mod bytes;
mod error;

pub use bytes::Bytes;
pub use error::Error;
pub(crate) use error::Result;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes `bytes` to a temporary file beside `path` and renames it into place.
///
/// # Errors
/// When the folder cannot be written; `path` is then as it was.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    write_parts_atomically(path, &[bytes])
}

/// As [`write_atomically`], with several slices of bytes one after the other.
///
/// # Errors
/// As [`write_atomically`].
pub(crate) fn write_parts_atomically(path: &Path, parts: &[&[u8]]) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = temporary_file_in(folder)?;
    for part in parts {
        file.write_all(part).map_err(Error::io("write", path))?;
    }
    file.persist(path).map_err(|error| Error::io("write", path)(error.error))?;
    Ok(())
}

/// A new temporary file in `folder`, to be persisted; removed when dropped.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn temporary_file_in(folder: &Path) -> Result<NamedTempFile> {
    named_temporary_file_in(folder, ".mnistry-", "")
}

/// As [`temporary_file_in`], with a name that begins and ends so.
///
/// # Errors
/// As [`temporary_file_in`].
pub(crate) fn named_temporary_file_in(
    folder: &Path,
    prefix: &str,
    suffix: &str,
) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // As readable as any file that the user makes; the default is for its owner's eyes only.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.prefix(prefix).suffix(suffix).tempfile_in(folder).map_err(Error::io("write to", folder))
}

/// Reads the whole file at `path` unless it holds more than `limit` bytes.
///
/// # Errors
/// When it cannot be read or is too large.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Makes the folder at `path`, and those above it.
///
/// # Errors
/// When the system refuses.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(Error::io("create the folder", path))
}
