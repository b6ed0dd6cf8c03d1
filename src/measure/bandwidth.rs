//! How fast numbers come from memory: the triad of STREAM (McCalpin, 1995), a = b + 0.5 · c, on
//! arrays that no cache holds.

use std::hint::black_box;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Host, median};
use crate::exec::engine::Engine;
use crate::memory::{Need, Shortage};

/// The bandwidth of memory, in 10⁹ bytes a second: those that the triad reads and writes, as STREAM
/// counts them, without lines that the CPU reads to overwrite them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemoryBandwidth {
    /// Of one thread.
    pub one_thread: f64,
    /// Of all the engine's threads together.
    pub all_threads: f64,
}

/// The arrays together are so many times the greatest cache, as STREAM's rules ask for.
const TIMES_CACHE: u64 = 12;
/// They have at least and at most so many bytes.
const BYTES: [u64; 2] = [96 << 20, 1 << 30];
const ROUNDS: usize = 7;

/// Measures the bandwidth.
///
/// # Errors
/// When there is not as much memory.
pub(super) fn memory_bandwidth(engine: &Engine, host: &Host) -> Result<MemoryBandwidth, Shortage> {
    let wanted = host.last_cache_bytes().unwrap_or(0).saturating_mul(TIMES_CACHE);
    let bytes = wanted.clamp(BYTES[0], BYTES[1]);
    let need = Need::default().and("arrays", u128::from(bytes));
    need.check("measuring the bandwidth of memory", "end other programs, or leave out --html")?;
    let count = bytes as usize / (3 * size_of::<f32>());
    let threads = engine.threads();
    let alone = Triad::new(count).bandwidth();
    let each = engine.pool().broadcast(|_| Triad::new(count / threads).bandwidth());
    Ok(MemoryBandwidth { one_thread: alone, all_threads: each.iter().sum() })
}

/// Three arrays of one thread.
struct Triad {
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

impl Triad {
    /// Of so many numbers each, which this thread is the first to touch.
    fn new(count: usize) -> Self {
        Self { a: vec![0.5; count], b: vec![1.5; count], c: vec![2.5; count] }
    }

    /// The median of some rounds.
    fn bandwidth(&mut self) -> f64 {
        let bytes = (3 * size_of::<f32>() * self.a.len()) as f64;
        let mut rates = [0.0; ROUNDS];
        for rate in &mut rates {
            let start = Instant::now();
            let (b, c) = (black_box(&self.b), black_box(&self.c));
            for ((a, b), c) in self.a.iter_mut().zip(b).zip(c) {
                *a = b + 0.5 * c;
            }
            black_box(&mut self.a);
            *rate = bytes / start.elapsed().as_nanos().max(1) as f64;
        }
        median(&mut rates)
    }
}
