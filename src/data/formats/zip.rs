//! Zip archives of text.

use super::zip_member::{self, ZipMember};
use super::{gzip, unpack};
use crate::data::Problem;

/// The names of the files in the archive `bytes`, sorted; what systems leave there for themselves is
/// none, and names that could not be shown are none of ours.
///
/// # Errors
/// When it cannot be read.
pub(in crate::data) fn members(bytes: &[u8]) -> Result<Vec<String>, Problem> {
    let archive = zip_member::open(bytes)?;
    let mut names = Vec::new();
    for name in archive.file_names() {
        let name = name.map_err(|said| Problem::Zip(said.to_string()))?;
        let is_shown = !name.chars().any(char::is_control);
        if is_shown && !name.ends_with('/') && !name.starts_with("__MACOSX/") {
            names.push(name.into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// What the file `name` in the archive `bytes` holds, which may be gzipped besides.
///
/// # Errors
/// When it is not there, is damaged or encrypted, or takes more memory than there is.
pub(in crate::data) fn text(bytes: &[u8], name: &str) -> Result<Vec<u8>, Problem> {
    let member = ZipMember::find(bytes, &mut zip_member::open(bytes)?, name)?;
    let len = member.len()?;
    let text = unpack::in_memory(len, |text| member.unpack_to(text, len))?;
    if gzip::is_gzip(&text) { gzip::text(&text) } else { Ok(text) }
}
