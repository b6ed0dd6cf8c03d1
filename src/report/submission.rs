//! Predictions as Kaggle's digit recogniser wants them: `ImageId,Label`, the images counted from 1.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

use crate::files::write_output;
use crate::report::error::Result;

/// The name of the predicted class of each image, in order, as CSV.
#[must_use]
pub fn submission(classes: impl Iterator<Item: AsRef<str>>) -> String {
    let mut text = String::from("ImageId,Label\n");
    for (index, class) in classes.enumerate() {
        // A string takes all that is written.
        let _ = writeln!(text, "{},{}", index + 1, field(class.as_ref()));
    }
    text
}

/// `name` as a field of a CSV file.
fn field(name: &str) -> Cow<'_, str> {
    match name.contains([',', '"']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")).into(),
        false => name.into(),
    }
}

/// Writes the name of the predicted class of each image, in order, to the CSV file at `path`: in place of a file
/// that is there; a device or a named pipe is written into.
///
/// # Errors
/// When it cannot be written.
pub fn write_submission(path: &Path, classes: impl Iterator<Item: AsRef<str>>) -> Result<()> {
    Ok(write_output(path, submission(classes).as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels_and_quoted_where_they_must_be() {
        let names = ["7", "Ankle boot", "a,b", "a\"b"];
        let expected = "ImageId,Label\n1,7\n2,Ankle boot\n3,\"a,b\"\n4,\"a\"\"b\"\n";
        assert_eq!(submission(names.iter()), expected);
    }
}
