//! Arrays as the readers give them.

use super::{Element, Layout};
use crate::data::Problem;
use crate::files::Bytes;

/// An array of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    dims: Vec<usize>,
    element: Element,
    is_fortran: bool,
    elements: Bytes,
}

impl Array {
    /// The array that lies in `file` as `layout` says, sharing its memory.
    pub(crate) fn new(file: &Bytes, layout: &Layout) -> Result<Self, Problem> {
        let payload = layout.payload();
        let truncated = Problem::Truncated { expected: payload.end, found: file.len() };
        let elements = file.slice(payload).ok_or(truncated)?;
        Ok(Self {
            dims: layout.dims().to_vec(),
            element: layout.element(),
            is_fortran: layout.is_fortran(),
            elements,
        })
    }

    /// Its dimensions, slowest first.
    pub(crate) fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The elements as they are in the file, if they are bytes in row-major order.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        // With one dimension, or all but one of length 1, both orders are the same.
        let is_ordered = !self.is_fortran || self.dims.iter().filter(|&&dim| dim > 1).count() <= 1;
        (is_ordered && self.element == Element::U8).then_some(&self.elements)
    }

    /// All elements, row-major.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        let mut strides = vec![1; self.dims.len()];
        let mut stride = 1;
        for at in 0..self.dims.len() {
            let at = if self.is_fortran { at } else { self.dims.len() - 1 - at };
            strides[at] = stride;
            stride *= self.dims[at];
        }
        let count = self.elements.len() / self.element.size();
        let mut index = vec![0; self.dims.len()];
        let mut place = 0;
        (0..count).map(move |_| {
            let number = self.element.at(&self.elements, place);
            for at in (0..index.len()).rev() {
                index[at] += 1;
                place += strides[at];
                if index[at] < self.dims[at] {
                    break;
                }
                place -= strides[at] * self.dims[at];
                index[at] = 0;
            }
            number
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_read_row_by_row() {
        let file = Bytes::from((0..6).collect::<Vec<u8>>());
        let layout = Layout::new(vec![2, 3], Element::U8, 0).unwrap();
        let array = Array::new(&file, &layout).unwrap();
        assert_eq!(array.numbers().collect::<Vec<_>>(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert!(array.bytes().is_some());
        let array = Array::new(&file, &layout.in_fortran_order(true)).unwrap();
        assert_eq!(array.numbers().collect::<Vec<_>>(), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        assert!(array.bytes().is_none());
    }
}
