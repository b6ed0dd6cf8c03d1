//! What a check of gradients found.

use std::fmt;

use serde::{Serialize, Serializer};

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
    #[serde(serialize_with = "with_verdict")]
    pub loss: Agreement,
    /// Each parameter's gradient, in the order of [`Architecture::parameters`].
    #[serde(serialize_with = "with_verdicts")]
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
    /// Smaller images, or more cases, may prove it.
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
        self.tensors.iter().map(TensorReport::verdict).fold(self.loss.verdict(), Verdict::max)
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

    /// What is concluded of these numbers, but for whether they tell anything.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.holds() { Verdict::Agrees } else { Verdict::Differs }
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

/// The JSON of what was found, and of what is concluded of it.
#[derive(Serialize)]
struct Judged<'a, T> {
    #[serde(flatten)]
    found: &'a T,
    verdict: Verdict,
}

fn with_verdict<S: Serializer>(loss: &Agreement, serializer: S) -> Result<S::Ok, S::Error> {
    Judged { found: loss, verdict: loss.verdict() }.serialize(serializer)
}

fn with_verdicts<S: Serializer>(tensors: &[TensorReport], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(tensors.iter().map(|found| Judged { found, verdict: found.verdict() }))
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

/// A table by tensor, and what is concluded.
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
        writeln!(f, "  {:>21}{loss}{}  {}", "", Agreement::default(), loss.verdict())?;
        f.write_str(
            "\nThe error is the greatest difference from the reference, the bound what that number may \
             be off by\nas f32 rounds, the share the greatest error as a share of its bound, of all \
             numbers: more than 1 is\na fault. Where – is, nothing was compared.\n\n",
        )?;
        self.conclude(f)
    }
}

impl GradientReport {
    /// Writes how many tensors agree, and which do not.
    fn conclude(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |verdict: Verdict| {
            let tensors = self.tensors.iter().filter(move |tensor| tensor.verdict() == verdict);
            tensors.map(|tensor| &*tensor.name).collect::<Vec<_>>()
        };
        let (agreeing, unproven) = (of(Verdict::Agrees).len(), of(Verdict::Unproven));
        let mut differing = of(Verdict::Differs);
        differing.extend((!self.loss.holds()).then_some("loss"));
        match self.tensors.len() {
            all if all == agreeing => write!(f, "all {all} tensors agree")?,
            all => write!(f, "{agreeing} of {all} tensors agree")?,
        }
        for (verdict, names) in [(Verdict::Differs, &differing), (Verdict::Unproven, &unproven)] {
            if !names.is_empty() {
                write!(f, "; {verdict}: {}", names.join(", "))?;
            }
        }
        writeln!(f)?;
        if !unproven.is_empty() {
            f.write_str(
                "(unproven: nothing wrong was found, but no entry is larger than its bound, so a \
                 gradient of zeros\nwould pass too; smaller images, or more cases, may prove it)\n",
            )?;
        }
        Ok(())
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

    /// A report of one tensor a verdict.
    fn report(verdicts: &[Verdict]) -> GradientReport {
        let tensor = |(index, &verdict): (usize, &Verdict)| TensorReport {
            name: format!("tensor_{index}"),
            numbers: 1,
            greatest_entry: 1.0,
            telling: u64::from(verdict != Verdict::Unproven),
            backward: compared(&[(if verdict == Verdict::Differs { 3.0 } else { 1.0 }, 1.0, 0.5)]),
            differences: Agreement::default(),
        };
        GradientReport {
            model: "dense 1".into(),
            images: ImageShape { height: 1, width: 1 },
            cases: 1,
            loss: compared(&[(1.0, 1.0, 0.5)]),
            tensors: verdicts.iter().enumerate().map(tensor).collect(),
        }
    }

    #[test]
    fn the_text_ends_with_what_is_concluded() {
        use Verdict::{Agrees, Differs, Unproven};
        let text = report(&[Agrees, Agrees]).to_string();
        assert!(text.ends_with("\n\nall 2 tensors agree\n"), "{text}");
        let text = report(&[Agrees, Unproven, Unproven]).to_string();
        assert!(text.contains("\n1 of 3 tensors agree; unproven: tensor_1, tensor_2\n(unproven: "));
        let mut report = report(&[Differs, Agrees]);
        report.loss = compared(&[(9.0, 1.0, 0.5)]);
        let end = "\n1 of 2 tensors agree; DIFFERS: tensor_0, loss\n";
        assert!(report.to_string().ends_with(end), "{report}");
    }

    #[test]
    fn json_has_a_verdict_of_each_tensor_and_of_the_loss() {
        let json = serde_json::to_value(report(&[Verdict::Agrees, Verdict::Unproven])).unwrap();
        let verdicts = [&json["tensors"][0], &json["tensors"][1], &json["loss"]];
        let verdicts = verdicts.map(|found| found["verdict"].as_str().unwrap());
        assert_eq!(verdicts, ["agrees", "unproven", "agrees"]);
        assert_eq!(json["tensors"][1]["telling"], 0);
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
