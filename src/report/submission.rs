//! Predictions as Kaggle's digit recogniser wants them: `ImageId,Label`, the images counted from 1.

use std::fmt::Write;
use std::path::Path;

use crate::files::write_output;
use crate::report::error::Result;

/// The predicted class of each image, in order, as CSV.
#[must_use]
pub fn submission(classes: impl Iterator<Item = usize>) -> String {
    let mut text = String::from("ImageId,Label\n");
    for (index, class) in classes.enumerate() {
        // A string takes all that is written.
        let _ = writeln!(text, "{},{class}", index + 1);
    }
    text
}

/// Writes the predicted class of each image, in order, to the CSV file at `path`: in place of a file
/// that is there; a device or a named pipe is written into.
///
/// # Errors
/// When it cannot be written.
pub fn write_submission(path: &Path, classes: impl Iterator<Item = usize>) -> Result<()> {
    Ok(write_output(path, submission(classes).as_bytes())?)
}
