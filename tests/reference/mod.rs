//! The networks once more, in f64 and as plainly as they can be written: what the engine must
//! agree with.
//!
//! Only the way forward is here. Gradients are central differences of it, so that they owe
//! nothing to the rules by which the engine finds its own. A new kind of layer needs a [`Stage`],
//! its way forward, and a line in [`Reference::new`].

#![allow(dead_code, reason = "each test program uses its part")]

mod bounds;
pub(crate) mod images;

use std::ops::Range;

use mnistry::model::Layer;
use mnistry::{Activation, Network, Split};

use self::images::{Image, Windows};

/// A network in f64, up to its logits.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    stages: Vec<Stage>,
    /// In the order and layout of [`Network::tensors`].
    pub(crate) parameters: Vec<Vec<f64>>,
    /// How much each class counts in the loss; all the same where there are none.
    pub(crate) class_weights: Vec<f64>,
}

/// One step on the way from pixels to logits.
#[derive(Clone, Debug)]
enum Stage {
    /// x · kernel + bias, the kernel being parameter `kernel` and the bias the next.
    Dense { kernel: usize },
    /// Windows of an image, each · kernel + bias.
    Conv2d { kernel: usize, windows: Vec<Vec<Option<usize>>> },
    /// The greatest of each window of an image, channel by channel.
    MaxPool { windows: Vec<Vec<usize>> },
    /// The mean of each window of an image, channel by channel.
    AveragePool { windows: Vec<Vec<usize>> },
    /// max(x, 0)
    Relu,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
}

/// What the slopes' differences are taken over, h. A power of two makes w ± h exact; this one leaves
/// truncation, some h⁴, far behind rounding, and few kinks within 2h.
const STEP: f64 = 1.0 / 262_144.0;

/// What a sample leads to.
struct Outcome {
    x: Vec<f64>,
    /// What each ReLU was applied to, and by how much the greatest of a window was greater than
    /// another.
    hinges: Vec<f64>,
}

impl Reference {
    pub(crate) fn new(network: &Network) -> Self {
        let architecture = network.architecture();
        let layers = architecture.layers();
        let mut stages = Vec::new();
        let mut parameters = 0;
        for (index, spec) in layers.iter().enumerate() {
            let image = || Image::of(spec.input);
            let mut activation = Activation::Linear;
            match spec.layer {
                Layer::Dense { activation: last, .. } => {
                    stages.push(Stage::Dense { kernel: parameters });
                    parameters += 2;
                    activation = last;
                }
                Layer::Conv2d { kernel, stride, padding, activation: last, .. } => {
                    let windows = Windows::new(image(), kernel, stride, padding).places(image());
                    stages.push(Stage::Conv2d { kernel: parameters, windows });
                    parameters += 2;
                    activation = last;
                }
                Layer::MaxPool { size, stride } => {
                    let windows = Windows::valid(image(), size, stride.unwrap_or(size));
                    let windows = windows.places_by_channel(image());
                    stages.push(Stage::MaxPool { windows });
                }
                Layer::AveragePool { size, stride } => {
                    let windows = Windows::valid(image(), size, stride.unwrap_or(size));
                    let windows = windows.places_by_channel(image());
                    stages.push(Stage::AveragePool { windows });
                }
                // Gradients are taken without dropout.
                Layer::Flatten | Layer::Dropout { .. } => {}
                _ => panic!("the reference does not know the layer {:?}", spec.layer),
            }
            // The loss is taken from the logits, whatever the last activation.
            let last = index + 1 == layers.len();
            match activation {
                Activation::Relu if !last => stages.push(Stage::Relu),
                Activation::Sigmoid if !last => stages.push(Stage::Sigmoid),
                Activation::Linear | Activation::Softmax => {}
                _ if last => {}
                other => panic!("the reference does not know the activation {other:?}"),
            }
        }
        let in_f64 = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
        let tensors = network.tensors();
        let parameters = tensors.iter().map(|tensor| in_f64(&tensor.values)).collect();
        Self { stages, parameters, class_weights: Vec::new() }
    }

    /// How much samples of the class `label` count.
    fn weight(&self, label: u8) -> f64 {
        self.class_weights.get(usize::from(label)).copied().unwrap_or(1.0)
    }

    /// What becomes of `x` in `stages`.
    fn pass(&self, stages: Range<usize>, mut x: Vec<f64>) -> Outcome {
        let mut hinges = Vec::new();
        for stage in &self.stages[stages] {
            x = match stage {
                Stage::Dense { kernel } => {
                    dense(&x, &self.parameters[*kernel], &self.parameters[kernel + 1])
                }
                Stage::Conv2d { kernel, windows } => {
                    let (kernel, bias) = (&self.parameters[*kernel], &self.parameters[kernel + 1]);
                    images::convolve(&x, windows, kernel, bias)
                }
                Stage::MaxPool { windows } => images::greatest(&x, windows, &mut hinges),
                Stage::AveragePool { windows } => images::means(&x, windows),
                Stage::Relu => {
                    hinges.extend_from_slice(&x);
                    x.into_iter().map(|x| x.max(0.0)).collect()
                }
                Stage::Sigmoid => x.into_iter().map(sigmoid).collect(),
            };
        }
        Outcome { x, hinges }
    }

    /// The logits of one image.
    pub(crate) fn logits(&self, image: &[u8]) -> Vec<f64> {
        self.pass(0..self.stages.len(), pixels(image)).x
    }

    /// The mean over the samples of the cross-entropy of the logits.
    pub(crate) fn loss(&self, split: &Split) -> f64 {
        let loss = |(image, label)| self.weight(label) * cross_entropy(&self.logits(image), label);
        let losses = samples(split).map(loss);
        losses.sum::<f64>() / split.len() as f64
    }

    /// The derivatives of the mean loss with respect to the numbers `indices` of a tensor; `None`
    /// where a ReLU or a maximum has its kink within two steps, so that there is no derivative to
    /// be had.
    pub(crate) fn slopes(
        &mut self,
        tensor: usize,
        indices: impl IntoIterator<Item = usize>,
        split: &Split,
    ) -> Vec<Option<f64>> {
        let has = |stage: &Stage| matches!(*stage, Stage::Dense { kernel } | Stage::Conv2d { kernel, .. } if kernel == tensor & !1);
        let first = self.stages.iter().position(has).expect("a stage has the tensor");
        // What comes before the stage is the same for all of the tensor's numbers.
        let inputs: Vec<(Vec<f64>, u8)> = samples(split)
            .map(|(image, label)| (self.pass(0..first, pixels(image)).x, label))
            .collect();
        indices.into_iter().map(|index| self.slope(first, &inputs, (tensor, index))).collect()
    }

    /// The central difference of fourth order, (8 f(h) − 8 f(−h) − f(2h) + f(−2h)) / 12h.
    fn slope(
        &mut self,
        first: usize,
        inputs: &[(Vec<f64>, u8)],
        (tensor, index): (usize, usize),
    ) -> Option<f64> {
        let here = self.parameters[tensor][index];
        let (mut slope, mut smooth) = (0.0, true);
        for (x, label) in inputs {
            let mut sides = Vec::new();
            let [above, below, far_above, far_below] = [1.0, -1.0, 2.0, -2.0].map(|steps| {
                self.parameters[tensor][index] = here + steps * STEP;
                let Outcome { x: logits, hinges } = self.pass(first..self.stages.len(), x.clone());
                sides.push(hinges.into_iter().map(|hinge| hinge > 0.0).collect::<Vec<_>>());
                self.weight(*label) * cross_entropy(&logits, *label)
            });
            slope += 8.0 * (above - below) - (far_above - far_below);
            smooth &= sides.iter().all(|side| *side == sides[0]);
        }
        self.parameters[tensor][index] = here;
        smooth.then_some(slope / (12.0 * STEP * inputs.len() as f64))
    }

    /// The derivative of the loss with respect to every parameter.
    ///
    /// # Panics
    /// At a kink.
    pub(crate) fn gradient(&mut self, split: &Split) -> Vec<Vec<f64>> {
        let lengths: Vec<usize> = self.parameters.iter().map(Vec::len).collect();
        let tensors = lengths.into_iter().enumerate();
        let slopes = tensors.map(|(tensor, length)| self.slopes(tensor, 0..length, split));
        let no_kink = |slope: Option<f64>| slope.expect("no ReLU is at its kink");
        slopes.map(|slopes| slopes.into_iter().map(no_kink).collect()).collect()
    }
}

fn samples(split: &Split) -> impl Iterator<Item = (&[u8], u8)> {
    (0..split.len()).map(|index| (split.image(index), split.labels()[index]))
}

/// What the network sees of an image.
fn pixels(image: &[u8]) -> Vec<f64> {
    image.iter().map(|&pixel| f64::from(pixel) / 255.0).collect()
}

/// x · kernel + bias; the kernel is inputs × units, row by row.
fn dense(x: &[f64], kernel: &[f64], bias: &[f64]) -> Vec<f64> {
    let mut y = bias.to_vec();
    for (x, row) in x.iter().zip(kernel.chunks_exact(bias.len())) {
        for (y, weight) in y.iter_mut().zip(row) {
            *y += x * weight;
        }
    }
    y
}

pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

pub(crate) fn softmax(logits: &[f64]) -> Vec<f64> {
    let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - greatest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// −ln softmax(logits)\[label\]
fn cross_entropy(logits: &[f64], label: u8) -> f64 {
    let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - greatest).exp()).sum();
    sum.ln() + (greatest - logits[usize::from(label)])
}
