//! The dense layer: y = activation(x · w + b), forward beside backward.
//!
//! Shapes, in groups of 16 lanes: x is samples × ⌈inputs/16⌉, w is inputs × ⌈units/16⌉, b is
//! 1 × ⌈units/16⌉, y and the gradient dz are samples × ⌈units/16⌉. Every sum runs over its index
//! ascending, one multiply-add at a time.

use rayon::prelude::*;

use crate::buffers::{LANES, Lanes, groups, pad_rows, zeroed};
use crate::nn::Activation;
use crate::ops::activation::{relu, relu_backward, sigmoid, sigmoid_backward};
use crate::simd::Simd;

/// A dense layer's parameters, padded for the engine.
pub(crate) struct Dense {
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    pub(crate) activation: Activation,
    pub(crate) weights: Vec<Lanes>,
    pub(crate) bias: Vec<Lanes>,
}

impl Dense {
    pub(crate) fn new(activation: Activation, kernel: &[f32], bias: &[f32]) -> Self {
        let units = bias.len();
        let inputs = kernel.len() / units;
        Self {
            inputs,
            units,
            activation,
            weights: pad_rows(kernel, units),
            bias: pad_rows(bias, units),
        }
    }

    /// Groups of lanes in a row of inputs.
    pub(crate) fn input_groups(&self) -> usize {
        groups(self.inputs)
    }

    /// Groups of lanes in a row of outputs.
    pub(crate) fn output_groups(&self) -> usize {
        groups(self.units)
    }

    /// z = x · w + b for one sample, and the activation unless the layer is the `last`, whose
    /// logits the loss wants.
    pub(crate) fn forward<S: Simd>(&self, s: S, x: &[Lanes], y: &mut [Lanes], last: bool) {
        y.copy_from_slice(&self.bias);
        let rows = self.weights.chunks_exact(self.output_groups());
        for (value, row) in x.iter().flat_map(|lanes| lanes.0).zip(rows) {
            let value = s.splat(value);
            for (sum, weights) in y.iter_mut().zip(row) {
                s.store(s.mul_add(value, s.load(weights), s.load(sum)), sum);
            }
        }
        if !last {
            for lanes in y {
                let z = s.load(lanes);
                let activated = match self.activation {
                    Activation::Relu => relu(s, z),
                    Activation::Sigmoid => sigmoid(s, z),
                    Activation::Linear | Activation::Softmax => z,
                };
                s.store(activated, lanes);
            }
        }
    }

    /// dx = dz · wᵀ for one sample.
    pub(crate) fn backward_input(&self, dz: &[Lanes], dx: &mut [Lanes]) {
        let rows = self.weights.chunks_exact(self.output_groups());
        for (sum, row) in dx.iter_mut().flat_map(|lanes| &mut lanes.0).zip(rows) {
            let terms =
                dz.iter().flat_map(|lanes| lanes.0).zip(row.iter().flat_map(|lanes| lanes.0));
            *sum = terms.take(self.units).fold(0.0, |sum, (dz, weight)| sum + dz * weight);
        }
    }

    /// dz = dy · activation′(y) for one sample, in place.
    pub(crate) fn backward_activation<S: Simd>(&self, s: S, y: &[Lanes], dy: &mut [Lanes]) {
        for (dy, y) in dy.iter_mut().zip(y) {
            let (y, gradient) = (s.load(y), s.load(dy));
            let gradient = match self.activation {
                Activation::Relu => relu_backward(s, y, gradient),
                Activation::Sigmoid => sigmoid_backward(s, y, gradient),
                Activation::Linear | Activation::Softmax => gradient,
            };
            s.store(gradient, dy);
        }
    }

    /// dw = xᵀ · dz and db = Σ dz over the minibatch; `update(gradient, row, parameters)` is called
    /// with each row of the gradient, the bias being row `inputs`.
    pub(crate) fn backward_weights<S: Simd>(
        &mut self,
        s: S,
        x: &[Lanes],
        dz: &[Lanes],
        state: &mut [Lanes],
        update: impl Fn(&[Lanes], &mut [Lanes], &mut [Lanes]) + Sync,
    ) {
        let (inputs, width) = (self.input_groups(), self.output_groups());
        let rows = self.weights.par_chunks_mut(width).chain(self.bias.par_chunks_mut(width));
        let state_width = state.len() / (self.inputs + 1);
        rows.zip(state.par_chunks_mut(state_width)).enumerate().with_min_len(64).for_each_init(
            || zeroed(width),
            |gradient, (row, (parameters, state))| {
                gradient.fill(Lanes::default());
                for (x, dz) in x.chunks_exact(inputs).zip(dz.chunks_exact(width)) {
                    let value = s.splat(if row < self.inputs {
                        x[row / LANES].0[row % LANES]
                    } else {
                        1.0
                    });
                    for (sum, dz) in gradient.iter_mut().zip(dz) {
                        s.store(s.mul_add(value, s.load(dz), s.load(sum)), sum);
                    }
                }
                update(gradient, parameters, state);
            },
        );
    }
}
