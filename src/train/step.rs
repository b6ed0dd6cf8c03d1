//! One training step: forward, loss, backward, update, on buffers made once a run.

use rayon::prelude::*;

use crate::buffers::{LANES, Lanes, unpad_rows, zeroed};
use crate::data::Split;
use crate::nn::dense::Dense;
use crate::nn::{Layer, Network};
use crate::ops::softmax::cross_entropy;
use crate::optim::Optimizer;
use crate::simd::{Portable, Simd};

/// Builds the padded layers of `network`.
pub(super) fn layers(network: &Network) -> Vec<Dense> {
    let tensors = network.tensors().chunks_exact(2);
    let layers = network.architecture().layers.iter().zip(tensors);
    layers
        .map(|(layer, tensors)| {
            let Layer::Dense { activation, .. } = *layer;
            Dense::new(activation, &tensors[0].values, &tensors[1].values)
        })
        .collect()
}

/// Scales an image's pixels by 1/255 into a padded row.
pub(super) fn scale(image: &[u8], row: &mut [Lanes]) {
    for (lanes, pixels) in row.iter_mut().zip(image.chunks(LANES)) {
        for (lane, &pixel) in lanes.0.iter_mut().zip(pixels) {
            *lane = f32::from(pixel) / 255.0;
        }
    }
}

/// The greatest of the first `classes` logits; the first of equal ones.
pub(super) fn argmax(logits: &[Lanes], classes: usize) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (class, logit) in logits.iter().flat_map(|lanes| lanes.0).take(classes).enumerate() {
        if logit > best.1 {
            best = (class, logit);
        }
    }
    best.0
}

/// A network in training.
pub(super) struct Trainer {
    layers: Vec<Dense>,
    /// The optimiser's moments a layer: rows of weights, then the bias.
    moments: Vec<Vec<Lanes>>,
    /// The input and each layer's output.
    activations: Vec<Vec<Lanes>>,
    /// The gradient of each layer's sums.
    gradients: Vec<Vec<Lanes>>,
    losses: Vec<(f32, bool)>,
    rule: Rule,
    steps: u64,
}

/// What is done with a gradient.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// Weights move.
    Optimize(Optimizer),
    /// It is kept where the moments would be.
    Record,
}

/// Totals over the samples of a step.
pub(super) struct StepTotals {
    pub(super) loss: f64,
    pub(super) correct: usize,
}

impl Trainer {
    pub(super) fn new(network: &Network, rule: Rule, batch_size: usize) -> Self {
        let layers = layers(network);
        let moments = layers
            .iter()
            .map(|layer| {
                let per_weight = match rule {
                    Rule::Optimize(Optimizer::Adam(_)) => 2,
                    Rule::Optimize(Optimizer::Sgd(_)) | Rule::Record => 1,
                };
                zeroed((layer.inputs + 1) * layer.output_groups() * per_weight)
            })
            .collect();
        let gradients: Vec<_> =
            layers.iter().map(|layer| zeroed(batch_size * layer.output_groups())).collect();
        let mut activations = vec![zeroed(batch_size * layers[0].input_groups())];
        activations.extend(gradients.iter().cloned());
        let losses = vec![(0.0, false); batch_size];
        Self { layers, moments, activations, gradients, losses, rule, steps: 0 }
    }

    /// Learns from the samples `indices` of `split`.
    pub(super) fn step(&mut self, split: &Split, indices: &[u32]) -> StepTotals {
        let s = Portable;
        self.steps += 1;
        let samples = indices.len();
        let classes = self.layers.last().map_or(0, |layer| layer.units);

        self.activations[0]
            .par_chunks_mut(self.layers[0].input_groups())
            .zip(indices)
            .with_min_len(8)
            .for_each(|(row, &index)| scale(split.image(index as usize), row));
        for (index, layer) in self.layers.iter().enumerate() {
            let last = index + 1 == self.layers.len();
            let (inputs, outputs) = self.activations.split_at_mut(index + 1);
            outputs[0]
                .par_chunks_mut(layer.output_groups())
                .zip(inputs[index].par_chunks(layer.input_groups()))
                .take(samples)
                .with_min_len(4)
                .for_each(|(y, x)| layer.forward(s, x, y, last));
        }

        let width = self.layers.last().map_or(1, Dense::output_groups);
        let logits = &self.activations[self.layers.len()];
        let gradients = self.gradients.last_mut().map_or(&mut [][..], Vec::as_mut_slice);
        let rows = gradients.chunks_exact_mut(width).zip(logits.chunks_exact(width));
        for (((gradient, logits), loss), &index) in rows.zip(&mut self.losses).zip(indices) {
            let label = split.labels()[index as usize];
            gradient.copy_from_slice(logits);
            let right = argmax(logits, classes) == usize::from(label);
            *loss = (cross_entropy(s, gradient, classes, label, 1.0 / samples as f32), right);
        }

        for index in (0..self.layers.len()).rev() {
            if index > 0 {
                let (layer, below) = (&self.layers[index], &self.layers[index - 1]);
                let (lower, upper) = self.gradients.split_at_mut(index);
                lower[index - 1]
                    .par_chunks_mut(layer.input_groups())
                    .zip(upper[0].par_chunks(layer.output_groups()))
                    .zip(self.activations[index].par_chunks(layer.input_groups()))
                    .take(samples)
                    .with_min_len(4)
                    .for_each(|((dx, dz), y)| {
                        layer.backward_input(dz, dx);
                        below.backward_activation(s, y, dx);
                    });
            }
            self.update(s, index, samples);
        }

        let losses = &self.losses[..samples];
        StepTotals {
            loss: losses.iter().map(|(loss, _)| f64::from(*loss)).sum(),
            correct: losses.iter().filter(|(_, right)| *right).count(),
        }
    }

    /// Takes the gradient of layer `index` and moves its weights.
    fn update<S: Simd>(&mut self, s: S, index: usize, samples: usize) {
        let layer = &mut self.layers[index];
        let x = &self.activations[index][..samples * layer.input_groups()];
        let dz = &self.gradients[index][..samples * layer.output_groups()];
        let moments = &mut self.moments[index];
        match self.rule {
            Rule::Optimize(Optimizer::Adam(adam)) => {
                let step = adam.at(self.steps);
                layer.backward_weights(s, x, dz, moments, |gradients, weights, moments| {
                    let (m, v) = moments.split_at_mut(weights.len());
                    for (((gradient, weight), m), v) in gradients.iter().zip(weights).zip(m).zip(v)
                    {
                        step.update(s, s.load(gradient), weight, m, v);
                    }
                });
            }
            Rule::Optimize(Optimizer::Sgd(sgd)) => {
                layer.backward_weights(s, x, dz, moments, |gradients, weights, velocities| {
                    for ((gradient, weight), velocity) in
                        gradients.iter().zip(weights).zip(velocities)
                    {
                        sgd.update(s, s.load(gradient), weight, velocity);
                    }
                });
            }
            Rule::Record => layer.backward_weights(s, x, dz, moments, |gradients, _, record| {
                record.copy_from_slice(gradients);
            }),
        }
    }

    /// Brings what was learnt back to `network`.
    pub(super) fn write_back(&self, network: &mut Network) {
        let parameters = self.layers.iter().flat_map(|layer| [&*layer.weights, &*layer.bias]);
        self.unpad(parameters, network);
    }

    /// Brings the gradients that were recorded to `network`, in place of its parameters.
    pub(super) fn write_gradients(&self, network: &mut Network) {
        let layers = self.layers.iter().zip(&self.moments);
        let gradients = layers.flat_map(|(layer, record)| {
            let (kernel, bias) = record.split_at(layer.inputs * layer.output_groups());
            [kernel, bias]
        });
        self.unpad(gradients, network);
    }

    fn unpad<'a>(&self, parameters: impl Iterator<Item = &'a [Lanes]>, network: &mut Network) {
        let units = self.layers.iter().flat_map(|layer| [layer.units; 2]);
        for ((values, lanes), units) in network.values_mut().zip(parameters).zip(units) {
            unpad_rows(lanes, units, values);
        }
    }
}
