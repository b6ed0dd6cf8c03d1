//! Labelled images in memory: a training set, a test set, or a part of one.

use std::ops::Range;

use super::checksum::crc32;
use super::{Bytes, Problem};
use crate::files;
use crate::image::ImageShape;

/// Labelled images: `u8` pixels, row by row, image after image, and one `u8` label an image.
///
/// The pixels stay as they are in the file, memory-mapped where possible; whoever uses them
/// scales them by 1/255. The labels are copied, so that they stay what they were when they were
/// checked.
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
        let labels = labels.into_memory();
        let (images, labels_count) = (pixels.len() / size, labels.len());
        if images != labels_count {
            return Err(Problem::Counts { images, labels: labels_count });
        }
        if images == 0 {
            return Err(Problem::Empty);
        }
        Ok(Self { shape, pixels, labels })
    }

    /// The same images with other labels.
    pub(super) fn with_labels(&self, labels: Vec<u8>) -> Result<Self, Problem> {
        Self::new(self.shape, self.pixels.clone(), labels.into())
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
        // There is at least one. A maximum of bytes is found many at a time, one of references is not.
        usize::from(self.labels.iter().copied().fold(0, u8::max)) + 1
    }

    /// Whether the files are still as they were when they were opened: where another process has
    /// written to one, or cut it short, anything may have been read since. It takes microseconds;
    /// ask before results are used.
    ///
    /// # Errors
    /// When one has changed.
    pub fn check_unchanged(&self) -> Result<(), files::Error> {
        self.pixels.check_unchanged()?;
        self.labels.check_unchanged()
    }

    /// The CRC-32 of the pixels, and that of the labels.
    pub(crate) fn checksum(&self) -> String {
        [&self.pixels, &self.labels].map(|part| format!("{:08x}", crc32(part))).join("-")
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

    /// The images whose numbers are in `images`.
    pub(super) fn range(&self, images: Range<usize>) -> Result<Self, Problem> {
        let window = |bytes: &Bytes, size: usize| {
            bytes.slice(images.start * size..images.end * size).unwrap_or_else(|| bytes.clone())
        };
        let pixels = window(&self.pixels, self.shape.pixels());
        Self::new(self.shape, pixels, window(&self.labels, 1))
    }
}
