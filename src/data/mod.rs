//! Data sets of labelled grey images: where they are found, how they are read and checked.

mod checksum;
mod contact_sheet;
mod error;
pub mod formats;
mod hold_out;
mod problem;
mod sources;
mod statistics;

pub use contact_sheet::contact_sheet;
pub use error::Error;
pub(crate) use error::Result;
pub use problem::Problem;
pub use sources::{Cache, generated};
#[cfg(feature = "download")]
pub use sources::{Found, download};
pub use statistics::Statistics;

use crate::files::Bytes;
use crate::image::ImageShape;

use std::env;
use std::ops::Range;
use std::path::PathBuf;

/// Labelled images: `u8` pixels, row by row, image after image, and one `u8` label an image.
///
/// The pixels stay as they are in the file, memory-mapped where possible; whoever uses them
/// scales them by 1/255.
#[derive(Clone, Debug)]
pub struct Split {
    shape: ImageShape,
    pixels: Bytes,
    labels: Bytes,
}

impl Split {
    /// Puts pixels and labels together.
    ///
    /// # Errors
    /// When there are no images, an image has no pixels, or the counts do not match.
    pub fn new(shape: ImageShape, pixels: Bytes, labels: Bytes) -> Result<Self, Problem> {
        let size = match shape.height.checked_mul(shape.width) {
            Some(0) => return Err(Problem::NoPixels(shape)),
            Some(size) => size,
            None => return Err(Problem::Overflow(vec![shape.height, shape.width])),
        };
        if !pixels.len().is_multiple_of(size) {
            return Err(Problem::Ragged { pixels: pixels.len(), shape });
        }
        let (images, labels_count) = (pixels.len() / size, labels.len());
        if images != labels_count {
            return Err(Problem::Counts { images, labels: labels_count });
        }
        if images == 0 {
            return Err(Problem::Empty);
        }
        Ok(Self { shape, pixels, labels })
    }

    /// The number of images.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a split is never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Height and width of every image.
    #[must_use]
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// All pixels: `len` × `height` × `width`.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels of image `index`: `height` × `width`.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    #[must_use]
    pub fn image(&self, index: usize) -> &[u8] {
        let size = self.shape.pixels();
        &self.pixels[index * size..(index + 1) * size]
    }

    /// One label an image.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The number of classes that the labels need: the greatest label plus one.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.labels.iter().max().map_or(0, |&label| usize::from(label) + 1)
    }

    /// The first `limit` images (all of them where there are fewer).
    ///
    /// # Errors
    /// When `limit` is zero.
    pub fn take(&self, limit: usize) -> Result<Self, Problem> {
        self.range(0..limit.min(self.len()))
    }

    /// The images before number `index`, and those from it on.
    ///
    /// # Errors
    /// When there are none on one side.
    pub fn split_at(&self, index: usize) -> Result<(Self, Self), Problem> {
        let index = index.min(self.len());
        Ok((self.range(0..index)?, self.range(index..self.len())?))
    }

    fn range(&self, images: Range<usize>) -> Result<Self, Problem> {
        let window = |bytes: &Bytes, size: usize| {
            bytes.slice(images.start * size..images.end * size).unwrap_or_else(|| bytes.clone())
        };
        let pixels = window(&self.pixels, self.shape.pixels());
        Self::new(self.shape, pixels, window(&self.labels, 1))
    }
}

/// A data set: images to train on and images to test with, of one shape.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What a report calls it.
    pub name: String,
    /// Images to train on.
    pub train: Split,
    /// Images to test with.
    pub test: Split,
}

impl Dataset {
    /// Puts the two halves of a data set together.
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

/// The path that an environment variable names, if it is set and not empty.
fn path_from_env(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
