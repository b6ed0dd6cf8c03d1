//! Weights, transformed: once before each minibatch.

use super::transform::{Grid, WeightSide};
use super::{KERNEL, POINTS};
use crate::simd::{F32x16, Kernel, LANES, Simd, load_up_to_all, store_up_to_all};

/// How many numbers `weights` of a kernel of 3 × 3 become.
pub(crate) fn transformed_len(weights: usize) -> usize {
    weights / (KERNEL * KERNEL) * POINTS
}

/// Transforms the weights of a kernel.
pub(crate) struct TransformWeights<'a> {
    /// 3 × 3 × inputs × outputs.
    pub(crate) weights: &'a [f32],
    /// Points × inputs × outputs.
    pub(crate) transformed: &'a mut [f32],
}

impl Kernel for TransformWeights<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { weights, transformed } = self;
        let pairs = weights.len() / (KERNEL * KERNEL);
        for first in (0..pairs).step_by(LANES) {
            let lanes = first..pairs.min(first + LANES);
            let mut taps = [F32x16::default(); KERNEL * KERNEL];
            for (tap, weights) in taps.iter_mut().zip(weights.chunks_exact(pairs)) {
                s.store(load_up_to_all(s, &weights[lanes.clone()]), tap);
            }
            let taps = Grid { vectors: &taps, row: KERNEL, column: 1 };
            let points = taps.transformed::<S, WeightSide, KERNEL, 4>(s);
            let into = transformed.chunks_exact_mut(pairs);
            for (number, into) in points.as_flattened().iter().zip(into) {
                store_up_to_all(s, *number, &mut into[lanes.clone()]);
            }
        }
    }
}
