//! The engine's matrix products against the crate `matrixmultiply`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Contestant, interleaved};
use crate::gemm::{Gemm, MatrixMut, MatrixRef, Start};
use crate::rng::{Purpose, Rng};
use crate::simd::Isa;

/// The rate of a product of m × k by k × n.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GemmRate {
    /// Rows of the product.
    pub m: usize,
    /// Columns of the product.
    pub n: usize,
    /// Terms of each sum.
    pub k: usize,
    /// How many threads worked on it.
    pub threads: usize,
    /// The engine's rate, in 10⁹ operations a second.
    pub gflops: f64,
    /// The rate of `matrixmultiply`.
    pub matrixmultiply_gflops: f64,
}

/// The shapes (m, n, k) that training uses (forward, gradient of the weights, gradient of the
/// input) and squares.
pub const SHAPES: [(usize, usize, usize); 12] = [
    (32, 100, 784),
    (32, 10, 100),
    (128, 100, 784),
    (512, 512, 784),
    (32, 512, 784),
    (784, 100, 32),
    (784, 100, 128),
    (784, 512, 32),
    (32, 100, 10),
    (256, 256, 256),
    (512, 512, 512),
    (1024, 1024, 1024),
];

/// Measures `shapes` on one thread.
#[must_use]
pub fn gemm_rates(isa: Isa, shapes: &[(usize, usize, usize)]) -> Vec<GemmRate> {
    let mut rng = Rng::stream(0, Purpose::Initialise, 0);
    let mut random = |count: usize| (0..count).map(|_| rng.unit() - 0.5).collect::<Vec<f32>>();
    let rate = |&(m, n, k): &(usize, usize, usize)| {
        let (a, b) = (random(m * k), random(k * n));
        let (mut ours, mut theirs) = (vec![0.0; m * n], vec![0.0; m * n]);
        let mut gemm = Gemm::new(isa);
        let mut contestants: [Contestant<'_>; 2] = [
            Box::new(|| {
                let (a, b) = (MatrixRef::new(&a, m, k, k), MatrixRef::new(&b, k, n, n));
                gemm.multiply(a, b, Start::Zero, &mut MatrixMut::new(&mut ours, m, n, n));
            }),
            Box::new(|| matrixmultiply_plain((m, n, k), &a, &b, &mut theirs)),
        ];
        let seconds = interleaved(&mut contestants, 21, Duration::from_millis(4));
        let gflops = |seconds: f64| (2 * m * n * k) as f64 / seconds / 1e9;
        GemmRate {
            m,
            n,
            k,
            threads: 1,
            gflops: gflops(seconds[0]),
            matrixmultiply_gflops: gflops(seconds[1]),
        }
    };
    shapes.iter().map(rate).collect()
}

/// C = A · B of contiguous row-major matrices, by `matrixmultiply`.
#[allow(unsafe_code, reason = "the crate's interface is one of raw pointers")]
fn matrixmultiply_plain((m, n, k): (usize, usize, usize), a: &[f32], b: &[f32], c: &mut [f32]) {
    assert!(a.len() >= m * k && b.len() >= k * n && c.len() >= m * n);
    let (row_a, row_b) = (k as isize, n as isize);
    // SAFETY: the slices hold the m × k, k × n and m × n numbers that the strides reach.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            row_a,
            1,
            b.as_ptr(),
            row_b,
            1,
            0.0,
            c.as_mut_ptr(),
            row_b,
            1,
        );
    }
}
