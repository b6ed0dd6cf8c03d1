//! The natural logarithm in the engine's own arithmetic.

use crate::simd::Simd;

/// (ln(1 + f) − f + f²/2) / f³ for 1 + f from √½ to √2, highest power first (Moshier, Cephes,
/// 1989).
const POLYNOMIAL: [f32; 9] = [
    7.037_683_6e-2,
    -1.151_461e-1,
    1.167_699_87e-1,
    -1.242_014_1e-1,
    1.424_932_3e-1,
    -1.666_805_8e-1,
    2.000_071_5e-1,
    -2.499_999_4e-1,
    3.333_333e-1,
];
const SQRT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// The least number above zero, 2⁻¹⁴⁹.
const LEAST: f32 = f32::from_bits(1);
/// Brings the subnormal numbers into the normal ones: 2²³.
const LIFT: f32 = 8_388_608.0;

/// ln x in each lane, within 2 units in the last place: −∞ for 0, NaN for negative numbers and
/// NaN.
#[inline(always)]
pub(crate) fn ln<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let tiny = s.lt(x, s.splat(f32::MIN_POSITIVE));
    let lifted = s.select(tiny, s.mul(x, s.splat(LIFT)), x);
    let lift = s.select(tiny, s.splat(23.0), s.zero());

    // x = (1 + f) 2ⁿ with 1 + f from √½ to √2: count the exponent from the bits of √½.
    let bits = s.bits_of(lifted);
    let n = s.shr_i32::<23>(s.sub_i32(bits, s.splat_i32(SQRT_HALF.to_bits() as i32)));
    let f = s.sub(s.with_bits(s.sub_i32(bits, s.shl_i32::<23>(n))), s.splat(1.0));
    let n = s.sub(s.numbers(n), lift);

    let mut p = s.splat(POLYNOMIAL[0]);
    for c in &POLYNOMIAL[1..] {
        p = s.mul_add(p, f, s.splat(*c));
    }
    let square = s.mul(f, f);
    let tail = s.mul_add(n, s.splat(LN_2_LOW), s.mul(s.mul(f, square), p));
    let tail = s.mul_add(s.splat(-0.5), square, tail);
    let result = s.mul_add(n, s.splat(LN_2_HIGH), s.add(f, tail));

    // Comparisons with NaN are false, so that it passes through them all, as +∞ does the first.
    let result = s.select(s.lt(x, s.splat(f32::INFINITY)), result, x);
    let result = s.select(s.lt(x, s.splat(LEAST)), s.splat(f32::NEG_INFINITY), result);
    s.select(s.lt(x, s.zero()), s.splat(f32::NAN), result)
}
