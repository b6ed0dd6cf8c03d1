//! Why classes are refused: one variant a cause, each with the text that a person reads.

use std::path::Path;

use super::{Error, Problem};

/// Why classes cannot be called so, or those of two sets do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassProblem {
    /// A text that cannot name a class.
    #[error("'{0}' cannot name a class: a name has 1 to 64 characters, and no control characters")]
    Name(String),
    /// Two names of one class.
    #[error("'{}' and '{}' mean one class: put them together, or rename one", .0[0], .0[1])]
    Same([String; 2]),
    /// No classes, or too many.
    #[error("it has {0} classes or more; 1 to 256 can be told apart")]
    Count(usize),
    /// A class whose number is too great.
    #[error("not a class: a class that is named by a number is one of 0 to 255, not {0}")]
    Number(u64),
    /// Fewer names than classes.
    #[error("{names} names for {classes} classes")]
    Missing {
        /// How many names there are.
        names: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A line of EMNIST's list of classes.
    #[error("line {line} is not the label {label} and the code of a character")]
    Mapping {
        /// The line, from 1.
        line: usize,
        /// The label that belongs there.
        label: u32,
    },
    /// A test set with a class that the training set lacks.
    #[error("the test set has the class {0}, which the training set has not")]
    Unknown(String),
    /// A data set whose classes are all strange to a network.
    #[error("none of its classes ({found}) is one that the network knows ({known})")]
    NoCounterpart {
        /// Some classes of the data set.
        found: String,
        /// Some classes of the network.
        known: String,
    },
}

impl ClassProblem {
    /// This problem as the error of the file or folder at `path`.
    #[must_use]
    pub fn at(self, path: impl AsRef<Path>) -> Error {
        Problem::from(self).at(path)
    }
}
