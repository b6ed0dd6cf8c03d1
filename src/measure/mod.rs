//! Measuring this machine and the engine on it: rates as medians of interleaved runs.

mod gemm;
mod input_layer;
mod machine;
mod peak;
mod text;
mod training;

pub use gemm::{GemmRate, Operands, SHAPES, Shape as GemmShape, gemm_rates};
pub use machine::Machine;
pub use peak::{FmaPeak, fma_peak};
pub use training::{TrainingRate, share_of_peak, training_rates};

#[cfg(feature = "internals")]
pub use gemm::{Product, Strides};
#[cfg(feature = "internals")]
pub use input_layer::{InputLayer, Zeros};
#[cfg(feature = "internals")]
pub use training::{BATCH_SIZES, training_networks};

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::exec::engine::Engine;

/// What was measured of this machine and the engine; it displays as tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measurements {
    /// The instruction set in use.
    pub isa: String,
    /// The number of all threads.
    pub threads: usize,
    /// The peak rate of fused multiply-adds (FMA), in GFLOP/s, that other rates are compared with.
    pub fma_peak_gflops: FmaPeak,
    /// Matrix products (GEMM), if they were measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gemm: Option<Vec<GemmRate>>,
    /// Training, if it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<Vec<TrainingRate>>,
}

impl Measurements {
    /// Measures the peak of `engine`; what else is measured is added.
    #[must_use]
    pub fn new(engine: &Engine) -> Self {
        Self {
            isa: engine.isa().name().into(),
            threads: engine.threads(),
            fma_peak_gflops: fma_peak(engine),
            gemm: None,
            train: None,
        }
    }
}

/// How much time goes into a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Enough for medians to rely on.
    Full,
    /// Enough to see that everything runs.
    Quick,
}

/// One of several things that are timed against each other.
pub(crate) type Contestant<'a> = Box<dyn FnMut() + 'a>;

/// The median seconds that one call of each contestant takes.
///
/// The contestants take turns, so that whatever else the machine does meets them alike; each turn
/// repeats its call until it has taken about `turn`.
#[must_use]
pub(crate) fn interleaved(
    contestants: &mut [Contestant<'_>],
    turns: usize,
    turn: Duration,
) -> Vec<f64> {
    let calls: Vec<u32> = contestants
        .iter_mut()
        .map(|run| {
            run();
            let start = Instant::now();
            run();
            let once = start.elapsed().max(Duration::from_nanos(20));
            (turn.as_secs_f64() / once.as_secs_f64()).clamp(1.0, 1e6) as u32
        })
        .collect();
    let mut seconds = vec![Vec::with_capacity(turns); contestants.len()];
    for _ in 0..turns {
        for ((run, &calls), seconds) in contestants.iter_mut().zip(&calls).zip(&mut seconds) {
            let start = Instant::now();
            for _ in 0..calls {
                run();
            }
            seconds.push(start.elapsed().as_secs_f64() / f64::from(calls));
        }
    }
    seconds.iter_mut().map(|seconds| median(seconds)).collect()
}

/// The middle one of `values`, or 0 where there are none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
