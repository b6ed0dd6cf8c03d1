//! Measuring this machine and the engine on it: rates as medians of interleaved rounds, what else the
//! machine did meanwhile, and what changed from one build to another.

mod bandwidth;
mod build;
mod clock;
mod compare;
mod conditions;
mod error;
mod file;
mod gemm;
mod host;
mod input_layer;
mod machine;
mod measurements;
mod peak;
mod rounds;
mod text;
mod training;
mod turns;

pub use bandwidth::MemoryBandwidth;
pub use build::Build;
pub use compare::{Comparison, Interval, Method, RateChange, Verdict};
pub use conditions::Conditions;
pub use error::Error;
pub use gemm::{GemmRate, GemmRounds, Operands, SHAPES, Shape as GemmShape};
pub use host::Host;
pub use machine::Machine;
pub use measurements::{Measurements, TrainingImages, Work};
pub use peak::{FmaPeak, PeakRounds};
pub use training::{TrainingRate, share_of_peak};
pub use turns::{Program, Turns, TurnsTaken};

pub use crate::memory::Cache;

#[cfg(feature = "internals")]
pub use gemm::{Product, Strides};
#[cfg(feature = "internals")]
pub use input_layer::{InputLayer, Zeros};
#[cfg(feature = "internals")]
pub use training::{BATCH_SIZES, training_networks};

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use rounds::{median, median_of};

/// How much time goes into a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// Enough for medians to rely on.
    Full,
    /// As much as one of many [`Turns`] has.
    Turn,
    /// Enough to see that everything runs.
    Quick,
}

/// One of several things that are timed against each other.
pub(crate) type Contestant<'a> = Box<dyn FnMut() + 'a>;

/// The seconds that one call of each contestant takes, turn by turn.
///
/// The contestants take turns, so that whatever else the machine does meets them alike; each turn
/// repeats its call until it has taken about `turn`.
#[must_use]
pub(crate) fn interleaved<const N: usize>(
    contestants: &mut [Contestant<'_>; N],
    turns: usize,
    turn: Duration,
) -> [Vec<f64>; N] {
    let calls = contestants.each_mut().map(|run| {
        run();
        let start = Instant::now();
        run();
        let once = start.elapsed().max(Duration::from_nanos(20));
        (turn.as_secs_f64() / once.as_secs_f64()).clamp(1.0, 1e6) as u32
    });
    let mut seconds = [const { Vec::new() }; N];
    for _ in 0..turns {
        for ((run, &calls), seconds) in contestants.iter_mut().zip(&calls).zip(&mut seconds) {
            let start = Instant::now();
            for _ in 0..calls {
                run();
            }
            seconds.push(start.elapsed().as_nanos().max(1) as f64 / 1e9 / f64::from(calls));
        }
    }
    seconds
}
