//! Refusals of files of other programs: what they are says more than what they are not.

use std::path::Path;

use crate::data::formats::gzip;
use crate::data::{Bytes, Error, Problem};
use crate::files::{BEGINNING, Foreign, foreign};

/// `error`, or what its file is, where that is one of another program.
pub(super) fn or_what_it_is(error: Error) -> Error {
    let Error::Invalid { path, .. } = &error else { return error };
    match kind(path) {
        Some(kind) => Problem::Foreign(kind).at(path),
        None => error,
    }
}

/// What the file at `path` is, compressed by gzip or not, if it is one of another program.
fn kind(path: &Path) -> Option<Foreign> {
    let file = Bytes::map(path).ok()?;
    if gzip::is_gzip(&file) {
        return foreign(&gzip::beginning(&file, BEGINNING).ok()?);
    }
    foreign(file.get(..BEGINNING).unwrap_or(&file))
}
