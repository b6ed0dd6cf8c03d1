//! Predictions as Kaggle's digit recogniser wants them: `ImageId,Label`, the images counted from 1.

use std::path::Path;

use crate::files::write_atomically;
use crate::report::error::{Error, Result};

/// Writes the predicted class of each image, in order, to the CSV file at `path`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_submission(path: &Path, classes: impl Iterator<Item = usize>) -> Result<()> {
    let refused = |error: csv::Error| Error::io("write", path)(error.into());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["ImageId", "Label"]).map_err(refused)?;
    for (index, class) in classes.enumerate() {
        writer
            .write_record([index + 1, class].map(|number| number.to_string()))
            .map_err(refused)?;
    }
    let text = writer.into_inner().map_err(|error| refused(error.into_error().into()))?;
    Ok(write_atomically(path, &text)?)
}
