//! An array of bytes within a file: its dimensions, and where its elements lie.

use std::ops::Range;

use crate::data::Problem;

/// An array of unsigned bytes in row-major order, as the header of its file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    dims: Vec<usize>,
    payload: Range<usize>,
}

impl Layout {
    /// The array of `dims` whose elements start at byte `start` of its file.
    ///
    /// # Errors
    /// When its end cannot be addressed.
    pub(crate) fn new(dims: Vec<usize>, start: usize) -> Result<Self, Problem> {
        let elements = dims.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
        let end = elements.and_then(|elements| elements.checked_add(start));
        // No object in memory is longer than isize::MAX.
        match end.filter(|&end| isize::try_from(end).is_ok()) {
            Some(end) => Ok(Self { dims, payload: start..end }),
            None => Err(Problem::Overflow(dims)),
        }
    }

    /// The dimensions, slowest first.
    #[must_use]
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Where the elements lie within the file: as many bytes as the product of the dimensions.
    #[must_use]
    pub fn payload(&self) -> Range<usize> {
        self.payload.clone()
    }

    /// The length of the whole file, header included.
    pub(crate) fn file_len(&self) -> usize {
        self.payload.end
    }

    /// The same array in a file that starts at byte `start` of another one.
    pub(crate) fn shifted(&self, start: usize) -> Self {
        let payload = start + self.payload.start..start + self.payload.end;
        Self { dims: self.dims.clone(), payload }
    }

    /// This layout, if it is that of a file of `found` bytes.
    ///
    /// # Errors
    /// When the file is shorter or longer.
    pub(crate) fn exactly(self, found: usize) -> Result<Self, Problem> {
        let expected = self.file_len();
        match found.cmp(&expected) {
            std::cmp::Ordering::Less => Err(Problem::Truncated { expected, found }),
            std::cmp::Ordering::Equal => Ok(self),
            std::cmp::Ordering::Greater => Err(Problem::Overlong(expected)),
        }
    }
}
