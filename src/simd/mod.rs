//! One small vector trait: what the engine asks of an instruction set.
//!
//! Algorithms are written once, generic over [`Simd`]; a value of an implementing type is a token
//! that proves that the instructions are there. [`Isa`] chooses among them when the program starts
//! and is the one place that instantiates the algorithms.

#![cfg_attr(
    target_arch = "x86_64",
    allow(unsafe_code, reason = "instructions that not every CPU has")
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod f32x16;
mod isa;
mod portable;
mod prefetch;
#[cfg(test)]
pub(crate) mod scalar;
#[cfg(test)]
pub(crate) mod testing;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use f32x16::{F32x16, LANES, as_numbers, as_numbers_mut, vectors_for, zeroed};
pub use isa::{ISA_NAMES, Isa, UnsupportedIsa};
pub use portable::Portable;
pub(crate) use prefetch::prefetch;

/// An algorithm that runs on any instruction set.
///
/// Its `run`, and what that calls, must be `#[inline(always)]`: only what is inlined where the
/// instruction set is enabled is compiled for it.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// Runs it on `simd`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// A vector of 16 `f32` lanes and the operations that the engine needs of it.
///
/// Everything is IEEE 754 to the bit: rounding to nearest, ties to even. The order of a
/// reduction is one fixed tree: halves are combined, 8 + 8, 4 + 4, 2 + 2, 1 + 1.
pub trait Simd: Copy + Send + Sync + 'static {
    /// Sixteen `f32`.
    type F32: Copy;
    /// Sixteen 32-bit integers.
    type I32: Copy;
    /// Sixteen truth values.
    type Mask: Copy;

    /// Rows of a matrix product's tile: with [`TILE_BLOCKS`](Self::TILE_BLOCKS), what keeps the
    /// multiply-adders busy and fits the registers.
    const TILE_ROWS: usize;
    /// Groups of sixteen columns of a matrix product's tile.
    const TILE_BLOCKS: usize;

    /// Runs `kernel` where the instruction set is enabled; what is inlined into it may use it.
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output;

    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::F32;
    /// Reads sixteen numbers.
    fn load(self, lanes: &F32x16) -> Self::F32;
    /// Writes sixteen numbers.
    fn store(self, a: Self::F32, lanes: &mut F32x16);

    /// Reads sixteen numbers that stand anywhere.
    fn load_unaligned(self, x: &[f32; LANES]) -> Self::F32;
    /// Writes sixteen numbers anywhere.
    fn store_unaligned(self, a: Self::F32, x: &mut [f32; LANES]);

    /// Reads four numbers, four times over: x₀ x₁ x₂ x₃ x₀ x₁ …
    fn load_four(self, x: &[f32; 4]) -> Self::F32;

    /// Reads the first numbers of a vector, at most sixteen; the other lanes are zero.
    fn load_partial(self, x: &[f32]) -> Self::F32;
    /// Writes the first lanes, as many as `x` holds, at most sixteen.
    fn store_partial(self, a: Self::F32, x: &mut [f32]);

    /// a + b
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a − b
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a · b
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a / b
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// √a
    fn sqrt(self, a: Self::F32) -> Self::F32;
    /// a · b + c, rounded once.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// The greater of a and b, b where either is NaN.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// The lesser of a and b, b where either is NaN.
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32;

    /// |a|
    fn abs(self, a: Self::F32) -> Self::F32;

    /// a < b, false where either is NaN.
    fn lt(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// a = b, false where either is NaN.
    fn eq(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// a ≥ b, and true where either is NaN.
    fn not_lt(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// Whether any lane is true.
    fn any(self, mask: Self::Mask) -> bool;
    /// `a` where `mask` is true, else zero.
    fn keep(self, mask: Self::Mask, a: Self::F32) -> Self::F32;
    /// `a` where `mask` is true, else `b`.
    fn select(self, mask: Self::Mask, a: Self::F32, b: Self::F32) -> Self::F32;

    /// The bits of a.
    fn bits_of(self, a: Self::F32) -> Self::I32;
    /// The numbers with bits a.
    fn with_bits(self, a: Self::I32) -> Self::F32;
    /// All lanes `x`.
    fn splat_i32(self, x: i32) -> Self::I32;
    /// a + b, wrapping.
    fn add_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// a − b, wrapping.
    fn sub_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// a · 2ⁿ, wrapping.
    fn shl_i32<const N: u32>(self, a: Self::I32) -> Self::I32;
    /// a / 2ⁿ, rounded down.
    fn shr_i32<const N: u32>(self, a: Self::I32) -> Self::I32;
    /// The lanes of a and b in turn: a₀ b₀ a₁ b₁ … a₇ b₇, and a₈ b₈ … a₁₅ b₁₅.
    fn interleave(self, a: Self::F32, b: Self::F32) -> (Self::F32, Self::F32);
    /// The numbers a.
    fn numbers(self, a: Self::I32) -> Self::F32;

    /// All lanes zero.
    #[inline(always)]
    fn zero(self) -> Self::F32 {
        self.splat(0.0)
    }

    /// The transposed square: lane j of row i becomes lane i of row j.
    ///
    /// Each round interleaves the upper rows with the lower ones, which turns the index of a number,
    /// 4 bits of row and 4 of lane, by one bit; after four rounds, row and lane have changed places.
    #[inline(always)]
    fn transpose(self, mut rows: [Self::F32; LANES]) -> [Self::F32; LANES] {
        for _ in 0..LANES.ilog2() {
            let (upper, lower) = rows.split_at(LANES / 2);
            let mut turned = rows;
            for ((a, b), pair) in upper.iter().zip(lower).zip(turned.chunks_exact_mut(2)) {
                (pair[0], pair[1]) = self.interleave(*a, *b);
            }
            rows = turned;
        }
        rows
    }

    /// The sum of the lanes, by the fixed tree.
    #[inline(always)]
    fn reduce_add(self, a: Self::F32) -> f32 {
        let mut lanes = F32x16::default();
        self.store(a, &mut lanes);
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                lanes.0[i] += lanes.0[i + half];
            }
            half /= 2;
        }
        lanes.0[0]
    }

    /// The sum of sixteen vectors, by the fixed tree.
    #[inline(always)]
    fn add_all(self, mut vectors: [Self::F32; LANES]) -> Self::F32 {
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                vectors[i] = self.add(vectors[i], vectors[i + half]);
            }
            half /= 2;
        }
        vectors[0]
    }

    /// Lane i is the sum of the lanes of vector i, by the fixed tree.
    #[inline(always)]
    fn reduce_add_each(self, rows: [Self::F32; LANES]) -> Self::F32 {
        self.add_all(self.transpose(rows))
    }
}
