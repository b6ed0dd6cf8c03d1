//! Which constants an optimiser accepts.

use super::{Adam, Optimizer, Sgd};

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
