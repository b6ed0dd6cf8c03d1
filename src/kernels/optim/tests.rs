//! Which constants an optimiser accepts, and the bits of its updates.

use super::{Adam, InvalidOption, Optimizer, Sgd, UpdateRule, WeightBlocks};
use crate::rng::{Rng, Stream};
use crate::simd::scalar::Scalar;
use crate::simd::testing::on_each_isa;
use crate::simd::{F32x16, LANES, Lanes, Portable, Simd, zeroed};

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

#[test]
fn an_error_says_what_was_given_and_what_is_expected() {
    let error = Optimizer::Sgd(Sgd { momentum: 1.5, ..Sgd::default() }).check().unwrap_err();
    let expected = "a number from 0 up to, not including, 1";
    assert_eq!(error, InvalidOption { name: "the momentum", value: 1.5, expected });
    assert_eq!(error.to_string(), format!("the momentum is 1.5: give {expected}"));
    let error = Optimizer::Sgd(Sgd { learning_rate: 0.0, ..Sgd::default() }).check().unwrap_err();
    let text = "the learning rate is 0: give a number above 0 that f32 can hold";
    assert_eq!(error.to_string(), text);
}

/// The bits of ten rows of two blocks after twenty updates each, of gradients that are always there to ones that
/// seldom are.
#[inline(always)]
fn run<S: Simd, R: UpdateRule>(s: S, rule: impl Fn(u64) -> R) -> Vec<u32> {
    const WIDTH: usize = 2;
    let mut rng = Rng::stream(0, Stream::Initialise, 0);
    let mut rows = zeroed(10 * WIDTH * R::SLOTS);
    for (seldom, row) in rows.chunks_exact_mut(WIDTH * R::SLOTS).enumerate() {
        row[..WIDTH]
            .iter_mut()
            .flat_map(|vector| &mut vector.0)
            .for_each(|w| *w = rng.unit() - 0.5);
        for step in 1..=20 {
            for block in 0..WIDTH {
                let is_there = rng.below(10) as usize >= seldom;
                let gradient =
                    [(); LANES].map(|()| if is_there { rng.range(-1e-2, 1e-2) } else { 0.0 });
                let (weights, state) = row.split_at_mut(WIDTH);
                let weights = WeightBlocks { weights, state, first: block };
                rule(step).update(s, [s.load(&F32x16(gradient))], weights);
            }
        }
    }
    rows.iter().flat_map(|vector| vector.0.map(f32::to_bits)).collect()
}

/// A weight that does not move keeps its sign, whatever its neighbours in the vector do.
#[test]
fn a_negative_zero_stays() {
    on_each_isa!(s => {
        let mut row = zeroed(3);
        row[0] = F32x16([-0.0; LANES]);
        let mut gradient = F32x16::default();
        gradient.0[3] = 1.0;
        let (weights, state) = row.split_at_mut(1);
        let weights = WeightBlocks { weights, state, first: 0 };
        Adam::default().at(1).update(s, [s.load(&gradient)], weights);
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
