//! The networks once more, in f64 and as plainly as they can be written: what the engine must
//! agree with.
//!
//! Only the way forward is here. Gradients are central differences of it, so that they owe
//! nothing to the rules by which the engine finds its own. A new kind of layer needs a [`Stage`],
//! its way forward, and a line in [`Reference::new`].

#![allow(dead_code, reason = "each test program uses its part")]

pub(crate) mod images;

use mnistry::model::Layer;
use mnistry::{Activation, Network, Split};

use self::images::{Image, Windows};

/// A network in f64, up to its logits.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    stages: Vec<Stage>,
    /// In the order and layout of [`Network::tensors`].
    pub(crate) parameters: Vec<Vec<f64>>,
}

/// One step on the way from pixels to logits.
#[derive(Clone, Debug)]
enum Stage {
    /// x · kernel + bias, the kernel being parameter `kernel` and the bias the next.
    Dense { kernel: usize },
    /// Windows of an image, each · kernel + bias.
    Conv2d { kernel: usize, image: Image, windows: Windows },
    /// The greatest of each window of an image.
    MaxPool { image: Image, windows: Windows },
    /// The mean of each window of an image.
    AveragePool { image: Image, windows: Windows },
    /// max(x, 0)
    Relu,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
}

/// Names one number among the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) tensor: usize,
    pub(crate) index: usize,
}

/// The derivative of the mean loss with respect to one parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slope {
    pub(crate) value: f64,
    /// The size of the terms that add up to `value`: the mean over the samples of
    /// Σ (pₖ + yₖ) |∂zₖ/∂w|, with softmax p, one-hot label y and logits z. Rounding errors grow
    /// with these, however small their sum is.
    pub(crate) terms: f64,
}

/// Half of the distance of a central difference. The cube root of f64's precision balances
/// truncation, some 10⁻¹², and rounding, some 10⁻¹⁰; a power of two makes w ± STEP exact.
const STEP: f64 = 1.0 / 262_144.0;

/// What a sample leads to.
struct Outcome {
    logits: Vec<f64>,
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
                    let windows = Windows::new(image(), kernel, stride, padding);
                    stages.push(Stage::Conv2d { kernel: parameters, image: image(), windows });
                    parameters += 2;
                    activation = last;
                }
                Layer::MaxPool { size, stride } => {
                    let windows = Windows::valid(image(), size, stride.unwrap_or(size));
                    stages.push(Stage::MaxPool { image: image(), windows });
                }
                Layer::AveragePool { size, stride } => {
                    let windows = Windows::valid(image(), size, stride.unwrap_or(size));
                    stages.push(Stage::AveragePool { image: image(), windows });
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
                _ => {}
            }
        }
        let in_f64 = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
        let tensors = network.tensors();
        Self { stages, parameters: tensors.iter().map(|tensor| in_f64(&tensor.values)).collect() }
    }

    fn outcome(&self, image: &[u8]) -> Outcome {
        let mut x: Vec<f64> = image.iter().map(|&pixel| f64::from(pixel) / 255.0).collect();
        let mut hinges = Vec::new();
        for stage in &self.stages {
            x = match *stage {
                Stage::Dense { kernel } => {
                    dense(&x, &self.parameters[kernel], &self.parameters[kernel + 1])
                }
                Stage::Conv2d { kernel, image, windows } => {
                    let (kernel, bias) = (&self.parameters[kernel], &self.parameters[kernel + 1]);
                    images::convolve(&x, image, windows, kernel, bias)
                }
                Stage::MaxPool { image, windows } => {
                    images::greatest(&x, image, windows, &mut hinges)
                }
                Stage::AveragePool { image, windows } => images::means(&x, image, windows),
                Stage::Relu => {
                    hinges.extend_from_slice(&x);
                    x.into_iter().map(|x| x.max(0.0)).collect()
                }
                Stage::Sigmoid => x.into_iter().map(sigmoid).collect(),
            };
        }
        Outcome { logits: x, hinges }
    }

    /// The logits of one image.
    pub(crate) fn logits(&self, image: &[u8]) -> Vec<f64> {
        self.outcome(image).logits
    }

    /// The mean over the samples of the cross-entropy of the logits.
    pub(crate) fn loss(&self, split: &Split) -> f64 {
        let losses = samples(split).map(|(image, label)| cross_entropy(&self.logits(image), label));
        losses.sum::<f64>() / split.len() as f64
    }

    /// How near to its kink a ReLU or a maximum gets: the least size of what one is applied to.
    pub(crate) fn nearest_kink(&self, split: &Split) -> f64 {
        let hinges = samples(split).flat_map(|(image, _)| self.outcome(image).hinges);
        hinges.map(f64::abs).fold(f64::INFINITY, f64::min)
    }

    /// The derivative of the loss with respect to `entry`; `None` where a ReLU or a maximum has its kink
    /// within a step, so that there is no derivative to be had.
    pub(crate) fn slope(&mut self, entry: Entry, split: &Split) -> Option<Slope> {
        let Entry { tensor, index } = entry;
        let here = self.parameters[tensor][index];
        let mut slope = Slope { value: 0.0, terms: 0.0 };
        let mut smooth = true;
        for (image, label) in samples(split) {
            self.parameters[tensor][index] = here + STEP;
            let above = self.outcome(image);
            self.parameters[tensor][index] = here - STEP;
            let below = self.outcome(image);
            let mut hinges = above.hinges.iter().zip(&below.hinges);
            smooth &= hinges.all(|(above, below)| (*above > 0.0) == (*below > 0.0));
            slope.value += (cross_entropy(&above.logits, label)
                - cross_entropy(&below.logits, label))
                / (2.0 * STEP);
            let logits = above.logits.iter().zip(&below.logits).zip(softmax(&above.logits));
            for (class, ((above, below), probability)) in logits.enumerate() {
                let truth = if class == usize::from(label) { 1.0 } else { 0.0 };
                slope.terms += (probability + truth) * ((above - below) / (2.0 * STEP)).abs();
            }
        }
        self.parameters[tensor][index] = here;
        slope.value /= split.len() as f64;
        slope.terms /= split.len() as f64;
        smooth.then_some(slope)
    }

    /// The derivative of the loss with respect to every parameter.
    ///
    /// # Panics
    /// At a kink.
    pub(crate) fn gradient(&mut self, split: &Split) -> Vec<Vec<f64>> {
        let lengths: Vec<usize> = self.parameters.iter().map(Vec::len).collect();
        let mut slope_of = |tensor, index| {
            let slope = self.slope(Entry { tensor, index }, split);
            slope.expect("no ReLU is at its kink").value
        };
        let tensors = lengths.into_iter().enumerate();
        tensors
            .map(|(tensor, length)| (0..length).map(|index| slope_of(tensor, index)).collect())
            .collect()
    }
}

fn samples(split: &Split) -> impl Iterator<Item = (&[u8], u8)> {
    (0..split.len()).map(|index| (split.image(index), split.labels()[index]))
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
