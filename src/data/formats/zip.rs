//! Zip archives of text.

use std::borrow::Cow;
use std::io::Cursor;

use ::zip::ZipArchive;

use super::unpack;
use crate::data::Problem;

/// The names of the files in the archive `bytes`, in order; what systems leave there for themselves
/// is none.
///
/// # Errors
/// When it cannot be read.
pub(in crate::data) fn members(bytes: &[u8]) -> Result<Vec<String>, Problem> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    let names = archive.file_names().map(|name| name.map(Cow::into_owned).map_err(unreadable));
    let mut names = names.collect::<Result<Vec<_>, _>>()?;
    names.retain(|name| !name.ends_with('/') && !name.starts_with("__MACOSX/"));
    names.sort();
    Ok(names)
}

/// What the file `name` in the archive `bytes` holds.
///
/// # Errors
/// When it is not there, is damaged or encrypted, or takes more memory than there is.
pub(in crate::data) fn text(bytes: &[u8], name: &str) -> Result<Vec<u8>, Problem> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    let file = archive.by_name(name).map_err(unreadable)?;
    let compressed = usize::try_from(file.compressed_size()).unwrap_or(usize::MAX);
    let text = unpack::to_text(file, compressed.min(bytes.len()))?;
    if super::gzip::is_gzip(&text) { super::gzip::text(&text) } else { Ok(text) }
}

fn unreadable(said: ::zip::result::ZipError) -> Problem {
    Problem::Zip(said.to_string())
}
