//! Element-wise and row-wise operations, each written once for every instruction set.

pub(crate) mod activation;
pub(crate) mod argmax;
pub(crate) mod exp;
pub(crate) mod ln;
pub(crate) mod softmax;
pub(crate) mod trigonometry;

use crate::simd::{F32x16, LANES, zeroed};
use crate::simd::{Kernel, Simd};

/// The softmax of one sample's row of logits, in place.
pub(crate) struct Softmax<'a> {
    pub(crate) row: &'a mut [F32x16],
    pub(crate) classes: usize,
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let numbers = || (0..self.classes).map(|class| (class / LANES, class % LANES));
        let mut logits = zeroed(self.classes);
        for (logits, (block, lane)) in logits.iter_mut().zip(numbers()) {
            logits.0[0] = self.row[block].0[lane];
        }
        softmax::softmax(s, &mut logits, self.classes);
        for (probability, (block, lane)) in logits.iter().zip(numbers()) {
            self.row[block].0[lane] = probability.0[0];
        }
    }
}

/// The sigmoid of each number of a row, in place.
pub(crate) struct Sigmoid<'a> {
    pub(crate) row: &'a mut [F32x16],
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
