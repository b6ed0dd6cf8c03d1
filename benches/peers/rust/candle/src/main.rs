//! The run in candle: its CPU backend, its AdamW without decay (which is Adam).

use std::time::Instant;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use candle_nn::{
    AdamW, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, linear, loss, ops,
};
use common::{CLASSES, EPSILON, HIDDEN, Half, LEARNING_RATE, Options, PIXELS, Report, shuffled};

struct Network {
    hidden: Linear,
    output: Linear,
}

impl Network {
    fn new(builder: &VarBuilder) -> Result<Self> {
        Ok(Self {
            hidden: linear(PIXELS, HIDDEN, builder.pp("hidden"))?,
            output: linear(HIDDEN, CLASSES, builder.pp("output"))?,
        })
    }

    fn logits(&self, images: &Tensor) -> Result<Tensor> {
        Ok(self.output.forward(&self.hidden.forward(images)?.relu()?)?)
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
    let network = Network::new(&VarBuilder::from_varmap(&variables, DType::F32, &device))?;
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

    let digits = network.predict(&test_images)?.argmax(1)?;
    let right = digits.eq(&test_labels)?.to_dtype(DType::F64)?.mean_all()?;
    Report { name: "candle", version: "0.11.1", train_seconds, test_accuracy: right.to_scalar()? }
        .print()
}
