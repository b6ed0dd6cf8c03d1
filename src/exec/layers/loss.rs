//! The loss head: sparse categorical cross-entropy of the softmax of the logits, and its gradient.
//!
//! Whoever has a sample's logits has all of them, and turns them in place into their gradient.
//! What became of each sample, the outcomes, goes to a buffer behind the logits that shares their
//! turns: a turn of its own would cost every step a cache line's way between the cores, twice.

use std::ops::{AddAssign, Range};

use crate::exec::layout::{BlockedBuffer, BlockedMut};
use crate::exec::partition::Partition;
use crate::exec::pass::Pass;
use crate::exec::plan::{Plan, StagePlan};
use crate::kernels::ops::argmax::argmax;
use crate::kernels::ops::softmax::{Labels, cross_entropy};
use crate::simd::{F32x16, Kernel, LANES, Simd, transpose_block, vectors_for, zeroed};
use crate::sync::TeamSync;

/// One worker's loss head.
pub(crate) struct LossHead {
    partition: Partition,
    rank: usize,
    /// Which share of each label is spread over all classes.
    smoothing: f32,
    outcomes: OutcomeLayout,
    /// The logits, or their gradient, and the outcomes.
    pub(crate) logits: BlockedBuffer,
    /// Room for the logits of 16 samples: a vector a class, in whole column blocks.
    room: Vec<F32x16>,
}

/// What became of one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) loss: f32,
    /// The class of the greatest logit.
    pub(crate) class: usize,
    /// Whether that is the label.
    pub(crate) correct: bool,
}

/// Totals over samples, added up in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    pub(crate) samples: usize,
    /// The sum of the losses.
    pub(crate) loss: f64,
    /// How many were classified correctly.
    pub(crate) correct: usize,
}

impl LossHead {
    /// Each worker's head on `last`, the stage of the logits.
    pub(crate) fn allocate(last: &StagePlan, plan: &Plan, sync: &TeamSync) -> Vec<Self> {
        let partition = last.partition;
        let (layout, blocks) = (partition.layout(), partition.column_blocks());
        let outcomes = OutcomeLayout { first: layout.at(blocks, 0) };
        let length = outcomes.of(0..partition.batch).end;
        let own = |rank| {
            let samples = partition.work(rank, partition.batch).samples;
            let mut own = partition.outputs(rank);
            own.push(outcomes.of(samples));
            own
        };
        let own = (0..plan.workers).map(own).collect();
        let buffers = BlockedBuffer::allocate_vectors(layout, length, own, sync).into_iter();
        let head = |(rank, logits)| Self {
            partition,
            rank,
            smoothing: plan.smoothing,
            outcomes,
            logits,
            room: zeroed(blocks * LANES),
        };
        buffers.enumerate().map(head).collect()
    }

    /// Has `forward` write the logits, the worker's part. Where the `loss` is wanted, turns them
    /// into the gradient of the mean loss, and notes the outcomes.
    pub(crate) fn forward(
        &mut self,
        pass: &Pass<'_>,
        loss: bool,
        forward: impl FnOnce(&mut BlockedMut<'_>),
    ) {
        let Self { partition, rank, smoothing, outcomes, logits, room } = self;
        let mut logits = logits.write();
        forward(&mut logits);
        if loss {
            pass.isa.run(CrossEntropy {
                own: partition.work(*rank, pass.samples.len()).samples,
                pass,
                classes: partition.units,
                smoothing: *smoothing,
                logits: &mut logits,
                outcomes: *outcomes,
                room,
            });
        }
    }

    /// What became of each of the first `samples` samples of the minibatch, in order.
    pub(crate) fn outcomes(&self, samples: usize) -> impl Iterator<Item = Outcome> {
        let (buffer, outcomes) = (self.logits.read(), self.outcomes);
        (0..samples).map(move |sample| {
            let [loss, class, correct] = [0, 1, 2]
                .map(|vector| buffer.vectors(outcomes.at(sample))[vector].0[sample % LANES]);
            Outcome { loss, class: class as usize, correct: correct == 1.0 }
        })
    }

    /// The logits of sample `sample` of the minibatch, where no loss was wanted.
    pub(crate) fn logits_of(&self, sample: usize) -> Vec<F32x16> {
        let logits = self.logits.read();
        (0..self.partition.column_blocks()).map(|block| *logits.at(block, sample)).collect()
    }
}

/// Where the outcomes stand: for 16 samples a vector each of losses, classes, and whether
/// those are right.
#[derive(Clone, Copy, Debug)]
struct OutcomeLayout {
    /// The first vector, behind the logits.
    first: usize,
}

impl OutcomeLayout {
    const VECTORS: usize = 3;

    /// The vectors of the outcomes of the 16 samples that `sample` is among.
    fn at(self, sample: usize) -> Range<usize> {
        let start = self.first + Self::VECTORS * (sample / LANES);
        start..start + Self::VECTORS
    }

    /// Those of a worker's `samples`: whole vectors of 16, but for the last of the minibatch.
    fn of(self, samples: Range<usize>) -> Range<usize> {
        let at = |sample| self.first + Self::VECTORS * vectors_for(sample);
        at(samples.start)..at(samples.end)
    }
}

/// Turns the logits of a worker's samples into the gradient of the mean loss, 16 samples at a
/// time, a sample a lane.
struct CrossEntropy<'a, 'w> {
    /// Whole vectors of 16 of the minibatch, but for the last.
    own: Range<usize>,
    pass: &'a Pass<'a>,
    classes: usize,
    smoothing: f32,
    logits: &'a mut BlockedMut<'w>,
    outcomes: OutcomeLayout,
    room: &'a mut [F32x16],
}

impl Kernel for CrossEntropy<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { own, pass, classes, smoothing, logits, outcomes, room } = self;
        let scale = s.splat(1.0 / pass.samples.len() as f32);
        for first in own.clone().step_by(LANES) {
            let samples = first..own.end.min(first + LANES);
            let mut labels = [0; LANES];
            for (label, &sample) in labels.iter_mut().zip(&pass.samples[samples.clone()]) {
                *label = pass.data.label(sample);
            }
            for (block, by_class) in room.chunks_exact_mut(LANES).enumerate() {
                let row = logits.row(block, samples.clone()).iter();
                transpose_block(s, row.map(|logits| s.load(logits)), by_class);
            }
            // The last activation does not matter: it keeps the order of the logits.
            let (_, class) = argmax(s, room[..classes].iter().map(|logits| s.load(logits)));
            let labelled = s.load(&F32x16(labels.map(f32::from)));
            let correct = s.select(s.eq(class, labelled), s.splat(1.0), s.zero());
            let weights = pass.data.class_weights.as_ref().map(|of| {
                s.load(&F32x16(
                    labels.map(|label| of.get(usize::from(label)).copied().unwrap_or(0.0)),
                ))
            });
            let labels = Labels { classes: &labels[..samples.len()], smoothing };
            let loss = match weights {
                None => cross_entropy(s, room, classes, labels, scale),
                Some(weights) => {
                    let scale = s.mul(scale, weights);
                    s.mul(weights, cross_entropy(s, room, classes, labels, scale))
                }
            };
            for (block, by_class) in room.chunks_exact(LANES).enumerate() {
                let row = logits.row(block, samples.clone());
                transpose_block(s, by_class.iter().map(|gradient| s.load(gradient)), row);
            }
            let into = logits.vectors(outcomes.at(first));
            for (found, into) in [loss, class, correct].into_iter().zip(into) {
                s.store(found, into);
            }
        }
    }
}

impl Totals {
    /// Adds what became of one sample.
    pub(crate) fn add(&mut self, outcome: Outcome) {
        let (loss, correct) = (f64::from(outcome.loss), usize::from(outcome.correct));
        *self += Self { samples: 1, loss, correct };
    }

    pub(crate) fn mean_loss(&self) -> f64 {
        self.loss / self.samples as f64
    }

    pub(crate) fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples as f64
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, more: Self) {
        self.samples += more.samples;
        self.loss += more.loss;
        self.correct += more.correct;
    }
}
