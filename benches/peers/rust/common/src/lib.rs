//! What the Rust peers share: the arguments, MNIST from `mnist.npz`, the order
//! of the samples and the line of JSON that every peer prints.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use ndarray::{Array1, Array3};
use ndarray_npy::NpzReader;
use rand::seq::SliceRandom;
use serde::Serialize;

/// Pixels of an image.
pub const PIXELS: usize = 784;
/// Rows of an image, and columns.
pub const SIDE: usize = 28;
/// Rows and columns of LeNet-5's kernels.
pub const KERNEL: usize = 5;
/// Adam's step size.
pub const LEARNING_RATE: f64 = 1e-3;
/// Adam's guard against a division by zero.
pub const EPSILON: f64 = 1e-7;

/// The arguments that every peer takes.
#[derive(Parser)]
pub struct Options {
    /// Folder that holds mnist.npz, or the file itself
    #[arg(long)]
    data: PathBuf,
    /// Samples a step
    #[arg(long, default_value_t = 32)]
    pub batch_size: usize,
    /// Passes over the training set
    #[arg(long, default_value_t = 5)]
    pub epochs: usize,
    /// Threads; RAYON_NUM_THREADS must be the same number
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Network
    #[arg(long, default_value = "mlp")]
    pub model: Model,
}

/// A network.
#[derive(Clone, Copy, ValueEnum)]
pub enum Model {
    /// One hidden layer.
    Mlp,
    /// LeNet-5.
    Lenet5,
}

impl Model {
    /// The channels before and behind each convolution; pooling halves what comes out.
    pub fn channels(self) -> &'static [usize] {
        match self {
            Self::Mlp => &[],
            Self::Lenet5 => &[1, 6, 16],
        }
    }

    /// The units before and behind each dense layer.
    pub fn units(self) -> &'static [usize] {
        match self {
            Self::Mlp => &[PIXELS, 100, 10],
            Self::Lenet5 => &[256, 120, 84, 10],
        }
    }
}

impl Options {
    /// The arguments of this process.
    ///
    /// # Errors
    ///
    /// If the libraries would use another number of threads: they read it from
    /// the environment.
    pub fn from_arguments() -> Result<Self> {
        let options = Self::parse();
        let environment = std::env::var("RAYON_NUM_THREADS").unwrap_or_default();
        ensure!(
            environment == options.threads.to_string(),
            "--threads {0} needs RAYON_NUM_THREADS={0} in the environment",
            options.threads
        );
        Ok(options)
    }

    /// Reads MNIST, pixels divided by 255.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or lacks an array.
    pub fn mnist(&self) -> Result<Mnist> {
        let path = if self.data.is_dir() { self.data.join("mnist.npz") } else { self.data.clone() };
        let read = || -> Result<Mnist> {
            let mut npz = NpzReader::new(File::open(&path)?)?;
            let mut half = |images: &str, labels: &str| -> Result<Half> {
                let images: Array3<u8> = npz.by_name(images)?;
                let labels: Array1<u8> = npz.by_name(labels)?;
                Ok(Half {
                    images: images.iter().map(|&pixel| f32::from(pixel) / 255.0).collect(),
                    labels: labels.to_vec(),
                })
            };
            Ok(Mnist { train: half("x_train", "y_train")?, test: half("x_test", "y_test")? })
        };
        read().with_context(|| format!("{}: not a readable mnist.npz", path.display()))
    }
}

/// The training and the test set.
pub struct Mnist {
    /// 60,000 samples.
    pub train: Half,
    /// 10,000 samples.
    pub test: Half,
}

/// Images and labels.
pub struct Half {
    /// Samples × pixels, from 0 to 1.
    pub images: Vec<f32>,
    /// The digit of each sample.
    pub labels: Vec<u8>,
}

/// The samples in a new random order.
pub fn shuffled(samples: usize) -> Result<Vec<u32>> {
    let mut order: Vec<u32> = (0..u32::try_from(samples)?).collect();
    order.shuffle(&mut rand::rng());
    Ok(order)
}

/// What a peer reports.
#[derive(Serialize)]
pub struct Report {
    /// The library.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Seconds of the epochs alone: no loading, no evaluation.
    pub train_seconds: f64,
    /// Share of the test set that is read rightly.
    pub test_accuracy: f64,
}

impl Report {
    /// Prints the line of JSON.
    pub fn print(&self) -> Result<()> {
        println!("{}", serde_json::to_string(self)?);
        Ok(())
    }
}
