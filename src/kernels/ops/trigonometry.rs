//! Sine and cosine in the engine's own arithmetic, so that their bits depend on no libm.

use std::f64::consts::{FRAC_PI_2, PI};

/// cos x for x from 0 to π, within 10⁻¹⁴.
pub(crate) fn cos(x: f64) -> f64 {
    sin(FRAC_PI_2 - x)
}

/// sin x for x from −π to π, within 10⁻¹⁴: its Taylor series about 0, from the folded angle.
pub(crate) fn sin(x: f64) -> f64 {
    let x = if x > FRAC_PI_2 {
        PI - x
    } else if x < -FRAC_PI_2 {
        -PI - x
    } else {
        x
    };
    let square = x * x;
    // 1 − x²/(2·3) (1 − x²/(4·5) (1 − …)): terms up to x²³.
    let series = (1..=11).rev().fold(1.0, |series, n| {
        let n = f64::from(2 * n);
        1.0 - square / (n * (n + 1.0)) * series
    });
    x * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_the_standard_library() {
        for i in -1000..=1000 {
            let x = PI * f64::from(i) / 1000.0;
            assert!((sin(x) - x.sin()).abs() < 1e-14, "sin {x}");
            assert!((cos(x.abs()) - x.cos()).abs() < 1e-14, "cos {x}");
        }
    }
}
