//! Activations: ReLU and sigmoid, forward beside backward.

use crate::kernels::ops::exp::exp;
use crate::simd::Simd;

/// max(x, 0)
#[inline(always)]
pub(crate) fn relu<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // In this order of operands NaN stays NaN, on its way to the loss, which must show it.
    s.max(s.zero(), x)
}

/// The gradient that ReLU lets through: `dy` where its output `y` is positive.
#[inline(always)]
pub(crate) fn relu_backward<S: Simd>(s: S, y: S::F32, dy: S::F32) -> S::F32 {
    s.select(s.lt(s.zero(), y), dy, s.zero())
}

/// 1 / (1 + e⁻ˣ), within 2 units in the last place.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // With e^−|x| nothing overflows, and a small result keeps its precision.
    let negative = s.lt(x, s.zero());
    let e = exp(s, s.select(negative, x, s.sub(s.zero(), x)));
    let numerator = s.select(negative, e, s.splat(1.0));
    let quotient = s.div(numerator, s.add(s.splat(1.0), e));
    // e / (1 + e) = e − e · e / (1 + e), where the rounding of 1 + e weighs less.
    s.select(negative, s.mul_add(s.sub(s.zero(), e), quotient, e), quotient)
}

/// The gradient that a sigmoid lets through: `dy` · y · (1 − y), from its output `y`.
#[inline(always)]
pub(crate) fn sigmoid_backward<S: Simd>(s: S, y: S::F32, dy: S::F32) -> S::F32 {
    s.mul(dy, s.mul(y, s.sub(s.splat(1.0), y)))
}
