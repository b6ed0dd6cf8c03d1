//! Optimisers: how a gradient moves a weight.

mod adam;
mod invalid_option;
mod sgd;

pub use adam::Adam;
pub use invalid_option::InvalidOption;
pub(crate) use invalid_option::check_fraction;
pub use sgd::Sgd;

use self::invalid_option::check_positive;

use serde::{Deserialize, Serialize};

use crate::simd::F32x16;
use crate::simd::Simd;

/// What becomes of a gradient.
pub(crate) trait UpdateRule: Copy + Send + Sync {
    /// F32x16 of a weight: itself and its moments.
    const SLOTS: usize;

    /// Takes the `gradients` of `N` blocks, from block `block` on, of a row of weights. `row` holds
    /// `width` blocks of weights, then as many of each moment.
    fn update<S: Simd, const N: usize>(
        self,
        s: S,
        gradients: [S::F32; N],
        row: &mut [F32x16],
        width: usize,
        block: usize,
    );
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
        row: &mut [F32x16],
        width: usize,
        block: usize,
    ) {
        let room = &mut row[width..][block..block + N];
        gradients.into_iter().zip(room).for_each(|(gradient, room)| s.store(gradient, room));
    }
}

/// The optimiser of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
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

/// Moments under this become zero. They would move a weight by nothing that shows, and once they
/// decay below 1.2e-38, as those of seldom-lit pixels do, each operation on them traps to
/// microcode.
pub(crate) const NEGLIGIBLE: f32 = 1e-30;

/// w − `decay` · w, which is w to the bit where nothing decays.
#[inline(always)]
fn shrunk<S: Simd>(s: S, w: S::F32, decay: f32) -> S::F32 {
    // With −0 in the place of 0, a weight −0 would lose its sign.
    s.mul_add(w, s.splat(0.0 - decay), w)
}

/// Where a moment of size `size` is not negligible.
#[inline(always)]
fn matters<S: Simd>(s: S, size: S::F32) -> S::Mask {
    s.not_lt(size, s.splat(NEGLIGIBLE))
}

impl Optimizer {
    /// Refuses constants that make no sense, or none once they are rounded to `f32`.
    pub(crate) fn check(&self) -> Result<(), InvalidOption> {
        let rate = match self {
            Self::Adam(adam) => {
                check_fraction("Adam's first beta", adam.beta_1)?;
                check_fraction("Adam's second beta", adam.beta_2)?;
                check_positive("Adam's epsilon", adam.epsilon)?;
                adam.learning_rate
            }
            Self::Sgd(sgd) => {
                check_fraction("the momentum", sgd.momentum)?;
                sgd.learning_rate
            }
        };
        check_positive("the learning rate", rate)
    }
}

#[cfg(test)]
mod tests;
