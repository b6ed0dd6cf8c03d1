//! How well a network reads: accuracy, confusion matrix, precision, recall and F1.

use serde::{Deserialize, Serialize};

/// Counts of samples by true class (rows) and predicted class (columns).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfusionMatrix(Vec<Vec<u64>>);

/// How one class fares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// Of what was read as this class, the share that is.
    pub precision: f64,
    /// Of what is this class, the share that was read so.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
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

    /// Precision, recall and F1 of each class; zero where nothing was counted.
    #[must_use]
    pub fn per_class(&self) -> Vec<ClassReport> {
        let share =
            |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        (0..self.0.len())
            .map(|class| {
                let hits = self.0[class][class];
                let truths: u64 = self.0[class].iter().sum();
                let predictions: u64 = self.0.iter().map(|row| row[class]).sum();
                ClassReport {
                    precision: share(hits, predictions),
                    recall: share(hits, truths),
                    f1: share(2 * hits, truths + predictions),
                }
            })
            .collect()
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
        assert_eq!(classes[0], ClassReport { precision: 1.0, recall: 2.0 / 3.0, f1: 0.8 });
        assert_eq!(classes[1], ClassReport { precision: 0.25, recall: 1.0, f1: 0.4 });
        assert_eq!(classes[2], ClassReport { precision: 0.0, recall: 0.0, f1: 0.0 });
        assert_eq!(matrix.confusions()[0], Confusion { truth: 2, predicted: 1, count: 2 });
    }
}
