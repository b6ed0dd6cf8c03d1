//! Reading images with a trained network, and counting how well it does.

use super::fit::fits;
use super::samples::Samples;
use super::worker::{Plan, Worker};
use crate::buffers::{Lanes, share_of};
use crate::data::{Bytes, Distortion, Split};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::metrics::{ConfusionMatrix, Evaluation};
use crate::nn::loss::argmax;
use crate::nn::{Activation, Network};
use crate::ops::{Sigmoid, Softmax};

/// What a network reads in one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The class of the greatest logit.
    pub class: usize,
    /// The softmax of the logits: a probability a class, whatever the network's last activation.
    pub probabilities: Vec<f32>,
    /// What the last activation makes of the logits: what Keras's `predict` returns.
    pub outputs: Vec<f32>,
}

impl Prediction {
    /// The probability of the class read.
    #[must_use]
    pub fn probability(&self) -> f32 {
        self.probabilities[self.class]
    }

    /// The second most probable class; `None` where there is but one.
    #[must_use]
    pub fn runner_up(&self) -> Option<usize> {
        let others = (0..self.probabilities.len()).filter(|&class| class != self.class);
        // The first of equal ones, as for the class itself.
        others.rev().max_by(|&a, &b| self.probabilities[a].total_cmp(&self.probabilities[b]))
    }
}

/// Samples that an evaluation reads at a time: their activations stay in the cache.
const BATCH: usize = 64;

impl Engine {
    /// Reads every image of `split` and counts what was read right.
    ///
    /// # Errors
    /// When `network` does not fit `split`.
    pub fn evaluate(&self, network: &Network, split: &Split) -> Result<Evaluation> {
        fits(network, split)?;
        let data = self.samples(split, network, Distortion::default());
        // Each thread is a team of one, with a share of the samples.
        let read = |thread: usize, threads: usize| {
            let own = share_of(split.len(), thread, threads);
            let mut reader = self.reader(network, &data, BATCH);
            let indices: Vec<u32> = (own.start as u32..own.end as u32).collect();
            let mut outcomes = Vec::with_capacity(own.len());
            for indices in indices.chunks(BATCH) {
                reader.bring(&data, indices);
                reader.forward(&data, 0..indices.len(), true, None);
                reader.outcomes(indices.len(), |_, outcome| outcomes.push(outcome));
            }
            outcomes
        };
        let shares = if self.is_busy() {
            vec![read(0, 1)]
        } else {
            self.pool().broadcast(|context| read(context.index(), context.num_threads()))
        };
        let mut confusion = ConfusionMatrix::new(network.architecture().classes());
        let mut loss = 0.0;
        for (outcome, &label) in shares.iter().flatten().zip(split.labels()) {
            confusion.record(usize::from(label), outcome.class);
            loss += f64::from(outcome.loss);
        }
        Ok(Evaluation { loss: loss / split.len() as f64, confusion })
    }

    /// Reads one image: `height` × `width` grey pixels, black ground, row by row.
    ///
    /// # Errors
    /// When the image has not as many pixels as the network reads.
    pub fn predict(&self, network: &Network, image: &[u8]) -> Result<Prediction> {
        let (input, classes) = (network.architecture().input, network.architecture().classes());
        if image.len() != input.pixels() {
            return Err(Error::Network(format!(
                "the network reads images of {} × {}, but this one has {} pixels",
                input.height,
                input.width,
                image.len()
            )));
        }
        let split = Split::new(input, Bytes::from(image.to_vec()), Bytes::from(vec![0]))?;
        let data = self.samples(&split, network, Distortion::default());
        let mut reader = self.reader(network, &data, 1);
        reader.bring(&data, &[0]);
        reader.forward(&data, 0..1, false, None);
        let logits = reader.logits(0);
        let numbers = |lanes: &[Lanes]| {
            lanes.iter().flat_map(|lanes| lanes.0).take(classes).collect::<Vec<_>>()
        };
        let class = argmax(&logits, classes);
        let mut probabilities = logits.clone();
        self.isa().run(Softmax { row: &mut probabilities, classes });
        let mut outputs = logits;
        match network.architecture().output() {
            Activation::Sigmoid => self.isa().run(Sigmoid { row: &mut outputs }),
            Activation::Softmax => outputs.clone_from(&probabilities),
            Activation::Linear | Activation::Relu => {}
        }
        Ok(Prediction { class, probabilities: numbers(&probabilities), outputs: numbers(&outputs) })
    }

    /// A team of one that reads with `network`.
    fn reader(&self, network: &Network, data: &Samples<'_>, batch: usize) -> Worker {
        let plan = Plan {
            members: 1,
            batch,
            window: batch,
            cells: 1,
            training: false,
            smoothing: 0.0,
            isa: self.isa(),
            products: self.products(),
        };
        Worker::alone(network, plan, data)
    }
}
