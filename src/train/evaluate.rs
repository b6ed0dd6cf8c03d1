//! Reading images with a trained network, and counting how well it does.

use rayon::prelude::*;

use super::fit::fits;
use super::step::{argmax, layers, scale};
use crate::buffers::{Lanes, zeroed};
use crate::data::Split;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::metrics::{ConfusionMatrix, Evaluation};
use crate::nn::dense::Dense;
use crate::nn::{Activation, Network};
use crate::ops::activation::sigmoid;
use crate::ops::softmax::{cross_entropy, softmax};
use crate::simd::{Portable, Simd};

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

impl Engine {
    /// Reads every image of `split` and counts what was read right.
    ///
    /// # Errors
    /// When `network` does not fit `split`.
    pub fn evaluate(&self, network: &Network, split: &Split) -> Result<Evaluation> {
        fits(network, split)?;
        let classes = network.architecture().classes();
        let layers = layers(network);
        let samples = split.pixels().par_chunks_exact(split.shape().pixels()).zip(split.labels());
        let read = samples.map_init(
            || Reader::new(&layers),
            |reader, (image, &label)| {
                let logits = reader.logits(image);
                let class = argmax(logits, classes);
                (label, class, cross_entropy(Portable, logits, classes, label, 1.0))
            },
        );
        let read: Vec<_> = self.pool().install(|| read.collect());
        let mut confusion = ConfusionMatrix::new(classes);
        let mut loss = 0.0;
        for (label, class, sample_loss) in read {
            confusion.record(usize::from(label), class);
            loss += f64::from(sample_loss);
        }
        Ok(Evaluation { loss: loss / split.len() as f64, confusion })
    }

    /// Reads one image: `height` × `width` grey pixels, black ground, row by row.
    ///
    /// # Errors
    /// When the image has not as many pixels as the network reads.
    pub fn predict(&self, network: &Network, image: &[u8]) -> Result<Prediction> {
        let input = network.architecture().input;
        if image.len() != input.pixels() {
            return Err(Error::Network(format!(
                "the network reads images of {} × {}, but this one has {} pixels",
                input.height,
                input.width,
                image.len()
            )));
        }
        let layers = layers(network);
        let mut reader = Reader::new(&layers);
        let logits = reader.logits(image);
        let classes = network.architecture().classes();
        let numbers = |lanes: &[Lanes]| {
            lanes.iter().flat_map(|lanes| lanes.0).take(classes).collect::<Vec<_>>()
        };
        let class = argmax(logits, classes);
        let mut outputs = numbers(logits);
        if network.architecture().output() == Activation::Sigmoid {
            let s = Portable;
            let mut activated = logits.to_vec();
            for lanes in &mut activated {
                s.store(sigmoid(s, s.load(lanes)), lanes);
            }
            outputs = numbers(&activated);
        }
        softmax(Portable, logits, classes);
        let probabilities = numbers(logits);
        if network.architecture().output() == Activation::Softmax {
            outputs.clone_from(&probabilities);
        }
        Ok(Prediction { class, probabilities, outputs })
    }
}

/// Buffers for one image on its way through the layers.
struct Reader<'a> {
    layers: &'a [Dense],
    activations: Vec<Vec<Lanes>>,
}

impl<'a> Reader<'a> {
    fn new(layers: &'a [Dense]) -> Self {
        let mut activations = vec![zeroed(layers[0].input_groups())];
        activations.extend(layers.iter().map(|layer| zeroed(layer.output_groups())));
        Self { layers, activations }
    }

    /// The logits of `image`.
    fn logits(&mut self, image: &[u8]) -> &mut [Lanes] {
        scale(image, &mut self.activations[0]);
        for (index, layer) in self.layers.iter().enumerate() {
            let (inputs, outputs) = self.activations.split_at_mut(index + 1);
            layer.forward(
                Portable,
                &inputs[index],
                &mut outputs[0],
                index + 1 == self.layers.len(),
            );
        }
        &mut self.activations[self.layers.len()]
    }
}
