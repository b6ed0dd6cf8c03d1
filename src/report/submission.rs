//! Predictions as Kaggle's digit recogniser wants them: `ImageId,Label`, the images by
//! their ids, or counted from 1.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

use crate::files::write_output;
use crate::report::error::Result;

/// What each image is called and the name of its predicted class, in order, as CSV.
#[must_use]
pub fn submission<'a>(images: impl Iterator<Item = (String, &'a str)>) -> String {
    let mut text = String::from("ImageId,Label\n");
    for (id, class) in images {
        // A string takes all that is written.
        let _ = writeln!(text, "{},{}", field(&id), field(class));
    }
    text
}

/// `name` as a field of a CSV file.
pub(super) fn field(name: &str) -> Cow<'_, str> {
    match name.contains([',', '"']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")).into(),
        false => name.into(),
    }
}

/// Writes [that](submission) to the CSV file at `path`: in place of a file that is there; a device
/// or a named pipe is written into.
///
/// # Errors
/// When it cannot be written.
pub fn write_submission<'a>(
    path: &Path,
    images: impl Iterator<Item = (String, &'a str)>,
) -> Result<()> {
    Ok(write_output(path, submission(images).as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels_and_quoted_where_they_must_be() {
        let names = ["7", "Ankle boot", "a,b", "a\"b"];
        let expected = "ImageId,Label\n1,7\n2,Ankle boot\n3,\"a,b\"\n4,\"a\"\"b\"\n";
        let ids = (1..).map(|id: usize| id.to_string());
        assert_eq!(submission(ids.zip(names)), expected);
    }
}
