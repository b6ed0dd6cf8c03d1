//! Adam (Kingma and Ba, 2015), in the arithmetic of Keras.

use serde::{Deserialize, Serialize};

use super::{UpdateRule, WeightBlocks, decayed, matters};
use crate::simd::Simd;

/// Adam's constants; the defaults are Keras's.
///
/// They are `f64` as Keras's are: 1 − β is taken before it is rounded to `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// The step size.
    pub learning_rate: f64,
    /// Decay rate of the first moment.
    pub beta_1: f64,
    /// Decay rate of the second moment.
    pub beta_2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

/// Adam at one step: its constants with the bias correction folded in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdamStep {
    rate: f32,
    one_minus_beta_1: f32,
    one_minus_beta_2: f32,
    epsilon: f32,
    decay: f32,
}

impl Adam {
    /// The update of step `step`, counted from 1.
    ///
    /// The bias correction √(1 − β₂ᵗ) / (1 − β₁ᵗ) is taken in f32, powers included, as Keras does.
    pub(crate) fn at(self, step: u64) -> AdamStep {
        let [power_1, power_2] = [self.beta_1, self.beta_2].map(|beta| power(beta as f32, step));
        AdamStep {
            rate: self.learning_rate as f32 * (1.0 - power_2).sqrt() / (1.0 - power_1),
            one_minus_beta_1: (1.0 - self.beta_1) as f32,
            one_minus_beta_2: (1.0 - self.beta_2) as f32,
            epsilon: self.epsilon as f32,
            decay: 0.0,
        }
    }
}

impl AdamStep {
    /// The same, by which each weight also loses the share `decay` of itself: weight decay that
    /// is decoupled from the gradient (Loshchilov and Hutter, 2019).
    pub(crate) fn decaying(self, decay: f32) -> Self {
        Self { decay, ..self }
    }
}

/// βᵗ, rounded once to f32; by squaring in f64, for the same bits on every platform.
fn power(beta: f32, step: u64) -> f32 {
    let (mut result, mut factor, mut exponent) = (1.0_f64, f64::from(beta), step);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= factor;
        }
        factor *= factor;
        exponent >>= 1;
    }
    result as f32
}

impl UpdateRule for AdamStep {
    const SLOTS: usize = 3;

    /// m ← m + (g − m)(1 − β₁), v ← v + (g² − v)(1 − β₂), w ← w − m · rate / (√v + ε)
    #[inline(always)]
    fn update<S: Simd, const N: usize>(
        self,
        s: S,
        gradients: [S::F32; N],
        WeightBlocks { weights, state, first }: WeightBlocks<'_>,
    ) {
        let blocks = first..first + N;
        let (m, v) = state.split_at_mut(weights.len());
        let weights = weights[blocks.clone()].iter_mut();
        let slots = weights.zip(&mut m[blocks.clone()]).zip(&mut v[blocks]);
        for (gradient, ((weight, m), v)) in gradients.into_iter().zip(slots) {
            let (old_m, old_v) = (s.load(m), s.load(v));
            let new_m = s.mul_add(s.sub(gradient, old_m), s.splat(self.one_minus_beta_1), old_m);
            let change = s.sub(s.mul(gradient, gradient), old_v);
            let new_v = s.mul_add(change, s.splat(self.one_minus_beta_2), old_v);
            let moves = matters(s, s.abs(new_m));
            // A second moment is never negative.
            let (new_m, new_v) = (s.keep(moves, new_m), s.keep(matters(s, new_v), new_v));
            s.store(new_m, m);
            s.store(new_v, v);
            let kept = decayed(s, s.load(weight), self.decay);
            if s.any(moves) {
                let root = s.add(s.sqrt(new_v), s.splat(self.epsilon));
                let change = s.div(s.mul(new_m, s.splat(self.rate)), root);
                s.store(s.sub(kept, change), weight);
            } else if self.decay > 0.0 {
                // The weights of pixels that have long been black do not change: no need for the
                // root and the division, the slowest of all this.
                s.store(kept, weight);
            }
        }
    }
}

#[cfg(test)]
mod tests;
