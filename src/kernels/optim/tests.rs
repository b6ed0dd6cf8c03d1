//! Which constants an optimiser accepts, and the bits of its updates.

use super::{Adam, Optimizer, Sgd, UpdateRule};
use crate::rng::{Rng, Stream};
use crate::simd::scalar::Scalar;
use crate::simd::testing::on_each_isa;
use crate::simd::{F32x16, LANES, zeroed};
use crate::simd::{Portable, Simd};

fn accepts(optimizer: Optimizer) -> bool {
    optimizer.check().is_ok()
}

#[test]
fn the_defaults_are_accepted() {
    assert!(accepts(Optimizer::default()));
    assert!(accepts(Optimizer::Sgd(Sgd::default())));
    assert!(accepts(Optimizer::Adam(Adam { beta_1: 0.0, beta_2: 0.0, ..Adam::default() })));
}

#[test]
fn learning_rates_that_move_nothing_or_everything_are_refused() {
    // The last two are numbers of f64, but zero and infinite in f32.
    for rate in [0.0, -1e-3, f64::NAN, f64::INFINITY, 1e-60, 1e60] {
        let learning_rate = rate;
        assert!(!accepts(Optimizer::Adam(Adam { learning_rate, ..Adam::default() })), "{rate}");
        assert!(!accepts(Optimizer::Sgd(Sgd { learning_rate, ..Sgd::default() })), "{rate}");
    }
}

#[test]
fn decays_outside_the_unit_interval_are_refused() {
    // The last is below one in f64, but one in f32.
    for decay in [-0.1, 1.0, 1.5, f64::NAN, 1.0 - 1e-12] {
        assert!(!accepts(Optimizer::Adam(Adam { beta_1: decay, ..Adam::default() })), "{decay}");
        assert!(!accepts(Optimizer::Adam(Adam { beta_2: decay, ..Adam::default() })), "{decay}");
        assert!(!accepts(Optimizer::Sgd(Sgd { momentum: decay, ..Sgd::default() })), "{decay}");
    }
}

#[test]
fn an_epsilon_that_guards_nothing_is_refused() {
    for epsilon in [0.0, -1e-7, f64::NAN, f64::INFINITY, 1e-60] {
        assert!(!accepts(Optimizer::Adam(Adam { epsilon, ..Adam::default() })), "{epsilon}");
    }
}

/// The bits of ten rows of two blocks after twenty updates each, from seldom-lit to often-lit.
#[inline(always)]
fn run<S: Simd, R: UpdateRule>(s: S, rule: impl Fn(u64) -> R) -> Vec<u32> {
    const WIDTH: usize = 2;
    let mut rng = Rng::stream(0, Stream::Initialise, 0);
    let mut rows = zeroed(10 * WIDTH * R::SLOTS);
    for (seldom, row) in rows.chunks_exact_mut(WIDTH * R::SLOTS).enumerate() {
        row[..WIDTH].iter_mut().flat_map(|lanes| &mut lanes.0).for_each(|w| *w = rng.unit() - 0.5);
        for step in 1..=20 {
            for block in 0..WIDTH {
                let lit = rng.below(10) as usize >= seldom;
                let gradient = [(); LANES].map(|()| if lit { rng.range(-1e-2, 1e-2) } else { 0.0 });
                rule(step).update(s, [s.load(&F32x16(gradient))], row, WIDTH, block);
            }
        }
    }
    rows.iter().flat_map(|lanes| lanes.0.map(f32::to_bits)).collect()
}

/// A weight that does not move keeps its sign, whatever its neighbours in the vector do.
#[test]
fn a_negative_zero_stays() {
    on_each_isa!(s => {
        let mut row = zeroed(3);
        row[0] = F32x16([-0.0; LANES]);
        let mut gradient = F32x16::default();
        gradient.0[3] = 1.0;
        Adam::default().at(1).update(s, [s.load(&gradient)], &mut row, 1, 0);
        assert!(row[0].0[3] < 0.0);
        assert_eq!(row[0].0[4].to_bits(), (-0.0_f32).to_bits());
    });
}

#[test]
fn updates_have_the_bits_of_the_scalar_oracle() {
    let adam = Adam { learning_rate: 0.01, ..Adam::default() };
    let sgd = Sgd { momentum: 0.9, ..Sgd::default() };
    let oracle = [run(Scalar, |step| adam.at(step)), run(Scalar, |_| sgd.step())];
    let mut found = Vec::new();
    on_each_isa!(s => found.push([run(s, |step| adam.at(step)), run(s, |_| sgd.step())]));
    // The first is the portable one, which rounds twice where the build has no such instruction.
    let fused = &found[usize::from(!Portable::IS_FUSED)..];
    assert!(fused.iter().all(|states| *states == oracle));
}
