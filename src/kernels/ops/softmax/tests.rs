//! Softmax and cross-entropy against f64, on every instruction set.

use proptest::prelude::*;

use super::{Labels, cross_entropy, softmax};
use crate::simd::testing::on_each_isa;
use crate::simd::{F32x16, LANES, Simd};

/// The distance of two neighbouring `f32` at one.
const UNIT: f64 = f32::EPSILON as f64;

/// In which lane the sample under test stands.
const LANE: usize = 5;

/// A vector for each class, in whole blocks, as a layer may leave them: other samples in the other
/// lanes, anything beyond the classes.
fn columns(logits: &[f32]) -> Vec<F32x16> {
    let column = |&logit: &f32| {
        let mut samples = [0.5 * logit; LANES];
        samples[LANE] = logit;
        F32x16(samples)
    };
    let mut columns: Vec<F32x16> = logits.iter().map(column).collect();
    columns.resize(logits.len().next_multiple_of(LANES), F32x16([1e9; LANES]));
    columns
}

/// The numbers of the sample under test.
fn numbers(columns: &[F32x16]) -> Vec<f32> {
    columns.iter().map(|vector| vector.0[LANE]).collect()
}

/// The loss of the sample under test; the samples before it have the same label.
fn loss<S: Simd>(s: S, columns: &mut [F32x16], classes: usize, label: u8, scale: f32) -> f32 {
    let labels = Labels { classes: &[label; LANE + 1], smoothing: 0.0 };
    let mut losses = F32x16::default();
    s.store(cross_entropy(s, columns, classes, labels, s.splat(scale)), &mut losses);
    losses.0[LANE]
}

/// The softmax in f64, and −ln of it, which stays exact where the softmax vanishes.
fn exact(logits: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let logits: Vec<f64> = logits.iter().map(|&logit| f64::from(logit)).collect();
    let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - greatest).exp()).sum();
    let losses: Vec<f64> = logits.iter().map(|logit| sum.ln() + (greatest - logit)).collect();
    (losses.iter().map(|loss| (-loss).exp()).collect(), losses)
}

/// Asserts what the two functions owe for `logits` and `label`.
///
/// Error model: the distance of a logit from the greatest is rounded once, which its exponential
/// makes a relative error of half a unit times the distance; the exponential, the sum (partial
/// sums a lane, then a tree of four levels), the quotient and the logarithm add a few units each.
fn check<S: Simd>(s: S, logits: &[f32], label: u8) {
    let (classes, scale) = (logits.len(), 0.125);
    let blocks = classes.div_ceil(LANES);
    let (probabilities, losses) = exact(logits);
    let relative = |class: usize| UNIT * (losses[class] + 10.0 + blocks as f64);

    let mut row = columns(logits);
    softmax(s, &mut row, classes);
    let computed = numbers(&row);
    for class in 0..classes {
        let (computed, exact) = (f64::from(computed[class]), probabilities[class]);
        // What is below the least normal number has no relative precision.
        let tolerance = exact * relative(class) + f64::from(f32::MIN_POSITIVE);
        assert!((computed - exact).abs() <= tolerance, "{logits:?}: {class}: {computed} {exact}");
    }
    assert!(computed[classes..].iter().all(|&lane| lane == 0.0), "padding {computed:?}");

    let mut row = columns(logits);
    let loss = f64::from(loss(s, &mut row, classes, label, scale));
    let label = usize::from(label);
    let tolerance = UNIT * (losses[label] + 2.0 + blocks as f64);
    assert!((loss - losses[label]).abs() <= tolerance, "{logits:?}: {loss} {}", losses[label]);
    let computed = numbers(&row);
    for class in 0..classes {
        let one_hot = if class == label { 1.0 } else { 0.0 };
        let exact = (probabilities[class] - one_hot) * f64::from(scale);
        let terms = probabilities[class] * relative(class) + one_hot * UNIT;
        let tolerance = terms * f64::from(scale) + f64::from(f32::MIN_POSITIVE);
        let computed = f64::from(computed[class]);
        assert!((computed - exact).abs() <= tolerance, "{logits:?}: {class}: {computed} {exact}");
    }
    assert!(computed[classes..].iter().all(|&lane| lane == 0.0), "padding {computed:?}");
}

/// Logits of 1 to 50 classes, moderate or far apart, and a label.
fn logits_and_label() -> impl Strategy<Value = (Vec<f32>, u8)> {
    (1_usize..=50, prop_oneof![Just(5.0_f32), Just(80.0), Just(1e4)]).prop_flat_map(
        |(classes, size)| (prop::collection::vec(-size..size, classes), 0..classes as u8),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn softmax_and_loss_are_those_of_f64((logits, label) in logits_and_label()) {
        on_each_isa!(s => check(s, &logits, label));
    }

    #[test]
    fn what_is_not_finite_shows_in_the_loss(
        (mut logits, label) in logits_and_label(),
        culprit in any::<prop::sample::Index>(),
        nan in any::<bool>(),
    ) {
        let culprit = culprit.index(logits.len());
        logits[culprit] = if nan { f32::NAN } else { f32::INFINITY };
        on_each_isa!(s => {
            let mut row = columns(&logits);
            let loss = loss(s, &mut row, logits.len(), label, 1.0);
            assert!(!loss.is_finite(), "{logits:?}: {loss}");
        });
    }
}

#[test]
fn extreme_logits() {
    on_each_isa!(s => {
        check(s, &[f32::MAX, 0.0, -1.0], 0);
        check(s, &[-1e38, 1e38, 1e38], 2);
        check(s, &[0.0; 17], 16);
        check(s, &[3e38], 0);
        check(s, &[-104.5, 0.0, -87.5, -103.0], 1);
    });
}

#[test]
fn a_label_that_the_network_rules_out_costs_infinity() {
    on_each_isa!(s => {
        let mut row = columns(&[0.0, f32::NEG_INFINITY]);
        assert_eq!(loss(s, &mut row, 2, 1, 1.0), f32::INFINITY);
        // The farthest that finite logits can be apart is no number of f32 either.
        let mut row = columns(&[f32::MAX, f32::MIN]);
        assert_eq!(loss(s, &mut row, 2, 1, 1.0), f32::INFINITY);
    });
}

#[test]
fn all_logits_minus_infinity_are_no_distribution() {
    on_each_isa!(s => {
        let mut row = columns(&[f32::NEG_INFINITY; 3]);
        assert!(loss(s, &mut row, 3, 0, 1.0).is_nan());
    });
}
