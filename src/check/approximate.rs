//! Numbers and what f32 may make of them: a running error analysis.
//!
//! With u = 2⁻²⁴, an operation that is rounded once is wrong by no more than u times its result, and
//! a sum of n products, in any order, fused or not, by no more than γₙ Σ|xw|, γₙ = nu / (1 − nu)
//! (Higham, Accuracy and Stability of Numerical Algorithms, second edition, 2002, §3.1), and besides
//! by what underflows, n times the least normal number. What the operands are wrong by is carried
//! along beside their values (§3.3).

/// What rounding to f32 may change a number by, as a share of it.
pub(super) const UNIT: f64 = 1.0 / 16_777_216.0;
/// What a rounding may change besides where its result underflows, 2⁻¹²⁶.
const LEAST: f64 = f32::MIN_POSITIVE as f64;
/// What 2 units in the last place are, as a share: that much `exp`, `ln` and `sigmoid` may be
/// wrong by, as so many roundings.
pub(super) const FUNCTION: usize = 4;

/// A number in f64, and by how much the engine's may differ from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Approximate {
    pub(super) value: f64,
    pub(super) error: f64,
}

/// A sum of those, in any order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    value: f64,
    error: f64,
    /// Σ|x|
    size: f64,
    terms: usize,
}

/// γₙ
pub(super) fn gamma(n: usize) -> f64 {
    let share = n as f64 * UNIT;
    share / (1.0 - share)
}

impl Approximate {
    pub(super) const fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    /// What is `value`, or anything else that is no larger.
    pub(super) fn or_smaller(value: f64, size: f64) -> Self {
        Self { value, error: size }
    }

    /// How large it may be.
    pub(super) fn size(self) -> f64 {
        self.value.abs() + self.error
    }

    /// After `n` roundings. Zero needs none.
    pub(super) fn rounded(self, n: usize) -> Self {
        if self.size() == 0.0 {
            return self;
        }
        Self { error: self.error + gamma(n) * self.size() + n as f64 * LEAST, ..self }
    }

    /// The product, before it is rounded.
    pub(super) fn times(self, other: Self) -> Self {
        let error = self.error * other.size() + self.value.abs() * other.error;
        Self { value: self.value * other.value, error }
    }
}

impl Sum {
    pub(super) fn add(&mut self, term: Approximate) {
        // To add zero is exact.
        if term.size() > 0.0 {
            self.value += term.value;
            self.error += term.error;
            self.size += term.size();
            self.terms += 1;
        }
    }

    pub(super) fn rounded(self) -> Approximate {
        self.rounded_with(0)
    }

    /// As part of a sum that has `more` terms.
    pub(super) fn rounded_with(self, more: usize) -> Approximate {
        let Self { value, error, size, terms } = self;
        let terms = if terms == 0 { 0 } else { terms + more };
        Approximate { value, error: error + gamma(terms) * size + terms as f64 * LEAST }
    }
}
