//! How probable each class of each image is, as a table for other programs.

use std::fmt::Write;
use std::path::Path;

use super::submission::field;
use crate::data::{ClassNames, Split};
use crate::files::write_output;
use crate::report::error::Result;
use crate::train::Prediction;

/// Writes what a network predicts of the images of `split` to the CSV file at `path`, in place of a
/// file that is there; a device or a named pipe is written into.
///
/// A line an image: `index,label,predicted,p0,p1 …`. Label and prediction are names of classes; the
/// probabilities of the classes, in the order of `names`, are the softmax of the logits, and are read
/// back to the bit.
///
/// # Errors
/// When it cannot be written.
pub fn write_probabilities(
    path: &Path,
    split: &Split,
    predictions: &[Prediction],
    names: &ClassNames,
) -> Result<()> {
    Ok(write_output(path, probabilities(split, predictions, names).as_bytes())?)
}

/// The table as text.
fn probabilities(split: &Split, predictions: &[Prediction], names: &ClassNames) -> String {
    let classes = predictions.first().map_or(0, |prediction| prediction.probabilities.len());
    let mut text = String::from("index,label,predicted");
    // A string takes all that is written.
    (0..classes).for_each(|class| _ = write!(text, ",p{class}"));
    let name = |class: usize| names.name(class).into_owned();
    for (index, (&label, prediction)) in split.labels().iter().zip(predictions).enumerate() {
        let (label, predicted) = (name(usize::from(label)), name(prediction.class));
        let _ = write!(text, "\n{index},{},{}", field(&label), field(&predicted));
        prediction.probabilities.iter().for_each(|p| _ = write!(text, ",{p}"));
    }
    text + "\n"
}
