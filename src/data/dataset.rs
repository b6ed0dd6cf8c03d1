//! A data set: what a network is trained on, and what it is tested with.

use super::{Problem, Split};
use crate::files;
use crate::image::ImageShape;

/// A data set: a training set and a test set, whose images have one shape.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dataset {
    /// What a report calls it.
    pub name: String,
    /// The training set.
    pub train: Split,
    /// The test set.
    pub test: Split,
}

impl Dataset {
    /// Puts a training set and a test set together.
    ///
    /// # Errors
    /// When their images differ in shape, or a test label is beyond the classes that the training
    /// labels need.
    pub fn new(name: impl Into<String>, train: Split, test: Split) -> Result<Self, Problem> {
        if train.shape() != test.shape() {
            return Err(Problem::Shapes { train: train.shape(), test: test.shape() });
        }
        let classes = train.classes();
        let mut labels = test.labels().iter().enumerate();
        if let Some((index, &label)) = labels.find(|&(_, &label)| usize::from(label) >= classes) {
            return Err(Problem::Label { index, label, classes });
        }
        Ok(Self { name: name.into(), train, test })
    }

    /// What tells its images and labels from others: the CRC-32 of the training pixels, their
    /// labels, the test pixels and their labels. Computed on the current thread pool.
    #[must_use]
    pub fn checksum(&self) -> String {
        [self.train.checksum(), self.test.checksum()].join("-")
    }

    /// Whether the files are still as they were when they were opened.
    ///
    /// # Errors
    /// As [`Split::check_unchanged`].
    pub fn check_unchanged(&self) -> Result<(), files::Error> {
        self.train.check_unchanged()?;
        self.test.check_unchanged()
    }

    /// Height and width of every image.
    #[must_use]
    pub fn shape(&self) -> ImageShape {
        self.train.shape()
    }

    /// The number of classes: what the training labels need.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.train.classes()
    }
}
