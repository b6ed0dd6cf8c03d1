//! The run in burn: its pure-Rust CPU backend, flex, with autodiff.

use std::time::Instant;

use anyhow::Result;
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Int, Tensor, TensorData};
use common::{CLASSES, EPSILON, HIDDEN, Half, LEARNING_RATE, Options, PIXELS, Report, shuffled};

#[derive(Module, Debug)]
struct Network {
    hidden: Linear,
    output: Linear,
}

impl Network {
    fn new(device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(PIXELS, HIDDEN).init(device),
            output: LinearConfig::new(HIDDEN, CLASSES).init(device),
        }
    }

    fn logits(&self, images: Tensor<2>) -> Tensor<2> {
        self.output.forward(relu(self.hidden.forward(images)))
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

    let mut network = Network::new(&device);
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

    let digits = network.valid().predict(test_images).argmax(1).flatten::<1>(0, 1);
    let test_samples = test_labels.dims()[0];
    let right = digits.equal(test_labels).int().sum().into_scalar::<i64>();
    Report {
        name: "burn",
        version: "0.22.1",
        train_seconds,
        test_accuracy: right as f64 / test_samples as f64,
    }
    .print()
}
