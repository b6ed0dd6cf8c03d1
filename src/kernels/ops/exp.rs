//! The exponential function in the engine's own arithmetic, so that its bits depend on no libm.

use crate::simd::Simd;

const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 in two parts, after Cody and Waite: the first has few bits, so that a small integer times
/// it is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits.
const ROUND: f32 = 12_582_912.0;
/// (eʳ − 1 − r) / r² on |r| ≤ ln 2 / 2, highest power first (Moshier, Cephes, 1989).
const POLYNOMIAL: [f32; 6] =
    [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];

/// eˣ in each lane, within 2 units in the last place: 0 below −104, infinite above 88.73, NaN for
/// NaN.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // Beyond these the result is 0 or infinite anyway; the order of operands lets NaN through.
    let x = s.min(s.splat(89.0), s.max(s.splat(-104.0), x));

    // x = n ln 2 + r
    let rounded = s.mul_add(x, s.splat(LOG2_E), s.splat(ROUND));
    let n = s.sub(rounded, s.splat(ROUND));
    let r = s.mul_add(n, s.splat(-LN_2_HIGH), x);
    let r = s.mul_add(n, s.splat(-LN_2_LOW), r);

    let mut p = s.splat(POLYNOMIAL[0]);
    for c in &POLYNOMIAL[1..] {
        p = s.mul_add(p, r, s.splat(*c));
    }
    let power = s.add(s.mul_add(s.mul(r, r), p, r), s.splat(1.0));

    // 2ⁿ may lie outside the normal numbers where the product does not: scale in two steps.
    let n = s.sub_i32(s.bits_of(rounded), s.bits_of(s.splat(ROUND)));
    let half = s.shr_i32::<1>(n);
    s.mul(s.mul(power, two_to(s, half)), two_to(s, s.sub_i32(n, half)))
}

/// 2ⁿ for n from −126 to 127.
#[inline(always)]
fn two_to<S: Simd>(s: S, n: S::I32) -> S::F32 {
    s.with_bits(s.shl_i32::<23>(s.add_i32(n, s.splat_i32(127))))
}
