//! The networks once more, in f64 and as plainly as they can be written, forward and backward: what
//! the engine must agree with. No vectors, no threads, one sample after the other.
//!
//! Its gradient comes in two ways, which owe each other nothing: by the chain rule, stage by stage
//! back from the loss ([`Reference::gradient`]), and as central differences of the way forward
//! ([`Reference::slopes`]). A new kind of layer needs a [`Stage`] and its way forward and back.

mod differences;
mod images;
mod loss;
mod stage;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::data::Split;
use crate::model::{Activation, Layer, Network};

pub(super) use differences::STEP;
pub(super) use images::Windows;
use loss::cross_entropy;
pub use loss::{sigmoid, softmax};
pub(super) use stage::Stage;

/// A network in f64, up to its logits.
#[derive(Clone, Debug)]
pub struct Reference {
    pub(super) stages: Vec<Stage>,
    /// In the order and layout of [`Network::tensors`].
    pub parameters: Vec<Vec<f64>>,
    /// How much each class counts in the loss; all the same where there are none.
    pub class_weights: Vec<f64>,
    /// Once it is raised, what is computed ends before its last sample, and is of no use.
    stop: Arc<AtomicBool>,
}

impl Reference {
    /// The same as `network`, but that nothing is dropped: gradients are taken without dropout.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let layers = network.architecture().layers();
        let mut stages = Vec::new();
        let mut kernel = 0;
        for (index, spec) in layers.iter().enumerate() {
            match spec.layer {
                Layer::Dense { .. } => stages.push(Stage::Dense { kernel }),
                Layer::Conv2d { kernel: size, stride, padding, .. } => {
                    let windows = Windows::new(spec.input, size, stride, padding);
                    let places = windows.places();
                    stages.push(Stage::Conv2d { kernel, windows, places });
                }
                Layer::MaxPool { size, stride } => {
                    let windows = Windows::valid(spec.input, size, stride.unwrap_or(size));
                    stages.push(Stage::MaxPool { windows: windows.places_by_channel() });
                }
                Layer::AveragePool { size, stride } => {
                    let windows = Windows::valid(spec.input, size, stride.unwrap_or(size));
                    stages.push(Stage::AveragePool { windows: windows.places_by_channel() });
                }
                // An image lies in memory as the row of numbers that it becomes.
                Layer::Flatten | Layer::Dropout { .. } => {}
            }
            if spec.parameters.is_some() {
                kernel += 2;
            }
            // The loss is taken from the logits, whatever the last activation.
            let is_last = index + 1 == layers.len();
            match spec.layer.activation().filter(|_| !is_last) {
                Some(Activation::Relu) => stages.push(Stage::Relu),
                Some(Activation::Sigmoid) => stages.push(Stage::Sigmoid),
                // A softmax stands nowhere but at the end.
                None | Some(Activation::Linear | Activation::Softmax) => {}
            }
        }
        let in_f64 = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
        let parameters = network.tensors().iter().map(|tensor| in_f64(&tensor.values)).collect();
        Self { stages, parameters, class_weights: Vec::new(), stop: Arc::default() }
    }

    /// The same, asked by `flag` to end early.
    pub(super) fn stopped_by(self, flag: Arc<AtomicBool>) -> Self {
        Self { stop: flag, ..self }
    }

    /// Whether it was asked to end early.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// How much samples of the class `label` count.
    pub(super) fn weight(&self, label: u8) -> f64 {
        self.class_weights.get(usize::from(label)).copied().unwrap_or(1.0)
    }

    /// The logits of one image.
    #[must_use]
    pub fn logits(&self, image: &[u8]) -> Vec<f64> {
        let forward = |x: Vec<f64>, stage: &Stage| stage.forward(&self.parameters, &x);
        self.stages.iter().fold(pixels(image), forward)
    }

    /// The mean over the samples of the cross-entropy of the logits.
    #[must_use]
    pub fn loss(&self, split: &Split) -> f64 {
        let loss = |(image, label)| self.weight(label) * cross_entropy(&self.logits(image), label);
        self.samples(split).map(loss).sum::<f64>() / split.len() as f64
    }

    /// The derivative of the loss with respect to every parameter, by the chain rule; where a ReLU or
    /// a maximum has its kink, that of the side where the engine is: zero at a ReLU's, and of equal
    /// numbers the first is the greatest.
    #[must_use]
    pub fn gradient(&self, split: &Split) -> Vec<Vec<f64>> {
        let zeros = |tensor: &Vec<f64>| vec![0.0; tensor.len()];
        let mut gradient: Vec<_> = self.parameters.iter().map(zeros).collect();
        for (image, label) in self.samples(split) {
            // What each stage is fed, and at last the logits.
            let mut inputs = vec![pixels(image)];
            for (index, stage) in self.stages.iter().enumerate() {
                inputs.push(stage.forward(&self.parameters, &inputs[index]));
            }
            let scale = self.weight(label) / split.len() as f64;
            let mut dy = loss::gradient(&inputs[self.stages.len()], label, scale);
            for (stage, x) in self.stages.iter().zip(&inputs).rev() {
                dy = stage.backward(&self.parameters, x, &dy, &mut gradient);
            }
        }
        gradient
    }

    /// The images and labels of `split`, until it is asked to end early.
    pub(super) fn samples<'a>(&self, split: &'a Split) -> impl Iterator<Item = (&'a [u8], u8)> {
        let samples = (0..split.len()).map(|index| (split.image(index), split.labels()[index]));
        samples.take_while(|_| !self.is_stopped())
    }

    /// How many products the way forward of one image takes.
    pub(super) fn products(&self) -> usize {
        self.stages.iter().map(|stage| stage.products(&self.parameters)).sum()
    }
}

/// What the network sees of an image.
fn pixels(image: &[u8]) -> Vec<f64> {
    image.iter().map(|&pixel| f64::from(pixel) / 255.0).collect()
}
