//! One small vector trait: what the engine asks of an instruction set.
//!
//! Algorithms are written once, generic over `Simd`; a value of an implementing type is a token
//! that proves that the CPU has the instructions. [`Isa`] chooses among the tokens at run time and
//! is the one place where the algorithms are instantiated.

#![cfg_attr(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    allow(unsafe_code, reason = "instructions that not every CPU has")
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
mod f32x16;
mod isa;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod prefetch;
#[cfg(test)]
pub(crate) mod scalar;
#[cfg(test)]
pub(crate) mod testing;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use block::{collect_block, load_up_to_all, store_up_to_all, transpose_block};
pub(crate) use f32x16::{F32x16, LANES, as_numbers, as_numbers_mut, vectors_for, zeroed};
pub use isa::{ISA_NAMES, Isa, UnsupportedIsa};
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;
pub(crate) use portable::Portable;
pub(crate) use prefetch::prefetch;

/// An algorithm that runs on any instruction set.
///
/// Its `run`, and what that calls, must be `#[inline(always)]`: only what is inlined where the
/// instruction set is enabled is compiled for it.
pub(crate) trait Kernel {
    /// What it returns.
    type Output;
    /// Runs it on `simd`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Lanes of vectors, all 16 or those that one register holds, and what sums of products need of them.
pub(crate) trait Lanes: Copy {
    /// A number a lane.
    type F32: Copy;

    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::F32;
    /// Reads the lanes of `vector`, aligned.
    fn load(self, vector: &F32x16) -> Self::F32;
    /// Writes the lanes of `vector`, aligned.
    fn store(self, a: Self::F32, vector: &mut F32x16);
    /// Reads the lanes of 16 numbers at any address.
    fn load_unaligned(self, x: &[f32; LANES]) -> Self::F32;
    /// a + b
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a − b
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a · b
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// a · b + c, rounded once.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;

    /// All lanes zero.
    #[inline(always)]
    fn zero(self) -> Self::F32 {
        self.splat(0.0)
    }
}

/// A vector of 16 `f32` lanes and the operations that the engine needs of it. Private to the crate:
/// only the tokens of this module implement it.
///
/// Everything is IEEE 754 to the bit: rounding to nearest, ties to even. The order of a
/// reduction is one fixed tree: halves are combined, 8 + 8, 4 + 4, 2 + 2, 1 + 1.
pub(crate) trait Simd: Lanes + Send + Sync + 'static {
    /// 16 integers of 32 bits.
    type I32: Copy;
    /// 16 truth values.
    type Mask: Copy;
    /// The lanes of one register.
    type Register: Lanes;
    /// Four lanes, in a register no wider than they take.
    type Four: Copy;

    /// How many registers there are: what tiles of sums are sized by.
    const REGISTERS: usize;
    /// How many of them a vector takes.
    const REGISTERS_PER_VECTOR: usize;
    /// How many vectors they hold.
    const VECTORS: usize = Self::REGISTERS / Self::REGISTERS_PER_VECTOR;
    /// Whether an operation may read an operand from memory: what finds no register then costs little.
    const MEMORY_OPERANDS: bool;

    /// The lanes of register `index` of those that a vector takes.
    fn register(self, index: usize) -> Self::Register;

    /// Runs `kernel` where the instruction set is enabled; what is inlined into it may use it.
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output;

    /// Writes 16 numbers at any address.
    fn store_unaligned(self, a: Self::F32, x: &mut [f32; LANES]);

    /// Reads four numbers at any address.
    fn load_four(self, x: &[f32; 4]) -> Self::Four;
    /// Writes four numbers at any address.
    fn store_four(self, a: Self::Four, x: &mut [f32; 4]);
    /// The first four lanes.
    fn first_four(self, a: Self::F32) -> Self::Four;
    /// a · b + c, rounded as by [`mul_add`](Lanes::mul_add).
    fn mul_add_four(self, a: Self::Four, b: Self::Four, c: Self::Four) -> Self::Four;
    /// Four lanes, four times over: a₀ a₁ a₂ a₃ a₀ a₁ …
    fn repeat_four(self, a: Self::Four) -> Self::F32;
    /// Reads 64 bytes, four a lane, the first the lowest.
    fn load_bytes(self, x: &[u8; 64]) -> Self::I32;

    /// Reads the first lanes, as many as `x` holds, at most 16; the other lanes are zero.
    fn load_partial(self, x: &[f32]) -> Self::F32;
    /// Writes the first lanes, as many as `x` holds, at most 16.
    fn store_partial(self, a: Self::F32, x: &mut [f32]);

    /// a / b
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// √a
    fn sqrt(self, a: Self::F32) -> Self::F32;
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
    /// Bit i says whether lane i of a has any of `bits`.
    fn lanes_with(self, a: Self::I32, bits: i32) -> u32;
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

    /// The transposed 16 × 16 matrix: lane j of row i becomes lane i of row j.
    ///
    /// Each round interleaves the upper rows with the lower ones, which rotates the index of a
    /// number, 4 bits of row and 4 of lane, by one bit; after four rounds row and lane are swapped.
    #[inline(always)]
    fn transpose(self, mut rows: [Self::F32; LANES]) -> [Self::F32; LANES] {
        for _ in 0..LANES.ilog2() {
            let (upper, lower) = rows.split_at(LANES / 2);
            let mut interleaved = rows;
            for ((a, b), pair) in upper.iter().zip(lower).zip(interleaved.chunks_exact_mut(2)) {
                (pair[0], pair[1]) = self.interleave(*a, *b);
            }
            rows = interleaved;
        }
        rows
    }

    /// The same from memory to memory, as 16 vectors may be more than there are registers for: number j
    /// of row i becomes lane i of `columns`\[j · `stride`\], `stride` being counted in vectors. Columns
    /// that there are not are left out.
    ///
    /// # Panics
    /// When `stride` is 0.
    #[inline(always)]
    fn transpose_rows(self, rows: [&[f32; LANES]; LANES], columns: &mut [F32x16], stride: usize) {
        let mut block = [self.zero(); LANES];
        for (vector, row) in block.iter_mut().zip(rows) {
            *vector = self.load_unaligned(row);
        }
        let columns = columns.iter_mut().step_by(stride);
        for (numbers, column) in self.transpose(block).into_iter().zip(columns) {
            self.store(numbers, column);
        }
    }

    /// The sum of the lanes, by the fixed tree.
    #[inline(always)]
    fn reduce_add(self, a: Self::F32) -> f32 {
        let mut vector = F32x16::default();
        self.store(a, &mut vector);
        let lanes = &mut vector.0;
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                lanes[i] += lanes[i + half];
            }
            half /= 2;
        }
        lanes[0]
    }

    /// The sum of 16 vectors, by the fixed tree.
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
