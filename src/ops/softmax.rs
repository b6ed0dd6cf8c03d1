//! Softmax and sparse categorical cross-entropy on a row of logits, forward and backward in one.

use super::{exp::exp, ln::ln};
use crate::buffers::{LANES, Lanes};
use crate::simd::Simd;

/// Lane numbers, to tell the padding of a row from its classes.
const LANE: Lanes = {
    let mut lanes = [0.0; LANES];
    let mut i = 0;
    while i < LANES {
        lanes[i] = i as f32;
        i += 1;
    }
    Lanes(lanes)
};

/// Turns `row`, the logits of `classes` classes, into their softmax; padding becomes zero.
///
/// Returns the greatest logit and the logarithm of the sum of e^(logit − greatest).
#[inline(always)]
pub(crate) fn softmax<S: Simd>(s: S, row: &mut [Lanes], classes: usize) -> (f32, f32) {
    let within = |group: usize| s.lt(s.load(&LANE), s.splat((classes - group * LANES) as f32));
    let mut greatest = s.splat(f32::NEG_INFINITY);
    for (group, lanes) in row.iter_mut().enumerate() {
        let logits = s.select(within(group), s.load(lanes), s.splat(f32::NEG_INFINITY));
        s.store(logits, lanes);
        // A NaN must not be lost on the way to the loss: `max` returns its second operand then.
        greatest = s.max(greatest, logits);
    }
    let greatest = s.reduce_max(greatest);
    let mut sum = s.zero();
    for lanes in row.iter_mut() {
        let power = exp(s, s.sub(s.load(lanes), s.splat(greatest)));
        s.store(power, lanes);
        sum = s.add(sum, power);
    }
    let sum = s.reduce_add(sum);
    for lanes in row.iter_mut() {
        s.store(s.div(s.load(lanes), s.splat(sum)), lanes);
    }
    let mut log = Lanes::default();
    s.store(ln(s, s.splat(sum)), &mut log);
    (greatest, log.0[0])
}

/// Sparse categorical cross-entropy of one sample: −ln softmax(logits)\[label\].
///
/// On return `row` holds the gradient with respect to the logits, (softmax − one-hot) · `scale`.
#[inline(always)]
pub(crate) fn cross_entropy<S: Simd>(
    s: S,
    row: &mut [Lanes],
    classes: usize,
    label: u8,
    scale: f32,
) -> f32 {
    let (group, lane) = (usize::from(label) / LANES, usize::from(label) % LANES);
    let logit = row[group].0[lane];
    let (greatest, log_sum) = softmax(s, row, classes);
    row[group].0[lane] -= 1.0;
    for lanes in row.iter_mut() {
        s.store(s.mul(s.load(lanes), s.splat(scale)), lanes);
    }
    log_sum + (greatest - logit)
}

/// The same where labels are smoothed (Szegedy and others, 2016): the share `smoothing` of each
/// is spread over all classes.
#[inline(always)]
pub(crate) fn smoothed_cross_entropy<S: Simd>(
    s: S,
    row: &mut [Lanes],
    classes: usize,
    (label, smoothing): (u8, f32),
    scale: f32,
) -> f32 {
    let logits = row.iter().flat_map(|lanes| lanes.0).take(classes);
    let mean = logits.sum::<f32>() / classes as f32;
    let (group, lane) = (usize::from(label) / LANES, usize::from(label) % LANES);
    let target = (1.0 - smoothing) * row[group].0[lane] + smoothing * mean;
    let (greatest, log_sum) = softmax(s, row, classes);
    let share = smoothing / classes as f32;
    row.iter_mut().flat_map(|lanes| &mut lanes.0).take(classes).for_each(|p| *p -= share);
    row[group].0[lane] -= 1.0 - smoothing;
    for lanes in row.iter_mut() {
        s.store(s.mul(s.load(lanes), s.splat(scale)), lanes);
    }
    log_sum + (greatest - target)
}

#[cfg(test)]
mod tests;
