//! A data set: what a network is trained on, and what it is tested with.

use super::{ClassNames, ClassProblem, Problem, Split};
use crate::files;
use crate::image::ImageShape;

/// A larger share of the images in one class is more often a fault of reading than of the data.
const MOST_OF_ONE_CLASS: f64 = 0.8;

/// Of fewer images any share means little.
const FEW: usize = 20;

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
    /// What its classes are called, in the order of their labels.
    pub class_names: ClassNames,
    /// How it was read, where its files do not say all of it themselves: a line each.
    pub notes: Vec<String>,
    /// Why each picture was left out that could not be used.
    pub left_out: Vec<String>,
}

impl Dataset {
    /// Puts a training set and a test set together; the classes are called by their numbers.
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
        let class_names = ClassNames::numbered(classes);
        Ok(Self {
            name: name.into(),
            train,
            test,
            class_names,
            notes: Vec::new(),
            left_out: Vec::new(),
        })
    }

    /// The same, whose classes have these names.
    ///
    /// # Errors
    /// When there are fewer names than classes.
    pub fn with_class_names(mut self, names: ClassNames) -> Result<Self, Problem> {
        let classes = self.train.classes();
        if names.len() < classes {
            return Err(ClassProblem::Missing { names: names.len(), classes }.into());
        }
        self.class_names = names;
        Ok(self)
    }

    /// The same, read as `notes` say too.
    #[must_use]
    pub(crate) fn noted(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// The same, if there is something to learn from it, with a word where it is doubtful.
    pub(super) fn check_classes(self) -> Result<Self, Problem> {
        let mut counts = [0_usize; 1 << u8::BITS];
        for &label in self.train.labels() {
            counts[usize::from(label)] += 1;
        }
        let images = self.train.len();
        let largest = (0..=u8::MAX).max_by_key(|&label| counts[usize::from(label)]).unwrap_or(0);
        let share = counts[usize::from(largest)] as f64 / images as f64;
        match share {
            1.0 if images > 1 => {
                Err(Problem::OneClass(self.class_names.name(largest.into()).into()))
            }
            share if share > MOST_OF_ONE_CLASS && images >= FEW => {
                let percent = 100.0 * share;
                let label = self.class_names.name(largest.into());
                let note = format!(
                    "{percent:.0} % of the training images have the label {label}: check that \
                     the labels are where they were looked for"
                );
                Ok(self.noted([note]))
            }
            _ => Ok(self),
        }
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

    /// The number of classes: those that have names, or what the training labels need.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.train.classes().max(self.class_names.len())
    }
}
