//! How many samples the engine trains on in a second.

use serde::{Deserialize, Serialize};

use super::{Effort, FmaPeak, median};
use crate::data::Split;
use crate::engine::{Engine, EngineOptions};
use crate::error::Result;
use crate::nn::{Activation, Network, Sequential};
use crate::train::{FitOptions, Silent};

/// The rate of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRate {
    /// The network: `mlp-100` is dense layers, the hidden one of 100 units.
    pub model: String,
    /// Samples a step.
    pub batch_size: usize,
    /// How many threads worked on it.
    pub threads: usize,
    /// Samples a second, the preparation of the images left out.
    pub samples_per_second: f64,
    /// What a program that multiplies zeros too would have computed, in 10⁹ operations a second.
    pub dense_gflops: f64,
    /// The same as a share of the threads' [`FmaPeak`].
    pub of_peak: f64,
}

/// Units of the hidden layer.
pub const HIDDEN: [usize; 2] = [100, 512];
/// Samples a step.
pub const BATCH_SIZES: [usize; 3] = [32, 128, 512];

/// Measures training on `images` with Adam, for [`HIDDEN`] × [`BATCH_SIZES`], on one thread and on
/// all of `engine`.
///
/// # Errors
/// When the threads are refused or training fails.
pub fn training_rates(
    engine: &Engine,
    images: &Split,
    peak: &FmaPeak,
    effort: Effort,
) -> Result<Vec<TrainingRate>> {
    let repetitions = match effort {
        Effort::Full => 7,
        Effort::Quick => 1,
    };
    let one =
        EngineOptions { isa: Some(engine.isa()), products: engine.products(), threads: Some(1) };
    let alone = Engine::new(one)?;
    let mut runs = Vec::new();
    for hidden in HIDDEN {
        for batch_size in BATCH_SIZES {
            runs.push(Run::new((&alone, peak.one_thread), images, hidden, batch_size)?);
            if engine.threads() > 1 {
                runs.push(Run::new((engine, peak.all_threads), images, hidden, batch_size)?);
            }
        }
    }
    for _ in 0..repetitions {
        for run in &mut runs {
            run.train(images)?;
        }
    }
    Ok(runs.into_iter().map(|run| run.rate(images.len())).collect())
}

/// One of the networks that are trained in turn, an epoch each.
struct Run<'a> {
    engine: &'a Engine,
    peak: f64,
    hidden: usize,
    batch_size: usize,
    network: Network,
    seconds: Vec<f64>,
}

impl<'a> Run<'a> {
    fn new(
        (engine, peak): (&'a Engine, f64),
        images: &Split,
        hidden: usize,
        batch_size: usize,
    ) -> Result<Self> {
        let layers = Sequential::new(images.shape())
            .dense(hidden, Activation::Relu)
            .dense(images.classes(), Activation::Sigmoid);
        let network = Network::new(layers, 0)?;
        Ok(Self { engine, peak, hidden, batch_size, network, seconds: Vec::new() })
    }

    fn train(&mut self, images: &Split) -> Result<()> {
        let options =
            FitOptions { epochs: 1, batch_size: self.batch_size, ..FitOptions::default() };
        let history = self.engine.fit(&mut self.network, images, &options, &mut Silent)?;
        self.seconds.extend(history.epochs.iter().map(|epoch| epoch.seconds));
        Ok(())
    }

    fn rate(mut self, samples: usize) -> TrainingRate {
        let samples_per_second = samples as f64 / median(&mut self.seconds);
        let operations = dense_operations(self.network.architecture());
        let dense_gflops = samples_per_second * operations as f64 / 1e9;
        TrainingRate {
            model: format!("mlp-{}", self.hidden),
            batch_size: self.batch_size,
            threads: self.engine.threads(),
            samples_per_second,
            dense_gflops,
            of_peak: dense_gflops / self.peak,
        }
    }
}

/// Multiplications and additions of a training step per sample, zeros included: two a weight
/// forward, two for its gradient, and two for the gradient of the inputs of all layers but the
/// first.
fn dense_operations(network: &Sequential) -> usize {
    let kernels: Vec<usize> = network
        .parameters()
        .iter()
        .filter(|(_, shape)| shape.len() > 1)
        .map(|(_, shape)| shape.iter().product())
        .collect();
    6 * kernels.iter().sum::<usize>() - 2 * kernels.first().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ImageShape;

    #[test]
    fn operations_are_counted_as_if_all_pixels_were_lit() {
        let layers = Sequential::new(ImageShape { height: 28, width: 28 })
            .dense(100, Activation::Relu)
            .dense(10, Activation::Sigmoid);
        assert_eq!(dense_operations(&layers), 319_600);
    }
}
