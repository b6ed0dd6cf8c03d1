//! An array within a file: its dimensions, and where its elements lie.

use std::ops::Range;

use super::Element;
use crate::data::Problem;

/// An array, as the header of its file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    dims: Vec<usize>,
    element: Element,
    is_fortran: bool,
    payload: Range<usize>,
}

impl Layout {
    /// The array of `dims`, row-major, whose elements start at byte `start` of its file.
    ///
    /// # Errors
    /// When its end cannot be addressed.
    pub(crate) fn new(dims: Vec<usize>, element: Element, start: usize) -> Result<Self, Problem> {
        let size = |size: usize, &dim: &usize| size.checked_mul(dim);
        let bytes = dims.iter().try_fold(element.size(), size);
        let end = bytes.and_then(|bytes| bytes.checked_add(start));
        // No object in memory is longer than isize::MAX.
        match end.filter(|&end| isize::try_from(end).is_ok()) {
            Some(end) => Ok(Self { dims, element, is_fortran: false, payload: start..end }),
            None => Err(Problem::Overflow(dims)),
        }
    }

    /// The same, in Fortran's order, column-major, if `is_fortran`.
    pub(super) fn in_fortran_order(self, is_fortran: bool) -> Self {
        Self { is_fortran, ..self }
    }

    /// The dimensions; in row-major order slowest first.
    #[must_use]
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// What the elements are.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element
    }

    /// Whether the first dimension is the fastest one.
    pub(super) fn is_fortran(&self) -> bool {
        self.is_fortran
    }

    /// Where the elements lie within the file.
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
        Self { payload, ..self.clone() }
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
