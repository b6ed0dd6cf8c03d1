//! The values of a CSV file, once it is known which column is what.

use ::csv::ByteRecord;

use super::columns::Columns;
use super::{Labels, Parsed, Text, number, start_of};
use crate::data::formats::{Array, Element, Layout};
use crate::data::scaling::{Scaling, Span};
use crate::data::{CsvProblem, Problem};
use crate::memory::{Need, reserve};

/// What is asked of memory, and for what.
const READING: (&str, &str) = ("reading the data", "the pixels of a CSV file");

/// Reads all rows.
///
/// # Errors
/// When one is shorter or longer than the first, a pixel is no number, or there are none.
pub(super) fn read(text: Text<'_>, has_header: bool, columns: Columns) -> Result<Parsed, Problem> {
    // Nearly all files have bytes; the others are read once more.
    let (elements, element, rest) = match pixels(text, has_header, &columns, byte)? {
        Read::All(bytes, rest) => (bytes, Element::U8, rest),
        Read::Other(first) => match pixels(text, has_header, &columns, float)? {
            Read::All(floats, rest) => {
                let span = Span::of(floats.iter().map(|bytes| f32::from_le_bytes(*bytes).into()));
                // What is wrong with all of them shows in the first.
                Scaling::of(span).map_err(|_| first)?;
                (floats.into_flattened(), Element::F32, rest)
            }
            Read::Other(problem) => return Err(problem),
        },
    };
    let Columns { shape, note, .. } = columns;
    let rows = elements.len() / element.size() / shape.pixels().max(1);
    if rows == 0 {
        return Err(if has_header { CsvProblem::OnlyHeader.into() } else { Problem::Empty });
    }
    let layout = Layout::new(vec![rows, shape.height, shape.width], element, 0)?;
    let images = Array::new(&elements.into(), &layout)?;
    let Rest { labels, ids } = rest;
    Ok(Parsed { images, labels, ids, note })
}

/// What a file has besides pixels.
struct Rest {
    labels: Option<Labels>,
    ids: Option<Vec<String>>,
}

/// What came of reading all rows.
enum Read<T> {
    /// Their pixels, and the rest.
    All(Vec<T>, Rest),
    /// The first number that is nothing of what was looked for.
    Other(Problem),
}

/// The pixels of all rows, each as what `pixel` makes of its field, and the rest.
fn pixels<T>(
    text: Text<'_>,
    has_header: bool,
    columns: &Columns,
    pixel: impl Fn(&[u8]) -> Option<T>,
) -> Result<Read<T>, Problem> {
    // A pixel takes two bytes of text or more.
    let most = text.0.len() / 2 + 1;
    let need = Need::default().and(READING.1, (most * size_of::<T>()) as u128);
    need.check(READING.0, "fewer or smaller images")?;
    let mut pixels = Vec::new();
    reserve(&mut pixels, most, READING)?;
    let mut labels = columns.label.map(|_| Labels::default());
    let mut ids = columns.id.map(|_| Vec::new());
    let mut other = None;
    text.each_row(has_header, |_, row| {
        if row.len() != columns.count {
            let (line, found) = (text.line_of(row), row.len());
            return Err(CsvProblem::Columns { line, found, expected: columns.count }.into());
        }
        let refused = |at: usize, field: &[u8]| {
            let (line, column) = (text.line_of(row), at + 1);
            Problem::from(CsvProblem::Field { line, column, text: start_of(field) })
        };
        for &at in &columns.pixels {
            let field = row.get(at).unwrap_or_default();
            match pixel(field) {
                Some(value) => pixels.push(value),
                None if number(field).is_some_and(f64::is_finite) => {
                    other.get_or_insert_with(|| refused(at, field));
                }
                None => return Err(refused(at, field)),
            }
        }
        if let (Some(labels), Some(at)) = (&mut labels, columns.label) {
            let field = row.get(at).unwrap_or_default();
            labels.add(field).ok_or_else(|| {
                let (line, column) = (text.line_of(row), at + 1);
                CsvProblem::NoLabel { line, column, text: start_of(field) }
            })?;
        }
        if let (Some(ids), Some(at)) = (&mut ids, columns.id) {
            ids.push(text_of(row, at));
        }
        Ok(())
    })?;
    pixels.shrink_to_fit();
    Ok(match other {
        Some(first) => Read::Other(first),
        None => Read::All(pixels, Rest { labels, ids }),
    })
}

fn text_of(row: &ByteRecord, at: usize) -> String {
    String::from_utf8_lossy(row.get(at).unwrap_or_default().trim_ascii()).into_owned()
}

/// The whole number from 0 to 255 that `field` is.
fn byte(field: &[u8]) -> Option<u8> {
    let digits = field.trim_ascii();
    let value = |sum: u8, digit: &u8| {
        let digit = digit.checked_sub(b'0').filter(|&digit| digit < 10)?;
        sum.checked_mul(10)?.checked_add(digit)
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, value) }
}

/// The finite number that `field` is, as an array of them keeps it.
fn float(field: &[u8]) -> Option<[u8; 4]> {
    let number = number(field).map(|number| number as f32).filter(|number| number.is_finite())?;
    Some(number.to_le_bytes())
}
