//! The loss: sparse categorical cross-entropy of the softmax of the logits, and its gradient.

use std::ops::Range;

use crate::buffers::{Lanes, Writer};
use crate::ops::softmax::{cross_entropy, smoothed_cross_entropy};
use crate::simd::{Kernel, Simd};

/// Turns the logits of `samples`, in panels, into the gradient of the mean loss, and appends a
/// panel with what was found of each sample ([`Outcome`]).
pub(crate) struct CrossEntropy<'a, 'w, L> {
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
    /// Room for one sample's logits.
    pub(crate) row: &'a mut [Lanes],
}

impl<L: Fn(usize) -> u8> Kernel for CrossEntropy<'_, '_, L> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { samples, label, classes, smoothing, scale, panels, batch, row } = self;
        for sample in samples {
            for (group, lanes) in row.iter_mut().enumerate() {
                *lanes = *panels.at(group * batch + sample);
            }
            let label = label(sample);
            let class = argmax(row, classes);
            let correct = class == usize::from(label);
            let loss = if smoothing > 0.0 {
                smoothed_cross_entropy(s, row, classes, (label, smoothing), scale)
            } else {
                cross_entropy(s, row, classes, label, scale)
            };
            for (group, lanes) in row.iter().enumerate() {
                *panels.at(group * batch + sample) = *lanes;
            }
            *panels.at(row.len() * batch + sample) = Outcome { loss, class, correct }.to_lanes();
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
    fn to_lanes(self) -> Lanes {
        let mut lanes = Lanes::default();
        // A class is below 256: exact.
        lanes.0[..3].copy_from_slice(&[
            self.loss,
            self.class as f32,
            f32::from(u8::from(self.correct)),
        ]);
        lanes
    }

    /// Reads what [`CrossEntropy`] appended.
    pub(crate) fn from_lanes(lanes: &Lanes) -> Self {
        Self { loss: lanes.0[0], class: lanes.0[1] as usize, correct: lanes.0[2] == 1.0 }
    }
}

/// The class of the greatest logit; the first of equal ones.
///
/// The last activation does not matter: it keeps the order of the logits.
pub(crate) fn argmax(logits: &[Lanes], classes: usize) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (class, logit) in logits.iter().flat_map(|lanes| lanes.0).take(classes).enumerate() {
        if logit > best.1 {
            best = (class, logit);
        }
    }
    best.0
}
