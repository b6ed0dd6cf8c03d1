//! How well a network reads: accuracy, confusion matrix, precision, recall, F1 and support.

use serde::{Deserialize, Serialize};

/// Counts of samples by true class (rows) and predicted class (columns).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<u64>>")]
pub struct ConfusionMatrix(Vec<Vec<u64>>);

/// How one class fares, or classes do on average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// Of what was read as this class, the share that is.
    pub precision: f64,
    /// Of what is this class, the share that was read so.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// How many samples are of this class; 0 in reports of versions that did not count them.
    #[serde(default)]
    pub support: u64,
}

impl ClassReport {
    /// The mean of `classes`, each as often as its weight says, of `support` samples together.
    fn mean(classes: &[Self], weight: impl Fn(&Self) -> f64, support: u64) -> Self {
        let weights: f64 = classes.iter().map(&weight).sum();
        let mean = |figure: fn(&Self) -> f64| {
            let sum: f64 = classes.iter().map(|class| weight(class) * figure(class)).sum();
            if weights > 0.0 { sum / weights } else { 0.0 }
        };
        Self {
            precision: mean(|class| class.precision),
            recall: mean(|class| class.recall),
            f1: mean(|class| class.f1),
            support,
        }
    }
}

/// How all classes fare on average, as scikit-learn's `classification_report` has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Averages {
    /// Of all classes that are, or were read, somewhere: the mean.
    pub macro_average: ClassReport,
    /// The mean by how many samples are of each class.
    pub weighted_average: ClassReport,
}

/// A pair of classes and how often one was read as the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// The class that it was.
    pub truth: usize,
    /// The class that it was read as.
    pub predicted: usize,
    /// How often.
    pub count: u64,
}

/// The most samples of a matrix that is read: sums of so many, and twice as many, are exact.
const MOST_SAMPLES: u64 = 1 << 52;

impl TryFrom<Vec<Vec<u64>>> for ConfusionMatrix {
    type Error = &'static str;

    /// Refuses what has not as many columns as rows, or more samples than can be counted.
    fn try_from(rows: Vec<Vec<u64>>) -> Result<Self, &'static str> {
        if rows.iter().any(|row| row.len() != rows.len()) {
            return Err("the confusion matrix has not as many columns as rows");
        }
        let mut counts = rows.iter().flatten();
        let total = counts.try_fold(0_u64, |sum, &count| sum.checked_add(count));
        match total.is_some_and(|total| total <= MOST_SAMPLES) {
            true => Ok(Self(rows)),
            false => Err("the confusion matrix has more samples than can be counted"),
        }
    }
}

impl ConfusionMatrix {
    /// A matrix of zeros.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self(vec![vec![0; classes]; classes])
    }

    /// Counts one sample.
    ///
    /// # Panics
    /// When a class is out of range.
    pub fn record(&mut self, truth: usize, predicted: usize) {
        self.0[truth][predicted] += 1;
    }

    /// Rows by true class, columns by predicted class.
    #[must_use]
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.0
    }

    /// The number of samples counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// The number of samples read correctly.
    #[must_use]
    pub fn correct(&self) -> u64 {
        self.0.iter().enumerate().map(|(class, row)| row[class]).sum()
    }

    /// Precision, recall, F1 and support of each class; zero where nothing was counted.
    #[must_use]
    pub fn per_class(&self) -> Vec<ClassReport> {
        let share =
            |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        (0..self.0.len())
            .map(|class| {
                let hits = self.0[class][class];
                let (truths, predictions) = (self.truths(class), self.predictions(class));
                ClassReport {
                    precision: share(hits, predictions),
                    recall: share(hits, truths),
                    f1: share(2 * hits, truths + predictions),
                    support: truths,
                }
            })
            .collect()
    }

    /// The means of [those](Self::per_class).
    #[must_use]
    pub fn averages(&self) -> Averages {
        let (classes, total) = (self.per_class(), self.total());
        let weighted = ClassReport::mean(&classes, |class| class.support as f64, total);
        let is_seen = |class: usize| self.truths(class) + self.predictions(class) > 0;
        let seen = (0..classes.len()).filter(|&class| is_seen(class));
        let seen: Vec<_> = seen.map(|class| classes[class]).collect();
        Averages {
            macro_average: ClassReport::mean(&seen, |_| 1.0, total),
            weighted_average: weighted,
        }
    }

    /// How many samples are of `class`.
    fn truths(&self, class: usize) -> u64 {
        self.0[class].iter().sum()
    }

    /// How many samples were read as `class`.
    fn predictions(&self, class: usize) -> u64 {
        self.0.iter().map(|row| row[class]).sum()
    }

    /// The confusions, most frequent first (of equal ones the lower classes first).
    #[must_use]
    pub fn confusions(&self) -> Vec<Confusion> {
        let mut confusions: Vec<_> = self
            .0
            .iter()
            .enumerate()
            .flat_map(|(truth, row)| {
                row.iter().enumerate().map(move |(predicted, &count)| Confusion {
                    truth,
                    predicted,
                    count,
                })
            })
            .filter(|confusion| confusion.truth != confusion.predicted && confusion.count > 0)
            .collect();
        confusions.sort_by_key(|confusion| std::cmp::Reverse(confusion.count));
        confusions
    }
}

/// What an evaluation found.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean over the samples of the cross-entropy of the logits.
    pub loss: f64,
    /// Who was read as what.
    pub confusion: ConfusionMatrix,
    /// The indices of the samples that were not read correctly, ascending.
    pub misclassified: Vec<usize>,
}

impl Evaluation {
    /// The share of samples read correctly.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.confusion.correct() as f64 / self.confusion.total().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_matrix_by_hand() {
        let mut matrix = ConfusionMatrix::new(3);
        for (truth, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1), (2, 1), (2, 1)] {
            matrix.record(truth, predicted);
        }
        assert_eq!((matrix.correct(), matrix.total()), (3, 6));
        let classes = matrix.per_class();
        let report =
            |precision, recall, f1, support| ClassReport { precision, recall, f1, support };
        assert_eq!(classes[0], report(1.0, 2.0 / 3.0, 0.8, 3));
        assert_eq!(classes[1], report(0.25, 1.0, 0.4, 1));
        assert_eq!(classes[2], report(0.0, 0.0, 0.0, 2));
        assert_eq!(matrix.confusions()[0], Confusion { truth: 2, predicted: 1, count: 2 });
    }

    /// Figures of scikit-learn 1.9's `classification_report` of the labels 0 0 0 1 2 2 that were read as
    /// 0 0 1 1 1 1, in a data set that has a fourth class.
    #[test]
    fn averages_are_those_of_scikit_learn() {
        let mut matrix = ConfusionMatrix::new(4);
        for (truth, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1), (2, 1), (2, 1)] {
            matrix.record(truth, predicted);
        }
        let Averages { macro_average, weighted_average } = matrix.averages();
        let four = |report: ClassReport| {
            let ClassReport { precision, recall, f1, support } = report;
            format!("{precision:.4} {recall:.4} {f1:.4} {support}")
        };
        assert_eq!(four(macro_average), "0.4167 0.5556 0.4000 6");
        assert_eq!(four(weighted_average), "0.5417 0.5000 0.4667 6");
    }

    #[test]
    fn nothing_has_no_averages() {
        assert_eq!(ConfusionMatrix::new(2).averages(), Averages::default());
    }
}
