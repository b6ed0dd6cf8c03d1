//! Element-wise and row-wise operations, each written once for every instruction set.

pub(crate) mod activation;
pub(crate) mod argmax;
pub(crate) mod exp;
pub(crate) mod ln;
pub(crate) mod softmax;
pub(crate) mod trigonometry;

use crate::simd::{F32x16, Kernel, Simd, as_numbers_mut, zeroed};

/// The softmax of one sample's row of logits, in place.
pub(crate) struct Softmax<'a> {
    pub(crate) row: &'a mut [F32x16],
    pub(crate) classes: usize,
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let numbers = &mut as_numbers_mut(self.row)[..self.classes];
        // A vector for each class, of which the sample is the first lane.
        let mut logits = zeroed(self.classes);
        logits.iter_mut().zip(&*numbers).for_each(|(vector, logit)| vector.0[0] = *logit);
        softmax::softmax(s, &mut logits, self.classes);
        numbers.iter_mut().zip(logits).for_each(|(number, vector)| *number = vector.0[0]);
    }
}

#[cfg(test)]
mod tests;
