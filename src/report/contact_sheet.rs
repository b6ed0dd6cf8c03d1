//! A contact sheet as a picture.

use std::path::Path;

use crate::data::{Split, contact_sheet};
use crate::files::write_output;
use crate::report::error::Result;

/// Writes the first `columns` images of each class, one row a class, to the PNG file at `path`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_contact_sheet(path: &Path, images: &Split, columns: usize) -> Result<()> {
    let sheet = contact_sheet(images, columns).to_png()?;
    Ok(write_output(path, &sheet)?)
}
