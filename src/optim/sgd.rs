//! Stochastic gradient descent with momentum, as Keras has it.

use serde::{Deserialize, Serialize};

use super::{Rule, without_subnormals};
use crate::buffers::Lanes;
use crate::simd::Simd;

/// Constants of stochastic gradient descent; the defaults are Keras's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

/// Plain descent at one rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descent {
    rate: f32,
}

/// Descent with momentum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Momentum {
    rate: f32,
    momentum: f32,
}

impl Sgd {
    /// The rule where there is no momentum.
    pub(crate) fn descent(self) -> Descent {
        Descent { rate: self.learning_rate as f32 }
    }

    /// The rule where there is.
    pub(crate) fn with_momentum(self) -> Momentum {
        Momentum { rate: self.learning_rate as f32, momentum: self.momentum as f32 }
    }
}

impl Rule for Descent {
    const CELLS: usize = 1;

    /// w ← w − rate · g
    #[inline(always)]
    fn update<S: Simd>(
        self,
        s: S,
        gradient: S::F32,
        row: &mut [Lanes],
        _width: usize,
        group: usize,
    ) {
        let weight = &mut row[group];
        s.store(s.mul_add(gradient, s.splat(-self.rate), s.load(weight)), weight);
    }
}

impl Rule for Momentum {
    const CELLS: usize = 2;

    /// velocity ← momentum · velocity − rate · g, w ← w + velocity
    #[inline(always)]
    fn update<S: Simd>(
        self,
        s: S,
        gradient: S::F32,
        row: &mut [Lanes],
        width: usize,
        group: usize,
    ) {
        let (weights, velocities) = row.split_at_mut(width);
        let (weight, velocity) = (&mut weights[group], &mut velocities[group]);
        let decayed = s.mul(s.load(velocity), s.splat(self.momentum));
        let new = without_subnormals(s, s.mul_add(gradient, s.splat(-self.rate), decayed));
        s.store(new, velocity);
        s.store(s.add(s.load(weight), new), weight);
    }
}
