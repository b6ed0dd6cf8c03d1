//! The engine's matrix products against the crate `matrixmultiply`.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::conditions::Watch;
use super::{Contestant, Effort, interleaved, median_of};
use crate::kernels::gemm::{Gemm, MatrixMut, MatrixRef, Start, sgemm};
use crate::rng::{Rng, Stream};
use crate::simd::Isa;

/// A product of m × k by k × n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Rows of the product.
    pub m: usize,
    /// Columns of the product.
    pub n: usize,
    /// Terms of each sum.
    pub k: usize,
    /// How the operands stand in memory.
    pub operands: Operands,
}

/// How the operands of a product stand in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operands {
    /// Both row by row.
    #[serde(rename = "A·B")]
    Plain,
    /// A column by column, as the gradient of weights needs it: xᵀ · dz.
    #[serde(rename = "Aᵀ·B")]
    LeftTransposed,
    /// B column by column, as the gradient of inputs needs it: dz · wᵀ.
    #[serde(rename = "A·Bᵀ")]
    RightTransposed,
}

impl Operands {
    /// The product, written as a formula.
    #[must_use]
    pub fn formula(self) -> &'static str {
        match self {
            Self::Plain => "A·B",
            Self::LeftTransposed => "Aᵀ·B",
            Self::RightTransposed => "A·Bᵀ",
        }
    }
}

/// `A·B 32 × 100 × 784`: m, n and k
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { m, n, k, operands } = self;
        write!(f, "{} {m} × {n} × {k}", operands.formula())
    }
}

/// The rate of a product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GemmRate {
    /// The product.
    #[serde(flatten)]
    pub shape: Shape,
    /// How many threads worked on it.
    pub threads: usize,
    /// The engine's rate, in 10⁹ operations a second.
    pub gflops: f64,
    /// The rate of `matrixmultiply`.
    pub matrixmultiply_gflops: f64,
    /// Those of each round, in order; the rates are their medians.
    pub rounds: GemmRounds,
}

/// The rates of each round of a product, in 10⁹ operations a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GemmRounds {
    /// The engine's.
    pub gflops: Vec<f64>,
    /// Those of `matrixmultiply`.
    pub matrixmultiply_gflops: Vec<f64>,
}

/// The products of training dense layers (forward, gradient of the weights, gradient of the
/// input) at small and large minibatches, and squares.
pub const SHAPES: [Shape; 20] = {
    use Operands::{LeftTransposed, Plain, RightTransposed};
    const fn shape(m: usize, n: usize, k: usize, operands: Operands) -> Shape {
        Shape { m, n, k, operands }
    }
    [
        shape(32, 100, 784, Plain),
        shape(32, 10, 100, Plain),
        shape(128, 100, 784, Plain),
        shape(32, 512, 784, Plain),
        shape(512, 512, 784, Plain),
        shape(784, 100, 32, Plain),
        shape(784, 100, 128, Plain),
        shape(784, 512, 32, Plain),
        shape(784, 100, 32, LeftTransposed),
        shape(784, 100, 128, LeftTransposed),
        shape(784, 512, 32, LeftTransposed),
        shape(784, 512, 512, LeftTransposed),
        shape(100, 10, 32, LeftTransposed),
        shape(32, 100, 10, RightTransposed),
        shape(32, 512, 10, RightTransposed),
        shape(32, 512, 512, RightTransposed),
        shape(128, 512, 512, RightTransposed),
        shape(256, 256, 256, Plain),
        shape(512, 512, 512, Plain),
        shape(1024, 1024, 1024, Plain),
    ]
};

/// Measures `shapes` on one thread.
pub(super) fn gemm_rates(
    isa: Isa,
    shapes: &[Shape],
    effort: Effort,
    watch: &mut Watch,
) -> Vec<GemmRate> {
    let (turns, turn) = match effort {
        Effort::Full => (21, Duration::from_millis(4)),
        Effort::Turn => (3, Duration::from_millis(2)),
        Effort::Quick => (3, Duration::from_micros(500)),
    };
    let mut rate = |&shape: &Shape| {
        let mut gemm = Gemm::new(isa);
        // One for both: where its operands stand in memory can make a tenth of the rate.
        let product = RefCell::new(Product::random(shape));
        let mut contestants: [Contestant<'_>; 2] = [
            Box::new(|| product.borrow_mut().by_engine(&mut gemm)),
            Box::new(|| product.borrow_mut().by_matrixmultiply()),
        ];
        let [gflops, matrixmultiply_gflops] =
            interleaved(&mut contestants, turns, turn).map(|seconds| shape.rates(&seconds));
        watch.look();
        GemmRate {
            shape,
            threads: 1,
            gflops: median_of(&gflops),
            matrixmultiply_gflops: median_of(&matrixmultiply_gflops),
            rounds: GemmRounds { gflops, matrixmultiply_gflops },
        }
    };
    shapes.iter().map(&mut rate).collect()
}

/// Distances in memory from one row to the next, and from one column to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strides {
    /// From one row to the next.
    pub row: usize,
    /// From one column to the next.
    pub column: usize,
}

impl Shape {
    /// Multiplications and additions.
    #[must_use]
    pub fn operations(self) -> usize {
        2 * self.m * self.n * self.k
    }

    /// Operations for each byte of A, B and C: what must come from memory where no cache has it.
    #[must_use]
    pub fn operations_per_byte(self) -> f64 {
        let Self { m, n, k, .. } = self;
        self.operations() as f64 / (size_of::<f32>() * (m * k + k * n + m * n)) as f64
    }

    /// The rates of products that took so many `seconds` each, in GFLOP/s.
    fn rates(self, seconds: &[f64]) -> Vec<f64> {
        seconds.iter().map(|seconds| self.operations() as f64 / seconds / 1e9).collect()
    }

    /// How A (m × k) and B (k × n) stand in memory, without gaps.
    #[must_use]
    pub fn strides(self) -> [Strides; 2] {
        let by_rows = |columns| Strides { row: columns, column: 1 };
        let by_columns = |rows| Strides { row: 1, column: rows };
        match self.operands {
            Operands::Plain => [by_rows(self.k), by_rows(self.n)],
            Operands::LeftTransposed => [by_columns(self.m), by_rows(self.n)],
            Operands::RightTransposed => [by_rows(self.k), by_columns(self.k)],
        }
    }
}

/// The operands of a product, and its result.
#[derive(Clone, Debug)]
pub struct Product {
    /// Its shape.
    pub shape: Shape,
    /// A, m · k numbers.
    pub a: Vec<f32>,
    /// B, k · n numbers.
    pub b: Vec<f32>,
    /// C, m × n, row by row.
    pub c: Vec<f32>,
}

impl Product {
    /// With operands between -0.5 and 0.5.
    #[must_use]
    pub fn random(shape: Shape) -> Self {
        let mut rng = Rng::stream(0, Stream::Initialise, 0);
        let mut random = |count: usize| (0..count).map(|_| rng.unit() - 0.5).collect();
        let Shape { m, n, k, .. } = shape;
        Self { shape, a: random(m * k), b: random(k * n), c: vec![0.0; m * n] }
    }

    /// C = A · B by the engine.
    pub fn by_engine(&mut self, gemm: &mut Gemm) {
        let (a, b, mut c) = self.matrices();
        gemm.multiply(a, b, Start::Zero, &mut c);
    }

    /// C = A · B by the crate `matrixmultiply`.
    pub fn by_matrixmultiply(&mut self) {
        let (a, b, mut c) = self.matrices();
        sgemm(a, b, &mut c);
    }

    /// A, B and C as the product has them: m × k, k × n and m × n.
    fn matrices(&mut self) -> (MatrixRef<'_>, MatrixRef<'_>, MatrixMut<'_>) {
        let Self { shape: Shape { m, n, k, operands }, a, b, c } = self;
        let (m, n, k) = (*m, *n, *k);
        let a = match operands {
            Operands::LeftTransposed => MatrixRef::new(a, k, m, m).transposed(),
            _ => MatrixRef::new(a, m, k, k),
        };
        let b = match operands {
            Operands::RightTransposed => MatrixRef::new(b, n, k, k).transposed(),
            _ => MatrixRef::new(b, k, n, n),
        };
        (a, b, MatrixMut::new(c, m, n, n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_contestants_compute_the_same_product() {
        for operands in [Operands::Plain, Operands::LeftTransposed, Operands::RightTransposed] {
            let mut ours = Product::random(Shape { m: 5, n: 19, k: 33, operands });
            let mut theirs = ours.clone();
            for isa in Isa::available() {
                ours.c.fill(f32::NAN);
                ours.by_engine(&mut Gemm::new(isa));
                theirs.by_matrixmultiply();
                // What was not computed is NaN still, which is near to nothing.
                let agrees = ours.c.iter().zip(&theirs.c).all(|(x, y)| (x - y).abs() <= 1e-5);
                assert!(agrees, "{operands:?} on {isa:?}");
            }
        }
    }
}
