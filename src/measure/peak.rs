//! The most multiply-adds that the machine does in a second.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Effort, median, median_of};
use crate::exec::engine::Engine;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// The peak rate of fused multiply-adds, counted as two operations each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FmaPeak {
    /// Of one thread, in 10⁹ operations a second.
    pub one_thread: f64,
    /// Of all the engine's threads together.
    pub all_threads: f64,
    /// Those of each round, in order; the rates are their medians.
    pub rounds: PeakRounds,
}

/// The peak rates of each round, in 10⁹ operations a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PeakRounds {
    /// Of one thread.
    pub one_thread: Vec<f64>,
    /// Of all threads.
    pub all_threads: Vec<f64>,
}

/// Measures the peak with the engine's instruction set, all operands in registers.
pub(super) fn fma_peak(engine: &Engine, effort: Effort) -> FmaPeak {
    let turns = match effort {
        Effort::Full | Effort::Quick => 15,
        Effort::Turn => 5,
    };
    let isa = engine.isa();
    let one = || one_thread_rate(isa);
    let all = || engine.pool().broadcast(|_| one_thread_rate(isa)).iter().sum::<f64>();
    let mut rounds = PeakRounds::default();
    for _ in 0..turns {
        rounds.one_thread.push(one());
        rounds.all_threads.push(all());
    }
    FmaPeak {
        one_thread: median_of(&rounds.one_thread),
        all_threads: median_of(&rounds.all_threads),
        rounds,
    }
}

/// The peak of all threads of `engine` together, measured in one or two milliseconds: right within a
/// few per cent.
pub(super) fn peak_at_a_glance(engine: &Engine) -> f64 {
    let isa = engine.isa();
    let rate = |_: rayon::BroadcastContext<'_>| rate_over(GLANCE, isa);
    let mut rates = [(); 5].map(|()| engine.pool().broadcast(rate).iter().sum::<f64>());
    median(&mut rates)
}

/// How long a thread works for a rate that is to be relied on.
const TURN: Duration = Duration::from_millis(5);
/// The same, for one that is not.
const GLANCE: Duration = Duration::from_micros(200);

fn one_thread_rate(isa: Isa) -> f64 {
    rate_over(TURN, isa)
}

/// The rate of this thread over about so long.
fn rate_over(turn: Duration, isa: Isa) -> f64 {
    const ROUNDS: usize = 20_000;
    let start = Instant::now();
    let mut operations = 0.0;
    while start.elapsed() < turn {
        operations += isa.run(Chains { rounds: black_box(ROUNDS) });
    }
    operations / start.elapsed().as_secs_f64() / 1e9
}

/// Independent chains of multiply-adds: enough of them to hide the latency of each.
struct Chains {
    rounds: usize,
}

impl Kernel for Chains {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        // Sums in most of the registers, the others for the operands.
        match S::VECTORS {
            32.. => chains::<S, 24>(s, self.rounds),
            8.. => chains::<S, 6>(s, self.rounds),
            _ => chains::<S, 2>(s, self.rounds),
        }
    }
}

#[inline(always)]
fn chains<S: Simd, const N: usize>(s: S, rounds: usize) -> f64 {
    let (a, b) = (s.splat(black_box(0.999)), s.splat(black_box(0.001)));
    let mut sums = [s.zero(); N];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = s.mul_add(*sum, a, b);
        }
    }
    let total = sums.into_iter().map(|sum| s.reduce_add(sum)).sum::<f32>();
    black_box(total);
    (2 * LANES * N * rounds) as f64
}
