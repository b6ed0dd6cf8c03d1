//! What a check of gradients found.

use std::fmt;

use serde::Serialize;

use crate::image::ImageShape;
use crate::model::Architecture;

/// How the engine's gradients of a network agree with the reference's, over all cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GradientReport {
    /// The network's layers in a line.
    pub model: String,
    /// Height and width of its images.
    pub images: ImageShape,
    /// How many cases were compared.
    pub cases: usize,
    /// The mean loss.
    pub loss: Agreement,
    /// Each parameter's gradient, in the order of [`Architecture::parameters`].
    pub tensors: Vec<TensorReport>,
}

/// How the gradient of one parameter agrees.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TensorReport {
    /// The parameter's name.
    pub name: String,
    /// How many numbers it has.
    pub numbers: usize,
    /// The greatest entry of the gradient, by size.
    pub greatest_entry: f64,
    /// How many entries, over all cases, are larger than what they may be off by: had the engine found
    /// 0 in place of one of them, that would be a fault.
    pub telling: u64,
    /// All entries against the reference's own way back.
    pub backward: Agreement,
    /// Some entries against central differences of the reference's way forward; none where all of them
    /// were at kinks.
    pub differences: Agreement,
}

/// How far numbers of the engine are from what they must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Agreement {
    /// How many numbers were compared.
    pub compared: u64,
    /// The greatest error;
    pub greatest_error: f64,
    /// and what that number might have been off by: what rounding to f32 amounts to at worst.
    pub bound: f64,
    /// The greatest error as a share of its bound; more than 1 is a fault. It is infinite (in
    /// JSON null) where a number is NaN or infinite, or is off that must be exact.
    pub greatest_share: f64,
}

/// What is concluded of a tensor, or of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// No number is further off than it may be.
    Agrees,
    /// Nor here, but each number may be off by as much as it is large: a gradient of zeros would pass.
    Unproven,
    /// A number is further off than rounding explains.
    Differs,
}

impl GradientReport {
    /// That of no cases yet.
    pub(super) fn new(architecture: &Architecture) -> Self {
        let tensors = architecture.parameters().map(|spec| TensorReport {
            name: spec.name.clone(),
            numbers: spec.count(),
            greatest_entry: 0.0,
            telling: 0,
            backward: Agreement::default(),
            differences: Agreement::default(),
        });
        Self {
            model: architecture.to_string(),
            images: architecture.input(),
            cases: 0,
            loss: Agreement::default(),
            tensors: tensors.collect(),
        }
    }

    /// That of the tensor, or of the loss, that agrees least.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let loss = if self.loss.holds() { Verdict::Agrees } else { Verdict::Differs };
        self.tensors.iter().map(TensorReport::verdict).fold(loss, Verdict::max)
    }

    /// The greatest error of all, as a share of what it might have been.
    #[must_use]
    pub fn greatest_share(&self) -> f64 {
        let of = |tensor: &TensorReport| {
            tensor.backward.greatest_share.max(tensor.differences.greatest_share)
        };
        self.tensors.iter().map(of).fold(self.loss.greatest_share, f64::max)
    }
}

impl TensorReport {
    /// What is concluded of it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if !(self.backward.holds() && self.differences.holds()) {
            Verdict::Differs
        } else if self.telling == 0 {
            Verdict::Unproven
        } else {
            Verdict::Agrees
        }
    }

    /// Adds an entry that was `found`.
    pub(super) fn add(&mut self, found: f64, expected: f64, bound: f64) {
        self.greatest_entry = self.greatest_entry.max(expected.abs());
        self.telling += u64::from(expected.abs() > bound);
        self.backward.compare(found, expected, bound);
    }
}

impl Agreement {
    /// Whether no number is further off than it may be.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.greatest_share <= 1.0
    }

    /// Adds a number that was `found`.
    pub(super) fn compare(&mut self, found: f64, expected: f64, bound: f64) {
        let error = (found - expected).abs();
        let share = if error == 0.0 {
            0.0
        } else if error.is_finite() && bound > 0.0 {
            error / bound
        } else {
            // Of what may not be off at all, and of what is no number.
            f64::INFINITY
        };
        self.compared += 1;
        self.greatest_share = self.greatest_share.max(share);
        // NaN is the greatest.
        if self.compared == 1 || error > self.greatest_error || error.is_nan() {
            (self.greatest_error, self.bound) = (error, bound);
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Agrees => "agrees",
            Self::Unproven => "unproven",
            Self::Differs => "DIFFERS",
        })
    }
}

/// A table by tensor.
impl fmt::Display for GradientReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, images, cases, loss, tensors } = self;
        writeln!(f, "gradients of {model}, of images of {images}")?;
        writeln!(f, "cases: {cases}, each of random weights and 1 to 40 random images\n")?;
        let names = tensors.iter().map(|tensor| tensor.name.len());
        let width = names.fold("tensor".len(), usize::max);
        let line = |f: &mut fmt::Formatter<'_>, name: &str| write!(f, "{name:<width$}");
        line(f, "")?;
        writeln!(f, "  {:>21}  {:^24}  by central differences", "", "by the chain rule")?;
        line(f, "tensor")?;
        write!(f, "  {:>11}  {:>8}", "numbers", "greatest")?;
        writeln!(f, "{0}{0}  verdict", Heading)?;
        for tensor in tensors {
            line(f, &tensor.name)?;
            write!(f, "  {:>11}  {:>8.1e}", tensor.numbers, tensor.greatest_entry)?;
            writeln!(f, "{}{}  {}", tensor.backward, tensor.differences, tensor.verdict())?;
        }
        line(f, "loss")?;
        let verdict = if loss.holds() { Verdict::Agrees } else { Verdict::Differs };
        writeln!(f, "  {:>21}{loss}{}  {verdict}", "", Agreement::default())?;
        f.write_str(
            "\nerror: the greatest; bound: what that number may be off by as f32 rounds; share: the \
             greatest error\nas a share of its bound, of all numbers: more than 1 is a fault\n",
        )
    }
}

/// That of the columns of an [`Agreement`].
struct Heading;

impl fmt::Display for Heading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:>8} {:>8} {:>6}", "error", "bound", "share")
    }
}

/// Three columns.
impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { compared, greatest_error, bound, greatest_share } = self;
        match compared {
            0 => write!(f, "  {0:>8} {0:>8} {0:>6}", "–"),
            _ => write!(f, "  {greatest_error:>8.1e} {bound:>8.1e} {greatest_share:>6.3}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(numbers: &[(f64, f64, f64)]) -> Agreement {
        let mut agreement = Agreement::default();
        for &(found, expected, bound) in numbers {
            agreement.compare(found, expected, bound);
        }
        agreement
    }

    #[test]
    fn the_greatest_error_and_the_greatest_share_are_kept() {
        let found = compared(&[(1.5, 1.0, 1.0), (0.25, 0.0, 0.25), (0.0, 0.0, 0.0)]);
        assert_eq!((found.compared, found.greatest_error, found.bound), (3, 0.5, 1.0));
        assert_eq!(found.greatest_share, 1.0);
        assert!(found.holds());
    }

    #[test]
    fn more_than_the_bound_and_what_is_no_number_are_faults() {
        assert!(!compared(&[(1.0, 0.0, 0.5)]).holds());
        assert!(!compared(&[(1e-300, 0.0, 0.0)]).holds());
        for wrong in [f64::NAN, f64::INFINITY] {
            let found = compared(&[(1.0, 1.0, 0.5), (wrong, 1.0, 0.5), (1.0, 1.0, 0.5)]);
            assert!(!found.holds() && !found.greatest_error.is_finite(), "{found:?}");
            assert!(!compared(&[(1.0, wrong, 0.5)]).holds());
            assert!(!compared(&[(wrong, 1.0, f64::INFINITY)]).holds());
        }
    }
}
