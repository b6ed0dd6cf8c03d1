//! How many samples the engine trains on in a second.

use serde::{Deserialize, Serialize};

use super::conditions::Watch;
use super::peak::peak_at_a_glance;
use super::{Effort, FmaPeak, median_of};
use crate::data::Split;
use crate::exec::engine::{Engine, EngineOptions};
use crate::image::ImageShape;
use crate::model::{Activation, Architecture, Network, ParameterSpec, Sequential, Shape};
use crate::train::{self, FitOptions, NoObserver};

/// The rate of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainingRate {
    /// The network: `mlp-100` is dense layers, the hidden one of 100 units; `lenet5` has
    /// convolutions.
    pub model: String,
    /// Samples in a minibatch.
    pub batch_size: usize,
    /// How many threads worked on it.
    pub threads: usize,
    /// Training samples a second, the preparation of the images left out.
    pub samples_per_second: f64,
    /// What a program that multiplies zeros too would have computed, in GFLOP/s (10⁹ additions and
    /// multiplications a second).
    pub dense_gflops: f64,
    /// The same relative to the [`FmaPeak`] of as many threads, from 0 to 1.
    pub of_peak: f64,
    /// Operations of [`dense_gflops`](Self::dense_gflops) for each byte that a step must have where no
    /// cache keeps it: its images, and the weights and moments of Adam, read and written.
    pub flops_per_byte: f64,
    /// The samples a second of each round, in order; the rate is their median.
    pub rounds: Vec<f64>,
}

/// Units of the hidden layer of the networks that are measured.
const HIDDEN: [usize; 2] = [100, 512];
/// Samples in a minibatch.
pub const BATCH_SIZES: [usize; 3] = [32, 128, 512];

/// The networks whose training is measured, by name: one of each of [`HIDDEN`], and LeNet-5.
#[must_use]
pub fn training_networks(input: ImageShape, classes: usize) -> Vec<(String, Architecture)> {
    let mlp = |units| {
        let layers = Sequential::new(input).dense(units, Activation::Relu);
        (format!("mlp-{units}"), layers.dense(classes, Activation::Sigmoid))
    };
    let lenet5 = (String::from("lenet5"), Sequential::lenet5(input, classes));
    // Small images leave nothing after LeNet-5's poolings.
    let checked = |(name, layers)| Some((name, Architecture::new(layers).ok()?));
    HIDDEN.map(mlp).into_iter().chain([lenet5]).filter_map(checked).collect()
}

/// What is trained: networks of one hidden layer of 100 and of 512 units and LeNet-5, at minibatches of
/// 32, 128 and 512, on one thread and on all of an engine.
pub(super) struct Trainings<'a> {
    images: &'a Split,
    /// Of one thread, and of all where they are several.
    engines: Vec<Engine>,
    networks: Vec<(String, Architecture)>,
}

impl<'a> Trainings<'a> {
    /// Those on `images` with the threads of `engine`.
    ///
    /// # Errors
    /// When the threads are refused, or one cannot begin.
    pub(super) fn new(engine: &Engine, images: &'a Split) -> Result<Self, train::Error> {
        let of = |threads| {
            let (isa, gemm) = (Some(engine.isa()), engine.gemm_backend());
            Engine::new(EngineOptions { isa, gemm, threads: Some(threads) })
        };
        // A number that is given, so that all of the threads are measured, whether or not fewer are
        // faster.
        let mut engines = vec![of(1)?];
        if engine.threads() > 1 {
            engines.push(of(engine.threads())?);
        }
        let networks = training_networks(images.shape(), images.classes());
        let trainings = Self { images, engines, networks };
        for training in trainings.each()? {
            training.check(images)?;
        }
        Ok(trainings)
    }

    /// Each of them, with a network that is not trained yet.
    fn each(&self) -> Result<Vec<TimedTraining<'_>>, train::Error> {
        let mut timed = Vec::new();
        for (name, layers) in &self.networks {
            for batch_size in BATCH_SIZES {
                for engine in &self.engines {
                    let network = Network::new(layers.clone(), 0)?;
                    let (model, rounds) = (name.clone(), Vec::new());
                    timed.push(TimedTraining { engine, model, batch_size, network, rounds });
                }
            }
        }
        Ok(timed)
    }

    /// Measures them, with Adam.
    ///
    /// # Errors
    /// When training fails.
    pub(super) fn rates(
        &self,
        peak: &FmaPeak,
        effort: Effort,
        watch: &mut Watch,
    ) -> Result<Vec<TrainingRate>, train::Error> {
        let repetitions = match effort {
            Effort::Full => 7,
            Effort::Turn | Effort::Quick => 1,
        };
        let mut timed = self.each()?;
        for _ in 0..repetitions {
            for training in &mut timed {
                training.train_epoch(self.images)?;
            }
            watch.look();
        }
        Ok(timed.into_iter().map(|training| training.rate(peak)).collect())
    }
}

/// One of the networks that are trained in turn, an epoch each.
struct TimedTraining<'a> {
    engine: &'a Engine,
    model: String,
    batch_size: usize,
    network: Network,
    /// The samples a second of each epoch.
    rounds: Vec<f64>,
}

impl TimedTraining<'_> {
    fn options(&self) -> FitOptions {
        FitOptions { epochs: 1, batch_size: self.batch_size, ..FitOptions::default() }
    }

    /// Whether it can begin.
    fn check(&self, images: &Split) -> Result<(), train::Error> {
        self.engine.check_fit(&self.network, images, &self.options())
    }

    fn train_epoch(&mut self, images: &Split) -> Result<(), train::Error> {
        let options = self.options();
        let history = self.engine.fit(&mut self.network, images, &options, &mut NoObserver)?;
        let rate = |seconds: f64| images.len() as f64 / seconds.max(1e-9);
        self.rounds.extend(history.epochs.iter().map(|epoch| rate(epoch.seconds)));
        Ok(())
    }

    fn rate(self, peak: &FmaPeak) -> TrainingRate {
        let threads = self.engine.threads();
        let peak = if threads == 1 { peak.one_thread } else { peak.all_threads };
        let samples_per_second = median_of(&self.rounds);
        let network = self.network.architecture();
        let flops = dense_flops(network);
        let dense_gflops = samples_per_second * flops as f64 / 1e9;
        TrainingRate {
            model: self.model,
            batch_size: self.batch_size,
            threads,
            samples_per_second,
            dense_gflops,
            of_peak: dense_gflops / peak,
            flops_per_byte: flops as f64 / bytes_per_sample(network, self.batch_size),
            rounds: self.rounds,
        }
    }
}

/// The share of the peak rate of fused multiply-adds of all threads of `engine`, measured now, that
/// training `network` at `samples_per_second` is, from 0 to 1; more where zeros were left out, as
/// those are counted too.
#[must_use]
pub fn share_of_peak(engine: &Engine, network: &Architecture, samples_per_second: f64) -> f64 {
    let gflops = samples_per_second * dense_flops(network) as f64 / 1e9;
    gflops / peak_at_a_glance(engine)
}

/// Multiplications and additions (FLOPs) of a training step per sample, zeros included: two for
/// each use of a weight forward, two for its gradient, and two for the gradient of the inputs of all layers but
/// the first that learns.
fn dense_flops(network: &Architecture) -> usize {
    let layers = network.layers().iter();
    let products: Vec<usize> = layers
        .filter_map(|layer| {
            let [kernel, _] = layer.parameters.as_ref()?;
            let positions = match layer.output {
                Shape::Image { height, width, .. } => height * width,
                Shape::Vector(_) => 1,
            };
            Some(positions * kernel.count())
        })
        .collect();
    6 * products.iter().sum::<usize>() - 2 * products.first().copied().unwrap_or(0)
}

/// Bytes that a step with Adam must have from memory where no cache keeps them, a sample: its image,
/// and its part of the weights and their moments, read and written.
fn bytes_per_sample(network: &Architecture, batch_size: usize) -> f64 {
    /// A weight and its two moments, read and written.
    const ACCESSES: usize = 2 * 3;
    let parameters: usize = network.parameters().map(ParameterSpec::count).sum();
    let of_step = ACCESSES * size_of::<f32>() * parameters;
    network.input().pixels() as f64 + of_step as f64 / batch_size as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_its_images_and_reads_and_writes_its_weights() {
        let layers = Sequential::new(ImageShape { height: 2, width: 3 });
        let network = layers.dense(4, Activation::Sigmoid).try_into().unwrap();
        assert_eq!(bytes_per_sample(&network, 8), 6.0 + 24.0 * 28.0 / 8.0);
    }

    #[test]
    fn operations_are_counted_as_if_no_pixel_were_zero() {
        let layers = Sequential::new(ImageShape { height: 28, width: 28 })
            .dense(100, Activation::Relu)
            .dense(10, Activation::Sigmoid);
        assert_eq!(dense_flops(&layers.try_into().unwrap()), 319_600);
        let convolutions = 4 * 24 * 24 * 150 + 6 * 8 * 8 * 2400;
        let dense = 6 * (256 * 120 + 120 * 84 + 84 * 10);
        let lenet5 = Sequential::lenet5(ImageShape { height: 28, width: 28 }, 10);
        assert_eq!(dense_flops(&lenet5.try_into().unwrap()), convolutions + dense);
    }
}
