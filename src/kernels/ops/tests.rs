//! Accuracy and edge cases of the element-wise functions, on every instruction set, against the
//! standard library in f64.

use crate::kernels::ops::activation::{relu, relu_backward, sigmoid, sigmoid_backward};
use crate::kernels::ops::exp::exp;
use crate::kernels::ops::ln::ln;
use crate::simd::scalar::Scalar;
use crate::simd::testing::{map, map_one, on_each_isa};
use crate::simd::{LANES, Portable, Simd};

/// A vector of numbers after the other: every `stride`th bit pattern from that of `from` to that of
/// `to`, the rest of the last block being `to`.
fn patterns(from: f32, to: f32, stride: usize) -> impl Iterator<Item = [f32; LANES]> {
    let (first, last) = (from.to_bits(), to.to_bits());
    assert!(first < last, "bit patterns ascend with the size of a number");
    (first..=last).step_by(stride * LANES).map(move |start| {
        std::array::from_fn(|lane| {
            let bits = u64::from(start) + (lane * stride) as u64;
            f32::from_bits(bits.min(u64::from(last)) as u32)
        })
    })
}

/// The distance of two neighbouring `f32` at `exact`.
fn unit_in_last_place(exact: f64) -> f64 {
    let exponent = ((exact.abs().to_bits() >> 52) as i32 - 1023).max(-126);
    2.0_f64.powi(exponent - 23)
}

/// Asserts that `computed` is within 2 units in the last place of `exact`: by how much the
/// engine's functions may be wrong.
fn assert_close(x: f32, computed: f32, exact: f64) {
    // What rounds to infinity in f32 must be infinite.
    if exact.abs() >= f64::from(f32::MAX) * (1.0 + 2.0_f64.powi(-25)) {
        assert_eq!(f64::from(computed), exact.signum() * f64::INFINITY, "at {x:e}");
        return;
    }
    let error = (f64::from(computed) - exact).abs() / unit_in_last_place(exact);
    assert!(error < 2.0, "at {x:e}: {computed:e}, not {exact:e}, wrong by {error:.2} units");
}

/// Compares `operation` with `exact` on the numbers of `inputs`.
#[inline(always)]
fn compare<S: Simd>(
    s: S,
    operation: impl Fn(S, S::F32) -> S::F32,
    exact: impl Fn(f64) -> f64,
    inputs: impl Iterator<Item = [f32; LANES]>,
) {
    for x in inputs {
        for (x, y) in x.into_iter().zip(map(s, &operation, x)) {
            assert_close(x, y, exact(f64::from(x)));
        }
    }
}

/// Strides that share no factor with the powers of two of the format.
const FINE: usize = 509;
const COARSE: usize = 8_191;

/// `x` with the other sign, as the inputs of functions that are defined on both sides.
fn negated(x: [f32; LANES]) -> [f32; LANES] {
    x.map(|x| -x)
}

#[test]
fn exp_is_within_two_units_in_the_last_place() {
    on_each_isa!(s => {
        let ordinary = || patterns(1e-10, 110.0, FINE);
        compare(s, exp, f64::exp, ordinary().chain(ordinary().map(negated)));
        let all = || patterns(0.0, f32::MAX, COARSE);
        compare(s, exp, f64::exp, all().chain(all().map(negated)));
    });
}

#[test]
fn exp_ends_in_zero_infinity_and_nan() {
    on_each_isa!(s => {
        assert_eq!(map_one(s, exp, 0.0), 1.0);
        assert_eq!(map_one(s, exp, -0.0), 1.0);
        assert_eq!(map_one(s, exp, f32::NEG_INFINITY), 0.0);
        assert_eq!(map_one(s, exp, -104.0), 0.0);
        assert_eq!(map_one(s, exp, 88.73), f32::INFINITY);
        assert_eq!(map_one(s, exp, f32::INFINITY), f32::INFINITY);
        assert!(map_one(s, exp, f32::NAN).is_nan());
    });
}

#[test]
fn ln_is_within_two_units_in_the_last_place() {
    on_each_isa!(s => {
        compare(s, ln, f64::ln, patterns(0.5, 2.0, FINE));
        compare(s, ln, f64::ln, patterns(f32::from_bits(1), f32::MAX, COARSE));
        // The logarithm is near zero next to one: every number there.
        compare(s, ln, f64::ln, patterns(0.9999, 1.0001, 1));
    });
}

#[test]
fn ln_of_what_has_none() {
    on_each_isa!(s => {
        assert_eq!(map_one(s, ln, 1.0), 0.0);
        assert_eq!(map_one(s, ln, 0.0), f32::NEG_INFINITY);
        assert_eq!(map_one(s, ln, -0.0), f32::NEG_INFINITY);
        assert_eq!(map_one(s, ln, f32::INFINITY), f32::INFINITY);
        for x in [-f32::from_bits(1), -1.0, f32::MIN, f32::NEG_INFINITY, f32::NAN] {
            assert!(map_one(s, ln, x).is_nan(), "ln {x:e}");
        }
    });
}

/// In the form that keeps the precision of a small result.
fn exact_sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

#[test]
fn sigmoid_is_within_two_units_in_the_last_place() {
    on_each_isa!(s => {
        let ordinary = || patterns(1e-10, 110.0, FINE);
        compare(s, sigmoid, exact_sigmoid, ordinary().chain(ordinary().map(negated)));
        let all = || patterns(0.0, f32::MAX, COARSE);
        compare(s, sigmoid, exact_sigmoid, all().chain(all().map(negated)));
    });
}

#[test]
fn sigmoid_ends_in_zero_one_and_nan() {
    on_each_isa!(s => {
        assert_eq!(map_one(s, sigmoid, 0.0), 0.5);
        assert_eq!(map_one(s, sigmoid, f32::NEG_INFINITY), 0.0);
        assert_eq!(map_one(s, sigmoid, f32::INFINITY), 1.0);
        assert!(map_one(s, sigmoid, f32::NAN).is_nan());
    });
}

#[test]
fn relu_keeps_what_is_positive_and_nan() {
    on_each_isa!(s => {
        for (x, y) in [(2.5, 2.5), (-2.5, 0.0), (0.0, 0.0), (f32::INFINITY, f32::INFINITY)] {
            assert_eq!(map_one(s, relu, x), y);
        }
        assert_eq!(map_one(s, relu, f32::NEG_INFINITY), 0.0);
        assert!(map_one(s, relu, f32::NAN).is_nan());
    });
}

/// `operation` of the output `y` and the gradient `dy`.
#[inline(always)]
fn backward<S: Simd>(
    s: S,
    operation: impl Fn(S, S::F32, S::F32) -> S::F32,
    y: f32,
    dy: f32,
) -> f32 {
    map_one(s, |s, dy| operation(s, s.splat(y), dy), dy)
}

#[test]
fn relu_lets_the_gradient_of_positive_outputs_through() {
    on_each_isa!(s => {
        assert_eq!(backward(s, relu_backward, 0.5, -3.0), -3.0);
        assert_eq!(backward(s, relu_backward, f32::from_bits(1), 3.0), 3.0);
        assert_eq!(backward(s, relu_backward, 0.0, 3.0), 0.0);
    });
}

#[test]
fn sigmoid_scales_the_gradient_by_its_slope() {
    on_each_isa!(s => {
        assert_eq!(backward(s, sigmoid_backward, 0.5, 8.0), 2.0);
        assert_eq!(backward(s, sigmoid_backward, 0.25, -1.0), -0.1875);
        assert_eq!(backward(s, sigmoid_backward, 1.0, 5.0), 0.0);
        assert_eq!(backward(s, sigmoid_backward, 0.0, 5.0), 0.0);
    });
}

#[test]
fn the_measure_of_accuracy_sees_three_units() {
    let wrong = f32::from_bits(1.0_f32.exp().to_bits() + 3);
    let caught = std::panic::catch_unwind(|| assert_close(1.0, wrong, 1.0_f64.exp()));
    assert!(caught.is_err());
}

/// The results of `operation`, folded into one number.
#[inline(always)]
fn fingerprint<S: Simd>(s: S, operation: impl Fn(S, S::F32) -> S::F32) -> u64 {
    let numbers = patterns(0.0, f32::INFINITY, COARSE).flat_map(|x| [x, negated(x)]);
    let bits = numbers.flat_map(|x| map(s, &operation, x)).map(|y| u64::from(y.to_bits()));
    // NaN may have any payload.
    let bits = bits.map(|bits| if f32::from_bits(bits as u32).is_nan() { 0 } else { bits });
    bits.fold(0, |hash, bits| (hash ^ bits).wrapping_mul(0x0000_0100_0000_01b3))
}

#[test]
fn instruction_sets_with_fused_multiply_add_have_the_bits_of_the_scalar_oracle() {
    let oracle = [fingerprint(Scalar, exp), fingerprint(Scalar, ln), fingerprint(Scalar, sigmoid)];
    let mut found = Vec::new();
    on_each_isa!(s => {
        found.push([fingerprint(s, exp), fingerprint(s, ln), fingerprint(s, sigmoid)]);
    });
    // The first is the portable one, which rounds twice where the build has no such instruction.
    let fused = &found[usize::from(!Portable::IS_FUSED)..];
    assert!(fused.iter().all(|prints| *prints == oracle), "{found:x?}, not {oracle:x?}");
}
