//! Rows as the text of a CSV file.

use std::io;

use super::error::{Error, Result};

/// `rows` as CSV.
///
/// # Errors
/// When a row is of another length than the first.
pub(crate) fn csv_text<Row>(rows: impl Iterator<Item = Row>) -> Result<Vec<u8>>
where
    Row: IntoIterator<Item = String>,
{
    let refused = |error: io::Error| Error::io("write", "a table")(error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|error| refused(error.into()))?;
    }
    writer.into_inner().map_err(|error| refused(error.into_error()))
}
