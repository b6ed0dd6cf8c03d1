//! Softmax and sparse categorical cross-entropy, forward and backward in one, of 16 samples at a
//! time: a vector for each class, one sample a lane.

use crate::kernels::ops::exp::exp;
use crate::kernels::ops::ln::ln;
use crate::simd::{F32x16, LANES, Simd};

/// Turns `logits`, a vector for each of `classes` classes and padding after them, into their
/// softmax; padding becomes zero.
///
/// Returns, for each sample, the greatest logit and the logarithm of the sum of
/// e^(logit − greatest). The powers are added up by the fixed tree of the vectors, as those of one
/// sample in one vector would be.
#[inline(always)]
pub(crate) fn softmax<S: Simd>(s: S, logits: &mut [F32x16], classes: usize) -> (S::F32, S::F32) {
    let (logits, padding) = logits.split_at_mut(classes);
    padding.fill(F32x16::default());
    let mut greatest = s.splat(f32::NEG_INFINITY);
    for logit in &*logits {
        greatest = s.max(greatest, s.load(logit));
    }
    let mut sums = [s.zero(); LANES];
    for (class, logit) in logits.iter_mut().enumerate() {
        let power = exp(s, s.sub(s.load(logit), greatest));
        s.store(power, logit);
        sums[class % LANES] = s.add(sums[class % LANES], power);
    }
    let sum = s.add_all(sums);
    for power in logits {
        s.store(s.div(s.load(power), sum), power);
    }
    (greatest, ln(s, sum))
}

/// The labels of up to 16 samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Labels<'a> {
    /// The class of each sample.
    pub(crate) classes: &'a [u8],
    /// The share of each label that is spread over all classes (Szegedy and others, 2016).
    pub(crate) smoothing: f32,
}

/// Sparse categorical cross-entropy: −ln softmax(logits)\[label\] of the first samples, as many as
/// there are `labels`; the lanes of the others hold anything.
///
/// On return `logits` hold the gradient with respect to the logits, (softmax − label) · `scale`,
/// which each sample has its own of.
#[inline(always)]
pub(crate) fn cross_entropy<S: Simd>(
    s: S,
    logits: &mut [F32x16],
    classes: usize,
    Labels { classes: labels, smoothing }: Labels<'_>,
    scale: S::F32,
) -> S::F32 {
    let own = |lane: usize| usize::from(labels[lane]);
    let mut target = F32x16::default();
    for lane in 0..labels.len() {
        target.0[lane] = logits[own(lane)].0[lane];
    }
    let mut target = s.load(&target);
    if smoothing > 0.0 {
        let sum = logits[..classes].iter().fold(s.zero(), |sum, logit| s.add(sum, s.load(logit)));
        let mean = s.div(sum, s.splat(classes as f32));
        let kept = s.mul(s.splat(1.0 - smoothing), target);
        target = s.add(kept, s.mul(s.splat(smoothing), mean));
    }
    let (greatest, log_sum) = softmax(s, logits, classes);
    if smoothing > 0.0 {
        let share = s.splat(smoothing / classes as f32);
        for gradient in &mut logits[..classes] {
            s.store(s.sub(s.load(gradient), share), gradient);
        }
    }
    for lane in 0..labels.len() {
        logits[own(lane)].0[lane] -= 1.0 - smoothing;
    }
    for gradient in logits {
        s.store(s.mul(s.load(gradient), scale), gradient);
    }
    s.add(log_sum, s.sub(greatest, target))
}

#[cfg(test)]
mod tests;
