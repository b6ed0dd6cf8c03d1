//! The run in burn: its pure-Rust CPU backend, flex, with autodiff.

use std::time::Instant;

use anyhow::Result;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Int, Tensor, TensorData};
use common::{
    EPSILON, Half, KERNEL, LEARNING_RATE, Model, Options, PIXELS, Report, SIDE, shuffled,
};

/// The test images that are read at once.
const AT_ONCE: usize = 1000;

#[derive(Module, Debug)]
struct Network {
    convolutions: Vec<Conv2d>,
    pool: MaxPool2d,
    dense: Vec<Linear>,
}

impl Network {
    fn new(model: Model, device: &Device) -> Self {
        let convolutions = model.channels().windows(2).map(|channels| {
            Conv2dConfig::new([channels[0], channels[1]], [KERNEL; 2]).init(device)
        });
        let dense = model
            .units()
            .windows(2)
            .map(|units| LinearConfig::new(units[0], units[1]).init(device));
        Self {
            convolutions: convolutions.collect(),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            dense: dense.collect(),
        }
    }

    fn logits(&self, images: Tensor<2>) -> Tensor<2> {
        let mut x = images;
        if !self.convolutions.is_empty() {
            let samples = x.dims()[0];
            let mut pictures = x.reshape([samples, 1, SIDE, SIDE]);
            for convolution in &self.convolutions {
                pictures = self.pool.forward(relu(convolution.forward(pictures)));
            }
            x = pictures.flatten(1, 3);
        }
        for (number, layer) in self.dense.iter().enumerate() {
            x = layer.forward(if number == 0 { x } else { relu(x) });
        }
        x
    }

    fn predict(&self, images: Tensor<2>) -> Tensor<2> {
        sigmoid(self.logits(images))
    }
}

fn tensors(half: Half, device: &Device) -> (Tensor<2>, Tensor<1, Int>) {
    let samples = half.labels.len();
    let labels: Vec<i32> = half.labels.iter().map(|&label| i32::from(label)).collect();
    (
        Tensor::from_data(TensorData::new(half.images, [samples, PIXELS]), device),
        Tensor::from_data(TensorData::new(labels, [samples]), device),
    )
}

fn main() -> Result<()> {
    let options = Options::from_arguments()?;
    let plain = Device::flex();
    let device = plain.clone().autodiff();
    let mnist = options.mnist()?;
    let samples = mnist.train.labels.len();
    let (train_images, train_labels) = tensors(mnist.train, &device);
    let (test_images, test_labels) = tensors(mnist.test, &plain);

    let mut network = Network::new(options.model, &device);
    let mut optimiser = AdamConfig::new().with_epsilon(EPSILON as f32).init();
    let loss = CrossEntropyLossConfig::new().init(&device);

    let start = Instant::now();
    for _ in 0..options.epochs {
        let order: Vec<i32> =
            shuffled(samples)?.into_iter().map(i32::try_from).collect::<Result<_, _>>()?;
        for batch in order.chunks(options.batch_size) {
            let batch = Tensor::<1, Int>::from_data(
                TensorData::new(batch.to_vec(), [batch.len()]),
                &device,
            );
            let logits = network.logits(train_images.clone().select(0, batch.clone()));
            let labels = train_labels.clone().select(0, batch);
            let gradients = loss.forward(logits, labels).backward();
            let gradients = GradientsParams::from_grads(gradients, &network);
            network = optimiser.step(LEARNING_RATE, network, gradients);
        }
    }
    let train_seconds = start.elapsed().as_secs_f64();

    let network = network.valid();
    let test_samples = test_labels.dims()[0];
    let mut right = 0;
    for first in (0..test_samples).step_by(AT_ONCE) {
        let some = first..test_samples.min(first + AT_ONCE);
        let images = test_images.clone().slice([some.clone()]);
        let digits = network.predict(images).argmax(1).flatten::<1>(0, 1);
        let labels = test_labels.clone().slice([some]);
        right += digits.equal(labels).int().sum().into_scalar::<i64>();
    }
    Report {
        name: "burn",
        version: "0.22.1",
        train_seconds,
        test_accuracy: right as f64 / test_samples as f64,
    }
    .print()
}
