//! Images as CSV: a row an image.
//!
//! ```text
//! label,pixel0,pixel1,…    a header, which may be missing
//! 7,0,0,12,255,…           the label, where there is one, as a number or as text; and the pixels,
//!                          row by row; images are square
//! ```
//!
//! `columns` tells which column is what, `header` what names say of it, `evidence` what values do.

mod columns;
mod evidence;
mod header;
mod labels;
mod rows;

pub(in crate::data) use labels::Labels;

use ::csv::{ByteRecord, Reader, ReaderBuilder};

use self::columns::Columns;
use self::evidence::Facts;
use super::Array;
use crate::data::{CsvProblem, Problem, ReadOptions};

/// What a CSV file holds.
#[derive(Clone, Debug)]
pub(in crate::data) struct Parsed {
    /// Count × height × width.
    pub(in crate::data) images: Array,
    /// Where there are any.
    pub(in crate::data) labels: Option<Labels>,
    /// What the rows are called, where a column says so.
    pub(in crate::data) ids: Option<Vec<String>>,
    /// What was taken for what.
    pub(in crate::data) note: String,
}

/// Reads the CSV file `bytes`.
///
/// # Errors
/// When `bytes` are not [such a file](self), or it is not clear what their columns are; the problem
/// says in which line and column.
pub(in crate::data) fn parse(bytes: &[u8], options: &ReadOptions) -> Result<Parsed, Problem> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(CsvProblem::Utf16.into());
    }
    let text = Text(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let mut first = ByteRecord::new();
    next(&mut text.rows(), &mut first)?;
    let count = first.len();
    if count == 0 {
        return Err(Problem::Empty);
    }
    if let (1, Some(separator)) = (count, first.iter().flatten().find(|c| b";\t".contains(c))) {
        return Err(CsvProblem::Separator(char::from(*separator)).into());
    }
    let header = Some(first).filter(|first| !options.no_header && header::is_header(first));
    let columns = Columns::of(count, header.as_ref(), options, |places| {
        let mut facts: Vec<_> = places.iter().map(|_| Facts::default()).collect();
        text.each_row(header.is_some(), |_, row| {
            for (facts, &at) in facts.iter_mut().zip(places) {
                facts.add(row.get(at).unwrap_or_default());
            }
            Ok(())
        })?;
        Ok(facts.iter().map(Facts::kind).collect())
    })?;
    rows::read(text, header.is_some(), columns)
}

/// The text of a file.
#[derive(Clone, Copy)]
struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    fn rows(self) -> Reader<&'a [u8]> {
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(self.0)
    }

    /// Has each row looked at, after the header where there is one, with its number from 0.
    fn each_row(
        self,
        has_header: bool,
        mut look: impl FnMut(usize, &ByteRecord) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let (mut rows, mut row) = (self.rows(), ByteRecord::new());
        if has_header {
            next(&mut rows, &mut row)?;
        }
        let mut number = 0;
        while next(&mut rows, &mut row)? {
            look(number, &row)?;
            number += 1;
        }
        Ok(())
    }

    /// The line of `row`, from 1. The position that `row` has is before the empty lines that were
    /// skipped.
    fn line_of(self, row: &ByteRecord) -> usize {
        let start = row.position().and_then(|position| usize::try_from(position.byte()).ok());
        let start = start.unwrap_or(0).min(self.0.len());
        let (before, rest) = self.0.split_at(start);
        let skipped = rest.iter().take_while(|byte| b"\r\n".contains(byte));
        before.iter().chain(skipped).filter(|&&byte| byte == b'\n').count() + 1
    }
}

/// Reads the next row, if there is one.
fn next(rows: &mut Reader<&[u8]>, row: &mut ByteRecord) -> Result<bool, Problem> {
    rows.read_byte_record(row).map_err(|said| Problem::Damaged(said.to_string()))
}

/// The number that a field is.
fn number(field: &[u8]) -> Option<f64> {
    str::from_utf8(field).ok()?.trim().parse().ok()
}

/// What a field starts with, to be shown.
fn start_of(field: &[u8]) -> String {
    let start = field.get(..20).unwrap_or(field);
    String::from_utf8_lossy(start).escape_debug().to_string()
}
