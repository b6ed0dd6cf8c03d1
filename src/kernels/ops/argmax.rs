//! The class of the greatest logit.

use crate::simd::{F32x16, Simd};

/// The index of the greatest of `logits`, a vector for each, lane by lane; the first of equal ones.
#[inline(always)]
pub(crate) fn argmax<S: Simd>(s: S, logits: &[F32x16]) -> S::F32 {
    let (mut greatest, mut best) = (s.splat(f32::NEG_INFINITY), s.zero());
    for (class, vector) in logits.iter().enumerate() {
        let logit = s.load(vector);
        let better = s.lt(greatest, logit);
        greatest = s.select(better, logit, greatest);
        best = s.select(better, s.splat(class as f32), best);
    }
    best
}
