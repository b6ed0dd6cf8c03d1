//! Files: written whole or not at all, so that a power cut does no harm; read no further than
//! expected; mapped into memory; locked, and swept away where they are only temporary.

mod bytes;
mod csv_text;
mod durable;
mod error;
#[cfg_attr(not(target_os = "linux"), path = "no_guard.rs")]
mod foreign;
mod guard;
mod known_sums;
mod line_file;
mod lock;
mod mapped_file;
mod numbered_folder;
mod one_line;
mod open;
mod output;
mod output_folder;
mod staged;
mod stream;
mod temporary;

pub use bytes::Bytes;
pub(crate) use csv_text::csv_text;
pub(crate) use durable::{create_folder, folder_of, sync_folder};
pub use error::Error;
pub(crate) use error::Result;
pub use foreign::Foreign;
pub(crate) use foreign::{BEGINNING, foreign};
pub(crate) use line_file::{LineFile, whole_lines};
pub(crate) use lock::Lock;
pub(crate) use numbered_folder::{create_next_folder_in, numbers_in};
pub(crate) use one_line::OneLine;
#[cfg(feature = "download")]
pub(crate) use open::is_of_no_stranger;
pub(crate) use open::{is_ours_alone, open_regular, open_unfollowed};
#[cfg(feature = "download")]
pub(crate) use output::lies_in;
pub(crate) use output::{check_output, check_writable, is_same_file, write_output};
pub(crate) use output_folder::{check_output_folder, write_output_folder};
pub(crate) use staged::StagedFiles;
pub(crate) use temporary::{TemporaryFile, sweep};

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// Writes `bytes` to a temporary file beside `path` and renames it into place, so that whatever
/// happens, a power cut too, either what was there or all of `bytes` is found.
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
    let mut file = TemporaryFile::create(folder_of(path))?;
    for part in parts {
        file.write_all(part).map_err(Error::io("write", path))?;
    }
    file.rename(path)?;
    Ok(())
}

/// Reads the whole file at `path` unless it holds more than `limit` bytes.
///
/// # Errors
/// When it cannot be read, is too large or is no regular file.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = open_regular(path)?;
    let too_large = || Error::TooLarge { path: path.to_owned(), limit };
    // By its length before a byte is read, and by its bytes, as it may grow meanwhile.
    if file.metadata().map_err(Error::io("read", path))?.len() > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Opens the regular file at `path` itself, to add to its end.
///
/// # Errors
/// When it cannot be opened so, or something else is there.
fn open_to_append(path: &Path) -> Result<File> {
    open_unfollowed(File::options().append(true), path).map_err(Error::io("write", path))
}
