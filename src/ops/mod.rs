//! Element-wise and row-wise operations, each written once for every instruction set.

pub(crate) mod activation;
pub(crate) mod exp;
pub(crate) mod ln;
pub(crate) mod softmax;
pub(crate) mod trigonometry;

use crate::buffers::Lanes;
use crate::simd::{Kernel, Simd};

/// The softmax of a row of logits, in place.
pub(crate) struct Softmax<'a> {
    pub(crate) row: &'a mut [Lanes],
    pub(crate) classes: usize,
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        softmax::softmax(s, self.row, self.classes);
    }
}

/// The sigmoid of each number of a row, in place.
pub(crate) struct Sigmoid<'a> {
    pub(crate) row: &'a mut [Lanes],
}

impl Kernel for Sigmoid<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for lanes in self.row {
            s.store(activation::sigmoid(s, s.load(lanes)), lanes);
        }
    }
}

#[cfg(test)]
mod tests;
