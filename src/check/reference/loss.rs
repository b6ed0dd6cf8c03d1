//! The loss of one sample: the cross-entropy of the softmax of its logits, and its gradient.

/// 1 / (1 + e⁻ˣ)
#[must_use]
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// e^logit over the sum of all.
#[must_use]
pub fn softmax(logits: &[f64]) -> Vec<f64> {
    let greatest = greatest(logits);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - greatest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// −ln softmax(logits)\[label\]
pub(super) fn cross_entropy(logits: &[f64], label: u8) -> f64 {
    let greatest = greatest(logits);
    let sum: f64 = logits.iter().map(|logit| (logit - greatest).exp()).sum();
    sum.ln() + (greatest - logits[usize::from(label)])
}

/// The gradient of `scale` times the cross-entropy with respect to the logits: what each probability
/// is more than it should be.
pub(super) fn gradient(logits: &[f64], label: u8, scale: f64) -> Vec<f64> {
    let mut gradient = softmax(logits);
    gradient[usize::from(label)] -= 1.0;
    gradient.into_iter().map(|difference| scale * difference).collect()
}

fn greatest(logits: &[f64]) -> f64 {
    logits.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
