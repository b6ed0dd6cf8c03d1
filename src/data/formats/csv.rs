//! Images as CSV, as Kaggle's digit recogniser has them: a row an image.
//!
//! ```text
//! label,pixel0,pixel1,…    a header, which may be missing
//! 7,0,0,12,255,…           the label, which all rows have or none, and the pixels from 0 to 255,
//!                          row by row; images are square
//! ```

use ::csv::{ByteRecord, ReaderBuilder};

use crate::data::{Problem, Split};
use crate::files::Bytes;
use crate::image::ImageShape;

/// The images of a CSV file, and their labels where it has them.
#[derive(Clone, Debug)]
pub struct Table {
    shape: ImageShape,
    pixels: Bytes,
    labels: Option<Bytes>,
}

impl Table {
    /// Height and width of every image.
    #[must_use]
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// All pixels: count × `height` × `width`.
    #[must_use]
    pub fn pixels(&self) -> &Bytes {
        &self.pixels
    }

    /// One label an image, where there are any.
    #[must_use]
    pub fn labels(&self) -> Option<&Bytes> {
        self.labels.as_ref()
    }

    /// The images with their labels.
    pub(crate) fn into_split(self) -> Result<Split, Problem> {
        let labels = self.labels.ok_or(Problem::NoLabels)?;
        Split::new(self.shape, self.pixels, labels)
    }
}

/// Reads the CSV file `bytes`.
///
/// # Errors
/// When `bytes` are not [such a file](self); the problem says in which line and column.
pub fn parse(bytes: &[u8]) -> Result<Table, Problem> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Problem::Utf16);
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut row = ByteRecord::new();
    let mut next = |row: &mut ByteRecord| {
        reader.read_byte_record(row).map_err(|said| Problem::Damaged(said.to_string()))
    };
    let mut more = next(&mut row)?;
    let columns = Columns::of(&row)?;
    if !is_number(row.get(0).unwrap_or_default()) {
        columns.check_header(&row)?;
        more = next(&mut row)?;
    }
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    while more {
        if row.len() != columns.count {
            let (line, found) = (line_of(&row, text), row.len());
            return Err(Problem::Columns { line, found, expected: columns.count });
        }
        for (column, field) in row.iter().enumerate() {
            let Some(value) = byte(field) else {
                let (line, column) = (line_of(&row, text), column + 1);
                return Err(Problem::Field { line, column, text: start_of(field) });
            };
            let to = if column == 0 && columns.labelled { &mut labels } else { &mut pixels };
            to.push(value);
        }
        more = next(&mut row)?;
    }
    if pixels.is_empty() {
        return Err(Problem::Empty);
    }
    let labels = columns.labelled.then(|| labels.into());
    Ok(Table { shape: columns.shape, pixels: pixels.into(), labels })
}

/// What the columns are.
struct Columns {
    count: usize,
    /// Whether the first one is the label.
    labelled: bool,
    shape: ImageShape,
}

impl Columns {
    /// Judges by the number of fields in the first row: of two numbers in sequence, one at most
    /// is that of the pixels of a square.
    fn of(first: &ByteRecord) -> Result<Self, Problem> {
        let count = first.len();
        if count == 0 {
            return Err(Problem::Empty);
        }
        if let (1, Some(separator)) = (count, first.iter().flatten().find(|c| b";\t".contains(c))) {
            return Err(Problem::Separator(char::from(*separator)));
        }
        let labelled = match [count, count - 1].map(|pixels| pixels.isqrt().pow(2) == pixels) {
            [true, _] => false,
            [false, true] => true,
            [false, false] => return Err(Problem::NotSquare(count)),
        };
        let side = (count - usize::from(labelled)).isqrt();
        Ok(Self { count, labelled, shape: ImageShape { height: side, width: side } })
    }

    /// Checks that the label is where it is looked for.
    fn check_header(&self, header: &ByteRecord) -> Result<(), Problem> {
        let is_label = |name: &[u8]| name.trim_ascii().eq_ignore_ascii_case(b"label");
        match header.iter().position(is_label) {
            Some(0) if self.labelled => Ok(()),
            None if !self.labelled => Ok(()),
            Some(0) => Err(Problem::NotSquare(self.count)),
            _ => Err(Problem::LabelColumn {
                columns: self.count,
                first: start_of(header.get(0).unwrap_or_default()),
            }),
        }
    }
}

/// Whether a field is a number of any kind, as those of a header are not.
fn is_number(field: &[u8]) -> bool {
    str::from_utf8(field).is_ok_and(|text| text.trim().parse::<f64>().is_ok())
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

/// What a field starts with, to be shown.
fn start_of(field: &[u8]) -> String {
    let start = field.get(..20).unwrap_or(field);
    String::from_utf8_lossy(start).escape_debug().to_string()
}

/// The line of `row` in `text`, from 1. The position that `row` has is before the empty lines
/// that were skipped.
fn line_of(row: &ByteRecord, text: &[u8]) -> usize {
    let start = row.position().and_then(|position| usize::try_from(position.byte()).ok());
    let start = start.unwrap_or(0).min(text.len());
    let (before, rest) = text.split_at(start);
    let skipped = rest.iter().take_while(|byte| b"\r\n".contains(byte));
    before.iter().chain(skipped).filter(|&&byte| byte == b'\n').count() + 1
}
