//! Why a CSV file is refused: one variant a cause.

/// Why text is no table of images.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsvProblem {
    /// Text in UTF-16.
    #[error("its text is UTF-16; save it as CSV in UTF-8")]
    Utf16,
    /// A CSV file with another separator.
    #[error("its columns are separated by '{}'; separate them by commas", .0.escape_debug())]
    Separator(char),
    /// The columns of a CSV file are no square images.
    #[error(
        "it has {0} columns; expected are the pixels of a square image, such as 784 of 28 × 28, and \
         perhaps a label and an id"
    )]
    NotSquare(usize),
    /// Nothing tells which column of a CSV file has the labels.
    #[error(
        "nothing tells which of its {columns} columns has the labels, or whether one does: say \
         --label-column first, last, none, or a number from 1"
    )]
    LabelUnclear {
        /// How many columns there are.
        columns: usize,
    },
    /// A column that was named is not there.
    #[error("it has no column '{}' among its {columns}", .column.escape_debug())]
    NoColumn {
        /// What was said.
        column: String,
        /// How many columns there are.
        columns: usize,
    },
    /// The columns of the pixels are out of order.
    #[error("its pixels are not in order: '{after}' follows '{before}'")]
    PixelOrder {
        /// The name of a column.
        before: String,
        /// That of the next one.
        after: String,
    },
    /// A row of a CSV file is shorter or longer than the first.
    #[error("line {line} has {found} columns where the first has {expected}")]
    Columns {
        /// The line, from 1.
        line: usize,
        /// Its columns.
        found: usize,
        /// Those of the first row.
        expected: usize,
    },
    /// A field of a CSV file is no pixel.
    #[error(
        "line {line}, column {column}: '{text}' is no pixel; pixels are whole numbers from 0 to \
         255, or all of them numbers from 0 to 1"
    )]
    Field {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is there, or its start.
        text: String,
    },
    /// A field of a CSV file where a label should be.
    #[error("line {line}, column {column}: '{text}' is no label")]
    NoLabel {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is there, or its start.
        text: String,
    },
    /// A CSV file of a header alone.
    #[error("it has a header, and no images; if its first line is an image, say --no-header")]
    OnlyHeader,
}
