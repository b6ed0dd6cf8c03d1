//! Optimisers: how a gradient changes a weight.
//!
//! A weight has slots: itself, and what its optimiser remembers of it (the moments of Adam, the
//! velocity of SGD): its state. That of a row of weights stands slot by slot, `[m | v]`.

mod adam;
mod invalid_option;
mod sgd;

pub use adam::Adam;
pub use invalid_option::InvalidOption;
pub(crate) use invalid_option::{check_fraction, is_fraction};
pub use sgd::Sgd;

use serde::{Deserialize, Serialize};

use self::invalid_option::check_positive;
use crate::simd::{F32x16, Simd};

/// What becomes of a gradient.
pub(crate) trait UpdateRule: Copy + Send + Sync {
    /// Slots of a weight: itself, and what the rule keeps beside it.
    const SLOTS: usize;

    /// Takes the `gradients` of `N` column blocks, and updates `weights` and the state beside them.
    fn update<S: Simd, const N: usize>(
        self,
        s: S,
        gradients: [S::F32; N],
        weights: WeightBlocks<'_>,
    );
}

/// Column blocks of a row of weights, with the optimiser's state of them.
#[derive(Debug)]
pub(crate) struct WeightBlocks<'a> {
    /// The whole row of weights.
    pub(crate) weights: &'a mut [F32x16],
    /// The optimiser's state: the whole row of each further slot, one after the other.
    pub(crate) state: &'a mut [F32x16],
    /// The first of the blocks that are meant.
    pub(crate) first: usize,
}

/// Keeps the gradient beside the weight, and the weight as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeepGradient;

impl UpdateRule for KeepGradient {
    const SLOTS: usize = 2;

    #[inline(always)]
    fn update<S: Simd, const N: usize>(
        self,
        s: S,
        gradients: [S::F32; N],
        WeightBlocks { state, first, .. }: WeightBlocks<'_>,
    ) {
        let slots = &mut state[first..first + N];
        gradients.into_iter().zip(slots).for_each(|(gradient, slot)| s.store(gradient, slot));
    }
}

/// The optimiser of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Optimizer {
    /// Adam.
    Adam(Adam),
    /// Stochastic gradient descent.
    Sgd(Sgd),
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Adam(Adam::default())
    }
}

/// Moments and velocities below this become zero. They would change no weight by anything that
/// shows, and once they decay below 1.2e-38, as those of pixels that are mostly black do, they are
/// subnormal, and each operation on them traps to microcode.
pub(crate) const NEGLIGIBLE: f32 = 1e-30;

/// w − `decay` · w, which is w to the bit where nothing decays.
#[inline(always)]
fn decayed<S: Simd>(s: S, w: S::F32, decay: f32) -> S::F32 {
    // With −0 in the place of 0, a weight −0 would lose its sign.
    s.mul_add(w, s.splat(0.0 - decay), w)
}

/// Where a moment of size `size` is not negligible.
#[inline(always)]
fn matters<S: Simd>(s: S, size: S::F32) -> S::Mask {
    s.not_lt(size, s.splat(NEGLIGIBLE))
}

impl Optimizer {
    /// The step size, before a schedule changes it.
    #[must_use]
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Adam(adam) => adam.learning_rate,
            Self::Sgd(sgd) => sgd.learning_rate,
        }
    }

    /// Slots of a weight: itself, and what the optimiser keeps beside it.
    pub(crate) fn slots(&self) -> usize {
        match self {
            Self::Adam(_) => <adam::AdamStep as UpdateRule>::SLOTS,
            Self::Sgd(_) => <sgd::SgdStep as UpdateRule>::SLOTS,
        }
    }

    /// Refuses constants that make no sense, or none once they are rounded to `f32`.
    pub(crate) fn check(&self) -> Result<(), InvalidOption> {
        match self {
            Self::Adam(adam) => {
                check_fraction("Adam's first beta", adam.beta_1)?;
                check_fraction("Adam's second beta", adam.beta_2)?;
                check_positive("Adam's epsilon", adam.epsilon)?;
            }
            Self::Sgd(sgd) => check_fraction("the momentum", sgd.momentum)?,
        }
        check_positive("the learning rate", self.learning_rate())
    }
}

#[cfg(test)]
mod tests;
