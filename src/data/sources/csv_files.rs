//! CSV files of images: one, of which a part is held out as the test set, or two.

use std::path::Path;

use crate::data::formats::csv::{self, Table};
use crate::data::{Dataset, Error, Result};
use crate::files::Bytes;

impl Table {
    /// Reads the CSV file at `path`: a row an image, with its label first or without one, then the
    /// pixels of a square from 0 to 255, row by row.
    ///
    /// # Errors
    /// When it cannot be read or is not such a file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = Bytes::map(path)?;
        let table = csv::parse(&file);
        file.check_unchanged()?;
        table.map_err(|problem| problem.at(path))
    }
}

/// The data set of the CSV file at `path`, of which a part is held out as the test set.
pub(super) fn open(name: String, path: &Path) -> Result<Dataset> {
    let dataset = Table::open(path)?.into_split().and_then(|all| Dataset::hold_out(name, &all));
    dataset.map_err(|problem| problem.at(path))
}

/// The data set of two CSV files. Where those at `test` have no labels, as Kaggle's, nothing can
/// be tested with them, and a part of the others is held out for that.
pub(super) fn open_both(name: String, train: &Path, test: &Path) -> Result<Dataset> {
    let table = Table::open(test)?;
    if table.labels().is_none() {
        return open(name, train);
    }
    let split = Table::open(train)?.into_split().map_err(|problem| problem.at(train))?;
    let both = table.into_split().and_then(|test| Dataset::new(name, split, test));
    both.map_err(|problem| problem.at(test))
}
