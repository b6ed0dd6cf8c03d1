//! How fast the clock of a core ticks while it works.

use std::hint::black_box;
use std::time::Instant;

use super::median;

/// Links of a chain: some ten microseconds, so that few chains are interrupted.
const LINKS: u32 = 8_000;
/// Cycles of a link: a multiplication of 64-bit integers takes three on all x86-64 cores of the last
/// ten years (Fog, "Instruction tables"), an exclusive or takes one.
const CYCLES: f64 = 4.0;

/// The clock of this core in GHz, from a chain of instructions each of which waits for the one before;
/// `None` on architectures whose cores do not agree on how many cycles that takes.
pub(super) fn clock_ghz() -> Option<f64> {
    if !cfg!(target_arch = "x86_64") {
        return None;
    }
    let (factor, mask) = (black_box(0x5851_f42d_4c95_7f2d_u64), black_box(0x9e37_79b9_u64));
    let mut rates = [0.0; 31];
    for rate in &mut rates {
        let start = Instant::now();
        let mut x = black_box(1_u64);
        for _ in 0..LINKS {
            x = x.wrapping_mul(factor) ^ mask;
        }
        black_box(x);
        *rate = f64::from(LINKS) * CYCLES / start.elapsed().as_nanos().max(1) as f64;
    }
    Some(median(&mut rates))
}
