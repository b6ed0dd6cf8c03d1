//! The steps on the way from pixels to logits, each forward beside backward.

use super::images::{self, Windows};
use super::loss::sigmoid;

/// One step on the way from pixels to logits.
#[derive(Clone, Debug)]
pub(in crate::check) enum Stage {
    /// x · kernel + bias, the kernel being parameter `kernel` and the bias the next.
    Dense {
        /// Which parameter the kernel is: inputs × units.
        kernel: usize,
    },
    /// Windows of an image, each · kernel + bias.
    Conv2d {
        /// Which parameter the kernel is: height × width × channels × filters.
        kernel: usize,
        /// How the windows slide.
        windows: Windows,
        /// The places of the numbers of each window; `None` outside the image.
        places: Vec<Vec<Option<usize>>>,
    },
    /// The greatest of each window of an image, channel by channel.
    MaxPool {
        /// The places of the numbers of each window.
        windows: Vec<Vec<usize>>,
    },
    /// The mean of each window of an image, channel by channel.
    AveragePool {
        /// The places of the numbers of each window.
        windows: Vec<Vec<usize>>,
    },
    /// max(x, 0)
    Relu,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
}

impl Stage {
    /// What it makes of `x`.
    pub(super) fn forward(&self, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        match self {
            Self::Dense { kernel } => dense(x, &parameters[*kernel], &parameters[kernel + 1]),
            Self::Conv2d { kernel, places, .. } => {
                images::convolve(x, places, &parameters[*kernel], &parameters[kernel + 1])
            }
            Self::MaxPool { windows } => images::greatest(x, windows),
            Self::AveragePool { windows } => images::means(x, windows),
            Self::Relu => x.iter().map(|x| x.max(0.0)).collect(),
            Self::Sigmoid => x.iter().map(|&x| sigmoid(x)).collect(),
        }
    }

    /// The gradient of `x`, which it was fed, from `dy`, that of what it made of it; adds the gradient
    /// of its parameters to `gradient`.
    pub(super) fn backward(
        &self,
        parameters: &[Vec<f64>],
        x: &[f64],
        dy: &[f64],
        gradient: &mut [Vec<f64>],
    ) -> Vec<f64> {
        match self {
            Self::Dense { kernel } => {
                let (dkernel, dbias) = kernel_and_bias(gradient, *kernel);
                dense_backward(x, dy, &parameters[*kernel], dkernel, dbias)
            }
            Self::Conv2d { kernel, places, .. } => {
                let (dkernel, dbias) = kernel_and_bias(gradient, *kernel);
                add(dbias, dy);
                images::convolve_backward(x, dy, places, &parameters[*kernel], dkernel)
            }
            Self::MaxPool { windows } => images::greatest_backward(x, dy, windows),
            Self::AveragePool { windows } => images::means_backward(x.len(), dy, windows),
            Self::Relu => {
                x.iter().zip(dy).map(|(&x, &dy)| if x > 0.0 { dy } else { 0.0 }).collect()
            }
            Self::Sigmoid => {
                let through = |(&x, dy): (&f64, &f64)| dy * sigmoid(x) * (1.0 - sigmoid(x));
                x.iter().zip(dy).map(through).collect()
            }
        }
    }

    /// How many products its way forward takes.
    pub(super) fn products(&self, parameters: &[Vec<f64>]) -> usize {
        match self {
            Self::Dense { kernel } => parameters[*kernel].len(),
            Self::Conv2d { kernel, places, .. } => places.len() * parameters[*kernel].len(),
            Self::MaxPool { windows } | Self::AveragePool { windows } => {
                windows.iter().map(Vec::len).sum()
            }
            Self::Relu | Self::Sigmoid => 0,
        }
    }
}

/// The gradients of the kernel, which is tensor `kernel`, and of the bias, which is the next.
fn kernel_and_bias(gradient: &mut [Vec<f64>], kernel: usize) -> (&mut [f64], &mut [f64]) {
    let (kernels, biases) = gradient.split_at_mut(kernel + 1);
    (&mut kernels[kernel], &mut biases[0])
}

/// Adds `numbers` to `sums`, over and over where there are more numbers than sums.
fn add(sums: &mut [f64], numbers: &[f64]) {
    for row in numbers.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(sum, number)| *sum += number);
    }
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

/// dx = kernel · dy; adds x · dyᵀ to `dkernel` and dy to `dbias`.
fn dense_backward(
    x: &[f64],
    dy: &[f64],
    kernel: &[f64],
    dkernel: &mut [f64],
    dbias: &mut [f64],
) -> Vec<f64> {
    add(dbias, dy);
    let mut dx = vec![0.0; x.len()];
    let rows = kernel.chunks_exact(dy.len()).zip(dkernel.chunks_exact_mut(dy.len()));
    for (i, (row, drow)) in rows.enumerate() {
        for (unit, dy) in dy.iter().enumerate() {
            dx[i] += row[unit] * dy;
            drow[unit] += x[i] * dy;
        }
    }
    dx
}
