//! Reading images with a trained network, and counting how well it does.

use super::error::{Error, Result};
use crate::data::Split;
use crate::exec::engine::Engine;
use crate::exec::layers::activation::Activate;
use crate::exec::layers::loss::Outcome;
use crate::exec::partition::even_range;
use crate::exec::samples::Samples;
use crate::exec::worker::Worker;
use crate::files::Bytes;
use crate::image::RandomAffine;
use crate::kernels::ops::Softmax;
use crate::kernels::ops::argmax::scalar_argmax;
use crate::model::{Activation, Network};
use crate::simd::{F32x16, as_numbers};
use crate::train::fit::check_compatible;
use crate::train::{ConfusionMatrix, Evaluation};

/// What a network reads in one image.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
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
        let numbered = self.probabilities.iter().copied().enumerate();
        scalar_argmax(numbered.filter(|&(class, _)| class != self.class))
    }
}

/// Samples that an evaluation reads at a time: their activations stay in the cache.
pub(super) const BATCH: usize = 64;

/// What the `outcomes` of all images of `split` come to.
pub(super) fn counted(outcomes: &[Outcome], split: &Split, classes: usize) -> Evaluation {
    let mut confusion = ConfusionMatrix::new(classes);
    let (mut loss, mut misclassified) = (0.0, Vec::new());
    for (index, (outcome, &label)) in outcomes.iter().zip(split.labels()).enumerate() {
        confusion.record(usize::from(label), outcome.class);
        loss += f64::from(outcome.loss);
        if !outcome.correct {
            misclassified.push(index);
        }
    }
    Evaluation { loss: loss / split.len() as f64, confusion, misclassified }
}

impl Engine {
    /// Reads every image of `split` and counts what was read right.
    ///
    /// # Errors
    /// When `network` does not fit `split`, there is too little memory, the engine is
    /// [asked to stop](Self::stop_flag), or a file of `split` changed meanwhile.
    pub fn evaluate(&self, network: &Network, split: &Split) -> Result<Evaluation> {
        check_compatible(network, split)?;
        self.check_reading_memory(network, split, 0)?;
        let data = self.samples(split, network, RandomAffine::default());
        let outcomes = self.read(network, &data, |reader, _, outcomes| {
            reader.evaluate(&data);
            outcomes.extend(reader.outcomes());
        })?;
        split.check_unchanged()?;
        Ok(counted(&outcomes, split, network.architecture().classes()))
    }

    /// Reads one image: `height` × `width` grey pixels, black ground, row by row.
    ///
    /// # Errors
    /// When the image has not as many pixels as the network reads, or there is too little memory.
    pub fn predict(&self, network: &Network, image: &[u8]) -> Result<Prediction> {
        let input = network.architecture().input();
        let wrong = || Error::Pixels { network: input, pixels: image.len() };
        if image.len() != input.pixels() {
            return Err(wrong());
        }
        self.predict_batch(network, image.to_vec())?.pop().ok_or_else(wrong)
    }

    /// Reads any number of images: count × `height` × `width` grey pixels, black ground, row by
    /// row, image after image. The network is laid out once for all of them.
    ///
    /// # Errors
    /// When the pixels are not a whole number of images as the network reads them, there is too
    /// little memory, the engine is [asked to stop](Self::stop_flag), or a file that `images` are
    /// mapped from changed meanwhile.
    pub fn predict_batch(
        &self,
        network: &Network,
        images: impl Into<Bytes>,
    ) -> Result<Vec<Prediction>> {
        let (images, input) = (images.into(), network.architecture().input());
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let labels = vec![0; images.len().div_ceil(input.pixels().max(1))];
        let split = Split::new(input, images, labels.into())?;
        // Probabilities and outputs.
        self.check_reading_memory(network, &split, 2)?;
        let data = self.samples(&split, network, RandomAffine::default());
        let predictions = self.read(network, &data, |reader, samples, predictions| {
            reader.infer(&data);
            let logits = (0..samples).map(|sample| reader.logits(sample));
            predictions.extend(logits.map(|logits| self.prediction(network, logits)));
        })?;
        split.check_unchanged()?;
        Ok(predictions)
    }

    /// Divides the samples of `data` among the threads, each a team of one, which brings minibatches
    /// together and has `each` take them: it is given the worker, how many samples it has, and the
    /// list of results. Gives all results in the samples' order.
    fn read<T: Send>(
        &self,
        network: &Network,
        data: &Samples<'_>,
        each: impl Fn(&mut Worker, usize, &mut Vec<T>) + Sync,
    ) -> Result<Vec<T>> {
        let count = data.len();
        let read = |thread: usize, threads: usize| {
            let own = even_range(count, thread, threads);
            if own.is_empty() {
                return Vec::new();
            }
            let batch = BATCH.min(own.len());
            let mut reader = Worker::alone(self.plan(batch), network, data);
            let indices: Vec<u32> = (own.start as u32..own.end as u32).collect();
            let mut found = Vec::with_capacity(own.len());
            for indices in indices.chunks(batch) {
                if self.is_asked_to_stop() {
                    break;
                }
                reader.load(data, indices);
                each(&mut reader, indices.len(), &mut found);
            }
            found
        };
        let shares = if self.is_busy() || count == 1 {
            vec![read(0, 1)]
        } else {
            self.pool().broadcast(|context| read(context.index(), context.num_threads()))
        };
        let all: Vec<T> = shares.into_iter().flatten().collect();
        if all.len() < count { Err(Error::Stopped) } else { Ok(all) }
    }

    /// What `logits` say of an image.
    fn prediction(&self, network: &Network, logits: Vec<F32x16>) -> Prediction {
        let classes = network.architecture().classes();
        let numbers = |row: &[F32x16]| as_numbers(row)[..classes].to_vec();
        let class = scalar_argmax(numbers(&logits).into_iter().enumerate()).unwrap_or(0);
        let mut probabilities = logits.clone();
        self.isa().run(Softmax { row: &mut probabilities, classes });
        let mut outputs = logits;
        match network.architecture().output() {
            Activation::Softmax => outputs.clone_from(&probabilities),
            activation => self.isa().run(Activate { activation, row: &mut outputs }),
        }
        Prediction { class, probabilities: numbers(&probabilities), outputs: numbers(&outputs) }
    }
}
