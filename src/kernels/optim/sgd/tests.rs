//! Descent against its formulas in f64, on every instruction set.

use super::Sgd;
use crate::kernels::optim::{NEGLIGIBLE, UpdateRule, WeightBlocks};
use crate::rng::{Rng, Stream};
use crate::simd::testing::on_each_isa;
use crate::simd::{F32x16, LANES, Lanes};

const RATE: f64 = 0.05;

/// A row of a single block.
fn block(row: &mut [F32x16; 2]) -> WeightBlocks<'_> {
    let (weights, state) = row.split_at_mut(1);
    WeightBlocks { weights, state, first: 0 }
}

/// Checks that 100 updates by `update`, of a weight and a velocity, follow the formulas.
fn check_formula(momentum: f64, update: impl Fn(&F32x16, &mut [F32x16; 2])) {
    let mut rng = Rng::stream(3, Stream::Shuffle, 0);
    let mut row = [F32x16::default(); 2];
    let mut exact = [(0.0_f64, 0.0_f64); LANES];
    for step in 1..=100 {
        let gradient = F32x16(std::array::from_fn(|_| 2.0 * rng.unit() - 1.0));
        update(&gradient, &mut row);
        for ((weight, velocity), gradient) in exact.iter_mut().zip(gradient.0) {
            *velocity = momentum * *velocity - RATE * f64::from(gradient);
            *weight += *velocity;
        }
        for (computed, (exact, _)) in row[0].0.iter().zip(exact) {
            // The constants and each sum are rounded; |velocity| ≤ 0.05 / (1 − 0.9).
            let tolerance = f64::from(step) * (exact.abs() + 0.5) * f64::from(f32::EPSILON);
            let error = (f64::from(*computed) - exact).abs();
            assert!(error <= tolerance, "step {step}: {error:e} > {tolerance:e}");
        }
    }
}

#[test]
fn follows_the_formulas() {
    on_each_isa!(s => {
        for momentum in [0.0, 0.9] {
            let rule = Sgd { learning_rate: RATE, momentum }.step();
            check_formula(momentum, |gradient, row| rule.update(s, [s.load(gradient)], block(row)));
        }
    });
}

#[test]
fn velocities_decay_to_zero_without_becoming_subnormal() {
    on_each_isa!(s => {
        let rule = Sgd { momentum: 0.5, ..Sgd::default() }.step();
        let mut row = [F32x16::default(), F32x16([1.0; LANES])];
        for _ in 0..200 {
            rule.update(s, [s.zero()], block(&mut row));
            assert!(row[1].0.iter().all(|&x| x == 0.0 || x.abs() >= NEGLIGIBLE), "{row:?}");
        }
        assert_eq!(row[1], F32x16::default());
    });
}

#[test]
fn a_gradient_that_is_no_number_shows_in_the_weight() {
    on_each_isa!(s => {
        let rule = Sgd::default().step();
        for gradient in [f32::NAN, f32::INFINITY] {
            let mut row = [F32x16::default(); 2];
            rule.update(s, [s.splat(gradient)], block(&mut row));
            assert!(row[0].0.iter().all(|weight| !weight.is_finite()));
        }
    });
}
