//! Files that a user names to be written.

use std::path::Path;

use crate::files;
use crate::report::error::Result;

/// Whether a file can be written to `path`, before the work for it is done: it is no folder, and
/// none of `inputs`, which are read for it, by whichever name.
///
/// # Errors
/// When it is one.
pub fn check_output<P: AsRef<Path>>(
    path: &Path,
    inputs: impl IntoIterator<Item = P>,
) -> Result<()> {
    Ok(files::check_output(path, inputs)?)
}

/// Whether a file can be made where `path` is, or the folder that it would be in, before long work for it
/// is done.
///
/// # Errors
/// When the system refuses that.
pub fn check_writable(path: &Path) -> Result<()> {
    Ok(files::check_writable(path)?)
}

/// Whether files can be written into a folder at `path`, before the work for them is done: there is
/// none yet, or nothing is in it.
///
/// # Errors
/// When something is.
pub fn check_output_folder(path: &Path) -> Result<()> {
    Ok(files::check_output_folder(path)?)
}
