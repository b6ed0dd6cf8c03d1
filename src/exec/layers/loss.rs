//! The loss: sparse categorical cross-entropy of the softmax of the logits, and its gradient.

use std::ops::Range;

use crate::kernels::ops::argmax::argmax;
use crate::kernels::ops::softmax::{Labels, cross_entropy};
use crate::simd::{F32x16, LANES};
use crate::simd::{Kernel, Simd};
use crate::sync::Writer;

/// Turns the logits of `samples`, in panels, into the gradient of the mean loss, and appends what
/// was found of each sample ([`Outcome`]).
pub(crate) struct CrossEntropy<'a, 'w, L> {
    /// Whole sixteens of the minibatch, but for the last.
    pub(crate) samples: Range<usize>,
    /// The label of a sample.
    pub(crate) label: L,
    pub(crate) classes: usize,
    /// Which share of each label is spread over all classes.
    pub(crate) smoothing: f32,
    /// 1 over the size of the minibatch.
    pub(crate) scale: f32,
    pub(crate) panels: &'a mut Writer<'w>,
    /// Samples of a panel.
    pub(crate) batch: usize,
    /// Room for sixteen samples' logits: a vector for each class, in whole blocks.
    pub(crate) logits: &'a mut [F32x16],
}

impl<L: Fn(usize) -> u8> Kernel for CrossEntropy<'_, '_, L> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { samples, label, classes, smoothing, scale, panels, batch, logits } = self;
        let outcomes = logits.len() / LANES * batch;
        for first in samples.clone().step_by(LANES) {
            let sixteen = first..samples.end.min(first + LANES);
            let mut labels = [0; LANES];
            labels.iter_mut().zip(sixteen.clone()).for_each(|(into, sample)| *into = label(sample));
            for (block, logits) in logits.chunks_exact_mut(LANES).enumerate() {
                let mut rows = [s.zero(); LANES];
                for (row, sample) in rows.iter_mut().zip(sixteen.clone()) {
                    *row = s.load(panels.at(block * batch + sample));
                }
                for (row, lanes) in s.transpose(rows).into_iter().zip(logits) {
                    s.store(row, lanes);
                }
            }
            // The last activation does not matter: it keeps the order of the logits.
            let (_, read) = argmax(s, logits[..classes].iter().map(|logits| s.load(logits)));
            let labelled = s.load(&F32x16(labels.map(f32::from)));
            let correct = s.select(s.eq(read, labelled), s.splat(1.0), s.zero());
            let labels = Labels { classes: &labels[..sixteen.len()], smoothing };
            let loss = cross_entropy(s, logits, classes, labels, scale);
            for (block, gradient) in logits.chunks_exact(LANES).enumerate() {
                let mut rows = [s.zero(); LANES];
                for (row, lanes) in rows.iter_mut().zip(gradient) {
                    *row = s.load(lanes);
                }
                for (row, sample) in s.transpose(rows).into_iter().zip(sixteen.clone()) {
                    s.store(row, panels.at(block * batch + sample));
                }
            }
            let place = outcomes + Outcome::LANES * (first / LANES);
            for (lanes, found) in (place..).zip([loss, read, correct]) {
                s.store(found, panels.at(lanes));
            }
        }
    }
}

/// What became of one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) loss: f32,
    /// What it was read as.
    pub(crate) class: usize,
    /// Whether that is right.
    pub(crate) correct: bool,
}

impl Outcome {
    /// Vectors that hold the outcomes of sixteen samples.
    pub(crate) const LANES: usize = 3;

    /// That of `sample`, of the `outcomes` that [`CrossEntropy`] appended.
    pub(crate) fn of(sample: usize, outcomes: &[F32x16]) -> Self {
        let found = |lanes: usize| outcomes[sample / LANES * Self::LANES + lanes].0[sample % LANES];
        Self { loss: found(0), class: found(1) as usize, correct: found(2) == 1.0 }
    }
}
