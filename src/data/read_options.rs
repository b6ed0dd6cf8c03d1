//! What a person says of data that do not say it themselves.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How data are to be read, where that is not to be found out from them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReadOptions {
    /// Where the labels of a CSV file are.
    pub label_column: Option<LabelColumn>,
    /// Whether a CSV file has no header, whatever its first row looks like.
    pub no_header: bool,
    /// Whether rows and columns of each image change places.
    pub transpose: bool,
}

impl ReadOptions {
    /// Labels in this column of a CSV file.
    #[must_use]
    pub fn label_column(mut self, column: Option<LabelColumn>) -> Self {
        self.label_column = column;
        self
    }

    /// A CSV file without a header, if `no_header`.
    #[must_use]
    pub fn no_header(mut self, no_header: bool) -> Self {
        self.no_header = no_header;
        self
    }

    /// Rows and columns of each image change places, if `transpose`.
    #[must_use]
    pub fn transpose(mut self, transpose: bool) -> Self {
        self.transpose = transpose;
        self
    }

    /// Whether something is said that only CSV files have.
    pub(super) fn are_of_csv(&self) -> bool {
        self.label_column.is_some() || self.no_header
    }
}

/// The column of a CSV file that has the labels.
///
/// As text, which is how `--label-column` takes it: `first`, `last`, a number from 1, `none`, or a
/// name from the header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum LabelColumn {
    /// The first one.
    First,
    /// The last one.
    Last,
    /// The one of this number, from 1.
    Number(usize),
    /// The one of this name.
    Named(String),
    /// There is none.
    None,
}

impl FromStr for LabelColumn {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.to_owned().into())
    }
}

impl From<String> for LabelColumn {
    fn from(text: String) -> Self {
        match (&*text, text.parse()) {
            ("first", _) => Self::First,
            ("last", _) => Self::Last,
            ("none", _) => Self::None,
            (_, Ok(number)) => Self::Number(number),
            _ => Self::Named(text),
        }
    }
}

impl From<LabelColumn> for String {
    fn from(column: LabelColumn) -> Self {
        column.to_string()
    }
}

impl fmt::Display for LabelColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first"),
            Self::Last => f.write_str("last"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Named(name) => f.write_str(name),
            Self::None => f.write_str("none"),
        }
    }
}
