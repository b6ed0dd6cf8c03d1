//! Options that make no sense: what they are called, what they are, and what is expected.

/// An option has a value that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{name} is {value}: give {expected}")]
pub struct InvalidOption {
    /// What the option is called, as the start of a sentence.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// What it may be.
    pub expected: &'static str,
}

/// Whether 0 ≤ x < 1, also once x is rounded to `f32`.
pub(crate) fn is_fraction(x: f64) -> bool {
    // What rounds to less than one is less than one.
    x >= 0.0 && (x as f32) < 1.0
}

/// Refuses what is no [fraction](is_fraction).
pub(crate) fn check_fraction(name: &'static str, value: f64) -> Result<(), InvalidOption> {
    let expected = "a number from 0 up to, not including, 1";
    if is_fraction(value) { Ok(()) } else { Err(InvalidOption { name, value, expected }) }
}

/// Refuses what is not positive and finite once it is rounded to `f32`.
pub(super) fn check_positive(name: &'static str, value: f64) -> Result<(), InvalidOption> {
    let rounded = value as f32;
    let expected = "a number above 0 that f32 can hold";
    if rounded > 0.0 && rounded.is_finite() {
        Ok(())
    } else {
        Err(InvalidOption { name, value, expected })
    }
}
