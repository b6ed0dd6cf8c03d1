//! Stochastic gradient descent with momentum, as Keras has it.

use super::NEGLIGIBLE;
use crate::buffers::Lanes;
use crate::simd::Simd;

/// Constants of stochastic gradient descent; the defaults are Keras's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// The step size.
    pub learning_rate: f64,
    /// Decay of the velocity; 0 for plain descent.
    pub momentum: f64,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: 0.0 }
    }
}

impl Sgd {
    /// velocity ← momentum · velocity − rate · g, w ← w + velocity
    #[inline(always)]
    pub(crate) fn update<S: Simd>(
        self,
        s: S,
        gradient: S::F32,
        weight: &mut Lanes,
        velocity: &mut Lanes,
    ) {
        let decayed = s.mul(s.load(velocity), s.splat(self.momentum as f32));
        let new = s.mul_add(gradient, s.splat(-self.learning_rate as f32), decayed);
        let size = s.max(new, s.sub(s.zero(), new));
        let new = s.select(s.lt(size, s.splat(NEGLIGIBLE)), s.zero(), new);
        s.store(new, velocity);
        s.store(s.add(s.load(weight), new), weight);
    }
}

#[cfg(test)]
mod tests;
