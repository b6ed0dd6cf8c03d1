//! Stochastic gradient descent with momentum, as Keras has it.

use serde::{Deserialize, Serialize};

use super::{UpdateRule, WeightBlocks, decayed, matters};
use crate::simd::Simd;

/// Constants of stochastic gradient descent; the defaults are Keras's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sgd {
    /// The step size.
    pub learning_rate: f64,
    /// Decay rate of the velocity; 0 for plain descent.
    pub momentum: f64,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: 0.0 }
    }
}

/// One step of descent: its constants in `f32`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SgdStep {
    rate: f32,
    momentum: f32,
    decay: f32,
}

impl Sgd {
    /// The update of every step.
    pub(crate) fn step(self) -> SgdStep {
        let (rate, momentum) = (self.learning_rate as f32, self.momentum as f32);
        SgdStep { rate, momentum, decay: 0.0 }
    }
}

impl SgdStep {
    /// The same, by which each weight also loses the share `decay` of itself.
    pub(crate) fn decaying(self, decay: f32) -> Self {
        Self { decay, ..self }
    }
}

impl UpdateRule for SgdStep {
    const SLOTS: usize = 2;

    /// velocity ← momentum · velocity − rate · g, w ← w + velocity
    #[inline(always)]
    fn update<S: Simd, const N: usize>(
        self,
        s: S,
        gradients: [S::F32; N],
        WeightBlocks { weights, state: velocities, first }: WeightBlocks<'_>,
    ) {
        let blocks = first..first + N;
        let slots = weights[blocks.clone()].iter_mut().zip(&mut velocities[blocks]);
        for (gradient, (weight, velocity)) in gradients.into_iter().zip(slots) {
            let kept = s.mul(s.load(velocity), s.splat(self.momentum));
            let new = s.mul_add(gradient, s.splat(-self.rate), kept);
            let new = s.keep(matters(s, s.abs(new)), new);
            s.store(new, velocity);
            s.store(s.add(decayed(s, s.load(weight), self.decay), new), weight);
        }
    }
}

#[cfg(test)]
mod tests;
