//! All that is measured at once.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::bandwidth::memory_bandwidth;
use super::conditions::Watch;
use super::error::Result;
use super::gemm::{SHAPES, gemm_rates};
use super::peak::fma_peak;
use super::rounds::{median, spread};
use super::training::Trainings;
use super::{Build, Conditions, Effort, FmaPeak, GemmRate, Host, MemoryBandwidth, TrainingRate};
use crate::data::Split;
use crate::exec::engine::Engine;
use crate::kernels::gemm::GemmBackend;

/// What was measured of a machine and the engine on it; it displays as tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measurements {
    /// The number of the format that files of them have.
    pub format: u32,
    /// The build that measured.
    pub build: Build,
    /// The machine.
    pub host: Host,
    /// The instruction set in use.
    pub isa: String,
    /// The number of all threads.
    pub threads: usize,
    /// What computed the matrix products of training.
    pub gemm_backend: GemmBackend,
    /// How much time went into it.
    pub effort: Effort,
    /// The peak rate of fused multiply-adds (FMA), in GFLOP/s, that other rates are compared with.
    pub fma_peak_gflops: FmaPeak,
    /// The bandwidth of memory, if it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bandwidth: Option<MemoryBandwidth>,
    /// Matrix products (GEMM), if they were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gemm: Option<Vec<GemmRate>>,
    /// What training was measured on, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<TrainingImages>,
    /// Training, if it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<Vec<TrainingRate>>,
    /// What else the machine did meanwhile.
    pub conditions: Conditions,
}

/// What training is measured on: how fast it is depends on how many pixels are not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainingImages {
    /// How many images.
    pub count: usize,
    /// Pixels of each.
    pub pixels: usize,
    /// Their classes.
    pub classes: usize,
    /// Pixels of all of them that are not zero.
    pub nonzero_pixels: usize,
}

/// `12800 images of 784 pixels in 10 classes, 1913478 pixels not zero`
impl fmt::Display for TrainingImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, pixels, classes, nonzero_pixels } = self;
        write!(
            f,
            "{count} images of {pixels} pixels in {classes} classes, {nonzero_pixels} pixels not zero"
        )
    }
}

impl TrainingImages {
    pub(super) fn of(images: &Split) -> Self {
        Self {
            count: images.len(),
            pixels: images.shape().pixels(),
            classes: images.classes(),
            nonzero_pixels: images.pixels().iter().filter(|&&pixel| pixel != 0).count(),
        }
    }
}

/// What is measured, beside the peak.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// How much time goes into it.
    pub effort: Effort,
    /// Whether the bandwidth of memory is measured.
    pub memory: bool,
    /// Whether matrix products are.
    pub gemm: bool,
    /// The images that training is measured on, if it is.
    pub images: Option<&'a Split>,
}

impl Measurements {
    /// The number of the format of files.
    pub(super) const FORMAT: u32 = 1;

    /// Measures `engine` at `work`, on this machine.
    ///
    /// # Errors
    /// When training fails, or there is not as much memory as is needed.
    pub fn take(engine: &Engine, work: &Work<'_>) -> Result<Self> {
        let Work { effort, images, .. } = *work;
        let host = Host::this();
        let build = Build::this();
        // What cannot begin is known before anything is measured.
        let trainings = images.map(|images| Trainings::new(engine, images)).transpose()?;
        let mut watch = Watch::begin();
        let bandwidth = work.memory.then(|| memory_bandwidth(engine, &host)).transpose()?;
        let peak = fma_peak(engine, effort);
        let gemm = work.gemm.then(|| gemm_rates(engine.isa(), &SHAPES, effort, &mut watch));
        let train = trainings.map(|trainings| trainings.rates(&peak, effort, &mut watch));
        let train = train.transpose()?;
        let mut measurements = Self {
            format: Self::FORMAT,
            build,
            host,
            isa: engine.isa().name().into(),
            threads: engine.threads(),
            gemm_backend: engine.gemm_backend(),
            effort,
            fma_peak_gflops: peak,
            memory_bandwidth: bandwidth,
            gemm,
            images: images.map(TrainingImages::of),
            train,
            conditions: watch.conditions(),
        };
        measurements.conditions.spread = measurements.spread();
        Ok(measurements)
    }

    /// The median of how far the rounds of each rate spread.
    fn spread(&self) -> Option<f64> {
        let rates = self.rates();
        let mut spreads: Vec<f64> = rates.iter().filter_map(|rate| spread(rate.rounds)).collect();
        (!spreads.is_empty()).then(|| median(&mut spreads))
    }

    /// All rates whose rounds are known.
    pub(super) fn rates(&self) -> Vec<Rate<'_>> {
        let control = |what: String, rounds| Rate {
            what,
            rounds,
            unit: "GFLOP/s",
            is_control: true,
            is_peak: false,
        };
        let peak_rate = |what, rounds| Rate { is_peak: true, ..control(what, rounds) };
        let peak = &self.fma_peak_gflops.rounds;
        let mut rates = vec![
            peak_rate("FMA peak, 1 thread".into(), &peak.one_thread[..]),
            peak_rate(format!("FMA peak, threads: {}", self.threads), &peak.all_threads),
        ];
        // The peak of one thread is there once.
        rates.truncate(if self.threads > 1 { 2 } else { 1 });
        for rate in self.gemm.iter().flatten() {
            let (shape, rounds) = (rate.shape.to_string(), &rate.rounds);
            rates.push(control(format!("matrixmultiply {shape}"), &rounds.matrixmultiply_gflops));
            let what = format!("gemm {shape}");
            rates.push(Rate { is_control: false, ..control(what, &rounds.gflops) });
        }
        for rate in self.train.iter().flatten() {
            let TrainingRate { model, batch_size, threads, rounds, .. } = rate;
            let what = format!("train {model}, batch {batch_size}, threads: {threads}");
            rates.push(Rate { what, rounds, unit: "samples/s", is_control: false, is_peak: false });
        }
        rates
    }
}

/// A rate, round by round.
#[derive(Clone, Debug)]
pub(super) struct Rate<'a> {
    /// What was done, by which it is found in other measurements.
    pub(super) what: String,
    pub(super) rounds: &'a [f64],
    pub(super) unit: &'static str,
    /// Whether it is of something that no change of the engine touches.
    pub(super) is_control: bool,
    /// Whether it is the FMA peak, which is that of an instruction set.
    pub(super) is_peak: bool,
}

impl Rate<'_> {
    /// Of what it is, if it is of something that no change of the engine touches.
    pub(super) fn control(&self) -> &'static str {
        if self.is_peak { "FMA peak" } else { "matrixmultiply" }
    }
}
