//! The loss head.

use super::spread;
use crate::check::approximate::{Approximate, FUNCTION, UNIT, gamma};
use crate::check::reference::softmax;

/// The loss, and the gradient of the logits, which is `scale` times what each probability is more
/// than it should be.
///
/// The engine subtracts its own greatest logit from all, where the truth has its own. The result does
/// not depend on what is subtracted, so that only the rounding of the differences counts.
pub(super) fn cross_entropy(
    logits: &[Approximate],
    label: u8,
    scale: Approximate,
) -> (Approximate, Vec<Approximate>) {
    let label = usize::from(label);
    let values: Vec<f64> = logits.iter().map(|logit| logit.value).collect();
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // What the engine's greatest logit may differ from the truth's by.
    let off = logits.iter().map(|logit| logit.error).fold(0.0, f64::max);
    // What the difference of a logit and the greatest is rounded by, and is wrong by after that.
    let rounding = |logit: &Approximate| UNIT * (greatest - logit.value + logit.error + off);
    let errors: Vec<f64> = logits.iter().map(|logit| logit.error + rounding(logit)).collect();
    let most = errors.iter().copied().fold(0.0, f64::max);

    let probabilities = softmax(&values);
    let gradient = probabilities.iter().zip(&errors).enumerate().map(|(class, (&p, &error))| {
        // Above and below the line of the quotient an exponential, below it the sum.
        let roundings = 2 * FUNCTION + logits.len() + 1;
        let p = Approximate { value: p, error: spread(p, error + most) }.rounded(roundings);
        let truth = f64::from(u8::from(class == label));
        let difference = Approximate { value: p.value - truth, ..p };
        // Nothing is subtracted but from the label's.
        difference.rounded(usize::from(class == label)).times(scale).rounded(1)
    });

    // loss = ln Σ e^(logit − greatest) + (greatest − the label's), both of which are rounded; the
    // logarithm also takes on what its sum is wrong by.
    let gap = greatest - values[label];
    let log_sum = -probabilities[label].ln() - gap;
    let sum_error = -(-gamma(FUNCTION + logits.len())).ln_1p();
    let error = (1.0 - probabilities[label]) * (errors[label] + most).exp_m1()
        + sum_error
        + gamma(FUNCTION) * (log_sum + off + most + sum_error)
        + 2.0 * rounding(&logits[label]);
    (Approximate { value: log_sum + gap, error }.rounded(1), gradient.collect())
}
