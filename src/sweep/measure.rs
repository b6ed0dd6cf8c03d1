//! The accuracies by which configurations are compared.

use std::fmt;

use serde::Serialize;

use super::results::Trained;

/// An accuracy by which configurations are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// That on the folds that were held out, where there are folds.
    Folds,
    /// The validation accuracy, where all have one.
    Validation,
    /// That on the test images.
    Test,
}

impl Measure {
    /// The accuracy of a network by this measure, where it has one.
    #[must_use]
    pub fn of(self, network: &Trained) -> Option<f64> {
        match self {
            Self::Folds => Some(network.fold?.accuracy),
            Self::Validation => Some(network.validation?.accuracy),
            Self::Test => Some(network.test_accuracy),
        }
    }

    /// What is to be borne in mind of intervals and p-values by it, if anything.
    #[must_use]
    pub fn caution(self) -> Option<&'static str> {
        let of_folds =
            "networks of two folds share training images: take the intervals and p for too small";
        (self == Self::Folds).then_some(of_folds)
    }
}

/// As a person calls it: `test accuracy`.
impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folds => "held-out accuracy",
            Self::Validation => "validation accuracy",
            Self::Test => "test accuracy",
        })
    }
}
