//! Descent with momentum against its formula in f64, on every instruction set.

use super::{NEGLIGIBLE, Sgd};
use crate::buffers::{LANES, Lanes};
use crate::rng::{Purpose, Rng};
use crate::simd::Simd;
use crate::simd::testing::on_each_isa;

#[test]
fn follows_the_formula() {
    for momentum in [0.0, 0.9] {
        let sgd = Sgd { learning_rate: 0.05, momentum };
        on_each_isa!(s => {
            let mut rng = Rng::stream(3, Purpose::Shuffle, 0);
            let (mut weight, mut velocity) = (Lanes::default(), Lanes::default());
            let mut exact = [(0.0_f64, 0.0_f64); LANES];
            for step in 1..=100 {
                let gradient = Lanes(std::array::from_fn(|_| 2.0 * rng.unit() - 1.0));
                sgd.update(s, s.load(&gradient), &mut weight, &mut velocity);
                for ((weight, velocity), gradient) in exact.iter_mut().zip(gradient.0) {
                    *velocity = momentum * *velocity - 0.05 * f64::from(gradient);
                    *weight += *velocity;
                }
                for (computed, (exact, _)) in weight.0.iter().zip(exact) {
                    // The constants and each sum are rounded; |velocity| ≤ 0.05 / (1 − 0.9).
                    let tolerance = f64::from(step) * (exact.abs() + 0.5) * f64::from(f32::EPSILON);
                    let error = (f64::from(*computed) - exact).abs();
                    assert!(error <= tolerance, "step {step}: {error:e} > {tolerance:e}");
                }
            }
        });
    }
}

#[test]
fn velocities_decay_to_zero_without_becoming_subnormal() {
    on_each_isa!(s => {
        let sgd = Sgd { momentum: 0.5, ..Sgd::default() };
        let (mut weight, mut velocity) = (Lanes::default(), Lanes([1.0; LANES]));
        for _ in 0..200 {
            sgd.update(s, s.zero(), &mut weight, &mut velocity);
            assert!(velocity.0.iter().all(|&x| x == 0.0 || x.abs() >= NEGLIGIBLE), "{velocity:?}");
        }
        assert_eq!(velocity, Lanes::default());
    });
}

#[test]
fn a_gradient_that_is_no_number_shows_in_the_weight() {
    on_each_isa!(s => {
        let (mut weight, mut velocity) = (Lanes::default(), Lanes::default());
        sgd_step(s, f32::NAN, &mut weight, &mut velocity);
        assert!(weight.0.iter().all(|weight| weight.is_nan()));
        let mut velocity = Lanes::default();
        let mut weight = Lanes::default();
        sgd_step(s, f32::INFINITY, &mut weight, &mut velocity);
        assert_eq!(weight, Lanes([f32::NEG_INFINITY; LANES]));
    });
}

#[inline(always)]
fn sgd_step<S: Simd>(s: S, gradient: f32, weight: &mut Lanes, velocity: &mut Lanes) {
    Sgd::default().update(s, s.splat(gradient), weight, velocity);
}
