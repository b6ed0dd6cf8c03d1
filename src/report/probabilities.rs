//! How probable each class of each image is, as a table for other programs.

use std::fmt::Write;
use std::path::Path;

use super::submission::field;
use crate::data::{ClassNames, Split};
use crate::files::write_output;
use crate::report::error::Result;
use crate::train::Prediction;

/// Predictions as CSV: a line an image, with the probabilities of all classes, `p0,p1 …`, behind what
/// else is said of it. They are the softmax of the logits, and are read back to the bit.
#[derive(Clone, Debug)]
pub struct ProbabilityTable {
    text: String,
}

impl ProbabilityTable {
    /// A table without images, whose lines say this of each, and the probabilities of as many classes.
    #[must_use]
    pub fn new(columns: &[&str], classes: usize) -> Self {
        let mut text = columns.join(",");
        // A string takes all that is written.
        (0..classes).for_each(|class| _ = write!(text, ",p{class}"));
        Self { text: text + "\n" }
    }

    /// Adds an image, of which `fields` say what the columns are for, and its probabilities.
    pub fn add(&mut self, fields: &[&str], probabilities: &[f32]) {
        let fields: Vec<_> = fields.iter().map(|text| field(text)).collect();
        self.text += &fields.join(",");
        // A string takes all that is written.
        probabilities.iter().for_each(|p| _ = write!(self.text, ",{p}"));
        self.text.push('\n');
    }

    /// Writes the table to the file at `path`, in place of a file that is there; a device or a named
    /// pipe is written into.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        Ok(write_output(path, self.text.as_bytes())?)
    }
}

/// Writes what a network predicts of the images of `split` to the CSV file at `path`, a
/// [`ProbabilityTable`] of `index,label,predicted`, of which the last two are names of classes.
///
/// # Errors
/// When it cannot be written.
pub fn write_probabilities(
    path: &Path,
    split: &Split,
    predictions: &[Prediction],
    names: &ClassNames,
) -> Result<()> {
    let classes = predictions.first().map_or(0, |prediction| prediction.probabilities.len());
    let mut table = ProbabilityTable::new(&["index", "label", "predicted"], classes);
    for (index, (&label, prediction)) in split.labels().iter().zip(predictions).enumerate() {
        let (label, predicted) = (names.name(label.into()), names.name(prediction.class));
        table.add(&[&index.to_string(), &label, &predicted], &prediction.probabilities);
    }
    table.write(path)
}
