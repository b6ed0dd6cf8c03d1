//! The run in candle: its CPU backend, its AdamW without decay (which is Adam).

use std::time::Instant;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use candle_nn::{
    AdamW, Conv2d, Conv2dConfig, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap,
    conv2d, linear, loss, ops,
};
use common::{
    EPSILON, Half, KERNEL, LEARNING_RATE, Model, Options, PIXELS, Report, SIDE, shuffled,
};

/// The test images that are read at once.
const AT_ONCE: usize = 1000;

struct Network {
    convolutions: Vec<Conv2d>,
    dense: Vec<Linear>,
}

impl Network {
    fn new(model: Model, builder: &VarBuilder) -> Result<Self> {
        let mut network = Self { convolutions: Vec::new(), dense: Vec::new() };
        for (number, channels) in model.channels().windows(2).enumerate() {
            let builder = builder.pp(format!("convolution_{number}"));
            let (before, behind) = (channels[0], channels[1]);
            let layer = conv2d(before, behind, KERNEL, Conv2dConfig::default(), builder)?;
            network.convolutions.push(layer);
        }
        for (number, units) in model.units().windows(2).enumerate() {
            let builder = builder.pp(format!("dense_{number}"));
            network.dense.push(linear(units[0], units[1], builder)?);
        }
        Ok(network)
    }

    fn logits(&self, images: &Tensor) -> Result<Tensor> {
        let mut x = images.clone();
        if !self.convolutions.is_empty() {
            x = x.reshape(((), 1, SIDE, SIDE))?;
            for convolution in &self.convolutions {
                x = convolution.forward(&x)?.relu()?.max_pool2d(2)?;
            }
            x = x.flatten_from(1)?;
        }
        for (number, layer) in self.dense.iter().enumerate() {
            x = layer.forward(&if number == 0 { x } else { x.relu()? })?;
        }
        Ok(x)
    }

    fn predict(&self, images: &Tensor) -> Result<Tensor> {
        Ok(ops::sigmoid(&self.logits(images)?)?)
    }
}

fn tensors(half: &Half, device: &Device) -> Result<(Tensor, Tensor)> {
    let samples = half.labels.len();
    let labels: Vec<u32> = half.labels.iter().map(|&label| u32::from(label)).collect();
    let images = Tensor::from_slice(&half.images, (samples, PIXELS), device)?;
    Ok((images, Tensor::from_vec(labels, samples, device)?))
}

fn main() -> Result<()> {
    let options = Options::from_arguments()?;
    let device = Device::Cpu;
    let mnist = options.mnist()?;
    let (train_images, train_labels) = tensors(&mnist.train, &device)?;
    let (test_images, test_labels) = tensors(&mnist.test, &device)?;
    let samples = mnist.train.labels.len();

    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &device);
    let network = Network::new(options.model, &builder)?;
    let adam = ParamsAdamW {
        lr: LEARNING_RATE,
        eps: EPSILON,
        weight_decay: 0.0,
        ..ParamsAdamW::default()
    };
    let mut optimiser = AdamW::new(variables.all_vars(), adam)?;

    let start = Instant::now();
    for _ in 0..options.epochs {
        let order = Tensor::from_vec(shuffled(samples)?, samples, &device)?;
        for first in (0..samples).step_by(options.batch_size) {
            let batch = order.narrow(0, first, options.batch_size.min(samples - first))?;
            let logits = network.logits(&train_images.index_select(&batch, 0)?)?;
            let labels = train_labels.index_select(&batch, 0)?;
            optimiser.backward_step(&loss::cross_entropy(&logits, &labels)?)?;
        }
    }
    let train_seconds = start.elapsed().as_secs_f64();

    let test_samples = mnist.test.labels.len();
    let mut right = 0.0;
    for first in (0..test_samples).step_by(AT_ONCE) {
        let count = AT_ONCE.min(test_samples - first);
        let digits = network.predict(&test_images.narrow(0, first, count)?)?.argmax(1)?;
        let labels = test_labels.narrow(0, first, count)?;
        right += digits.eq(&labels)?.to_dtype(DType::F64)?.sum_all()?.to_scalar::<f64>()?;
    }
    let test_accuracy = right / test_samples as f64;
    Report { name: "candle", version: "0.11.1", train_seconds, test_accuracy }.print()
}
