//! Adam against its published formulas in f64, on every instruction set.

use super::Adam;
use crate::kernels::optim::{NEGLIGIBLE, UpdateRule, WeightBlocks};
use crate::rng::{Rng, Stream};
use crate::simd::testing::on_each_isa;
use crate::simd::{F32x16, LANES, Simd};

/// One weight in f64, by the formulas of Kingma and Ba, section 2, in their efficient order.
#[derive(Clone, Copy, Default)]
struct Published {
    weight: f64,
    m: f64,
    v: f64,
}

impl Published {
    fn update(&mut self, adam: Adam, step: i32, gradient: f64) {
        self.m = adam.beta_1 * self.m + (1.0 - adam.beta_1) * gradient;
        self.v = adam.beta_2 * self.v + (1.0 - adam.beta_2) * gradient * gradient;
        let correction = (1.0 - adam.beta_2.powi(step)).sqrt() / (1.0 - adam.beta_1.powi(step));
        let rate = adam.learning_rate * correction;
        self.weight -= rate * self.m / (self.v.sqrt() + adam.epsilon);
    }
}

/// The engine's weights and moments, as a row of one block: the weights, m and v.
#[derive(Default)]
struct Engine {
    row: [F32x16; 3],
}

impl Engine {
    #[inline(always)]
    fn update<S: Simd>(&mut self, s: S, adam: Adam, step: u64, gradient: &F32x16) {
        let (weights, state) = self.row.split_at_mut(1);
        let weights = WeightBlocks { weights, state, first: 0 };
        adam.at(step).update(s, [s.load(gradient)], weights);
    }

    fn weight(&self) -> &[f32; LANES] {
        &self.row[0].0
    }
}

/// Gradients from about 1 in the first lane to 1e-9, under epsilon, in the last, of either sign.
fn gradients(rng: &mut Rng) -> F32x16 {
    F32x16(std::array::from_fn(|lane| (2.0 * rng.unit() - 0.7) * 0.25_f32.powi(lane as i32)))
}

#[test]
fn follows_the_published_formulas() {
    const STEPS: u64 = 300;
    let unusual = Adam { learning_rate: 0.02, beta_1: 0.5, beta_2: 0.9, epsilon: 1e-3 };
    for adam in [Adam::default(), unusual] {
        on_each_isa!(s => {
            let mut rng = Rng::stream(1, Stream::Shuffle, 0);
            let mut engine = Engine::default();
            let mut published = [Published::default(); LANES];
            for step in 1..=STEPS {
                let gradient = gradients(&mut rng);
                engine.update(s, adam, step, &gradient);
                for (weight, gradient) in published.iter_mut().zip(gradient.0) {
                    weight.update(adam, step as i32, f64::from(gradient));
                }
                // A step moves a weight by about the learning rate at most. The bias correction
                // in f32 is the largest error: β₂ is off by up to 2⁻²⁵, which 1 − β₂ᵗ magnifies
                // by up to 1 / (1 − β₂); the root halves it.
                let correction = 0.5 * 2.0_f64.powi(-24) / (1.0 - adam.beta_2);
                let relative = correction + 8.0 * f64::from(f32::EPSILON);
                for (computed, exact) in engine.weight().iter().zip(&published) {
                    let size = adam.learning_rate + exact.weight.abs() * f64::from(f32::EPSILON);
                    let error = (f64::from(*computed) - exact.weight).abs();
                    let tolerance = step as f64 * size * relative;
                    assert!(error <= tolerance, "step {step}: {error:e} > {tolerance:e}");
                }
            }
        });
    }
}

#[test]
fn the_bias_correction_is_that_of_f32() {
    let adam = Adam::default();
    for step in 1..=10_000 {
        let power = |beta: f32| f64::from(beta).powi(step) as f32;
        let expected = 1e-3_f32 * (1.0 - power(0.999)).sqrt() / (1.0 - power(0.9));
        assert_eq!(adam.at(step as u64).rate, expected, "step {step}");
    }
    // Which is not that of f64: at first by a part in 10⁵, enough to lead to other weights.
    let in_f64 = 1e-3 * (1.0 - 0.999_f64).sqrt() / (1.0 - 0.9);
    let ratio = f64::from(adam.at(1).rate) / in_f64;
    assert!((ratio - 1.0).abs() > 3e-6, "{ratio}");
}

#[test]
fn moments_decay_to_zero_without_becoming_subnormal() {
    on_each_isa!(s => {
        let adam = Adam { beta_2: 0.9, ..Adam::default() };
        let mut engine = Engine::default();
        engine.update(s, adam, 1, &gradients(&mut Rng::stream(2, Stream::Shuffle, 0)));
        for step in 2..=1_000 {
            engine.update(s, adam, step, &F32x16::default());
            for moment in engine.row[1].0.iter().chain(&engine.row[2].0) {
                assert!(*moment == 0.0 || moment.abs() >= NEGLIGIBLE, "step {step}: {moment:e}");
            }
        }
        assert_eq!(engine.row[1..], [F32x16::default(); 2]);
    });
}

#[test]
fn no_gradient_moves_no_weight() {
    on_each_isa!(s => {
        let mut engine = Engine { row: [F32x16([0.3; LANES]), F32x16::default(), F32x16::default()] };
        engine.update(s, Adam::default(), 1, &F32x16::default());
        assert_eq!(engine.weight(), &[0.3; LANES]);
    });
}

#[test]
fn a_gradient_that_is_no_number_shows_in_the_weight() {
    on_each_isa!(s => {
        for gradient in [f32::NAN, f32::INFINITY] {
            let mut engine = Engine::default();
            engine.update(s, Adam::default(), 1, &F32x16([gradient; LANES]));
            assert!(engine.weight().iter().all(|weight| weight.is_nan()));
        }
    });
}
