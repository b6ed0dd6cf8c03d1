//! The vector as two AVX2 registers, with fused multiply-add.

use std::arch::x86_64::*;

use super::{F32x16, Kernel, Lanes, Simd};

/// Proof that this CPU has AVX2 and FMA: only detection makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The token, where the CPU and the system support AVX2 and FMA.
    #[must_use]
    pub(crate) fn new() -> Option<Self> {
        let there = std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("fma");
        there.then_some(Self(()))
    }
}

/// Two registers: lanes 0 to 7 and lanes 8 to 15.
type Pair<T> = [T; 2];

/// Calls intrinsics, once for each half.
macro_rules! avx2 {
    ($half:ident => $call:expr) => {
        // SAFETY: the token `self` proves that the CPU has AVX2 and FMA, all that these
        // intrinsics need. Pointers, where there are any, come from references: to 16 `f32` or 64
        // bytes, of which half 0 or 1 is used, or to as many as are used (aligned, where the instruction
        // asks for that); or from slices, which the masks do not reach beyond.
        unsafe {
            [
                {
                    #[allow(dead_code, reason = "splats are the same in both halves")]
                    const $half: usize = 0;
                    $call
                },
                {
                    #[allow(dead_code, reason = "splats are the same in both halves")]
                    const $half: usize = 1;
                    $call
                },
            ]
        }
    };
}

/// The masks of the first `count` lanes, half by half; of all where there are more.
#[inline(always)]
fn first(count: usize) -> Pair<&'static [i32; 8]> {
    const ONES_THEN_ZEROS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    let half = |count: usize| {
        let start = 8 - count.min(8);
        ONES_THEN_ZEROS[start..].first_chunk().unwrap_or(&[0; 8])
    };
    [half(count), half(count.saturating_sub(8))]
}

impl Lanes for Avx2 {
    type F32 = Pair<__m256>;

    #[inline(always)]
    fn splat(self, x: f32) -> Pair<__m256> {
        avx2!(H => _mm256_set1_ps(x))
    }
    #[inline(always)]
    fn load(self, vector: &F32x16) -> Pair<__m256> {
        avx2!(H => _mm256_load_ps(vector.0.as_ptr().add(8 * H)))
    }
    #[inline(always)]
    fn store(self, a: Pair<__m256>, vector: &mut F32x16) {
        avx2!(H => _mm256_store_ps(vector.0.as_mut_ptr().add(8 * H), a[H]));
    }
    #[inline(always)]
    fn load_unaligned(self, x: &[f32; 16]) -> Pair<__m256> {
        avx2!(H => _mm256_loadu_ps(x.as_ptr().add(8 * H)))
    }
    #[inline(always)]
    fn add(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_add_ps(a[H], b[H]))
    }
    #[inline(always)]
    fn sub(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_sub_ps(a[H], b[H]))
    }
    #[inline(always)]
    fn mul(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_mul_ps(a[H], b[H]))
    }
    #[inline(always)]
    fn mul_add(self, a: Pair<__m256>, b: Pair<__m256>, c: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_fmadd_ps(a[H], b[H], c[H]))
    }
}

impl Avx2 {
    /// The transposed 8 × 8 matrix.
    #[inline(always)]
    fn transpose_eight(self, rows: [__m256; 8]) -> [__m256; 8] {
        // SAFETY: the token `self` proves that the CPU has AVX.
        unsafe {
            // Of each four rows, within each half: numbers of two rows side by side, then of four.
            let mut fours = rows;
            for (fours, rows) in fours.chunks_exact_mut(4).zip(rows.chunks_exact(4)) {
                let low = _mm256_unpacklo_ps(rows[0], rows[1]);
                let high = _mm256_unpackhi_ps(rows[0], rows[1]);
                let next_low = _mm256_unpacklo_ps(rows[2], rows[3]);
                let next_high = _mm256_unpackhi_ps(rows[2], rows[3]);
                fours[0] = _mm256_shuffle_ps::<0x44>(low, next_low);
                fours[1] = _mm256_shuffle_ps::<0xEE>(low, next_low);
                fours[2] = _mm256_shuffle_ps::<0x44>(high, next_high);
                fours[3] = _mm256_shuffle_ps::<0xEE>(high, next_high);
            }
            let mut columns = rows;
            for i in 0..4 {
                columns[i] = _mm256_permute2f128_ps::<0x20>(fours[i], fours[i + 4]);
                columns[i + 4] = _mm256_permute2f128_ps::<0x31>(fours[i], fours[i + 4]);
            }
            columns
        }
    }
}

/// The lanes of one of the two registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Half {
    /// Proof that the CPU has the instructions.
    _token: Avx2,
    is_upper: bool,
}

impl Lanes for Half {
    type F32 = __m256;

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: the token proves that the CPU has AVX.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    fn load(self, vector: &F32x16) -> __m256 {
        // SAFETY: the token proves that the CPU has AVX; the half lies within the vector, as far
        // from its aligned start as a register is wide.
        unsafe { _mm256_load_ps(vector.0.as_ptr().add(8 * usize::from(self.is_upper))) }
    }
    #[inline(always)]
    fn store(self, a: __m256, vector: &mut F32x16) {
        // SAFETY: as for `load`.
        unsafe { _mm256_store_ps(vector.0.as_mut_ptr().add(8 * usize::from(self.is_upper)), a) }
    }
    #[inline(always)]
    fn load_unaligned(self, x: &[f32; 16]) -> __m256 {
        // SAFETY: the token proves that the CPU has AVX, and either half lies within the numbers.
        unsafe { _mm256_loadu_ps(x.as_ptr().add(8 * usize::from(self.is_upper))) }
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has AVX.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has AVX.
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has AVX.
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: the token proves that the CPU has FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
}

impl Simd for Avx2 {
    type I32 = Pair<__m256i>;
    type Mask = Pair<__m256>;
    type Register = Half;
    type Four = __m128;

    const REGISTERS: usize = 16;
    const REGISTERS_PER_VECTOR: usize = 2;
    const MEMORY_OPERANDS: bool = true;

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn enabled<K: Kernel>(token: Avx2, kernel: K) -> K::Output {
            kernel.run(token)
        }
        // SAFETY: the token `self` proves that the CPU has AVX2 and FMA.
        unsafe { enabled(self, kernel) }
    }
    #[inline(always)]
    fn register(self, index: usize) -> Half {
        Half { _token: self, is_upper: index > 0 }
    }
    #[inline(always)]
    fn store_unaligned(self, a: Pair<__m256>, x: &mut [f32; 16]) {
        avx2!(H => _mm256_storeu_ps(x.as_mut_ptr().add(8 * H), a[H]));
    }
    #[inline(always)]
    fn load_four(self, x: &[f32; 4]) -> __m128 {
        // SAFETY: the token `self` proves that the CPU has AVX2, and `x` is four `f32`.
        unsafe { _mm_loadu_ps(x.as_ptr()) }
    }
    #[inline(always)]
    fn store_four(self, a: __m128, x: &mut [f32; 4]) {
        // SAFETY: the token `self` proves that the CPU has AVX2, and `x` is four `f32`.
        unsafe { _mm_storeu_ps(x.as_mut_ptr(), a) }
    }
    #[inline(always)]
    fn first_four(self, a: Pair<__m256>) -> __m128 {
        // SAFETY: the token `self` proves that the CPU has AVX2.
        unsafe { _mm256_castps256_ps128(a[0]) }
    }
    #[inline(always)]
    fn mul_add_four(self, a: __m128, b: __m128, c: __m128) -> __m128 {
        // SAFETY: the token `self` proves that the CPU has FMA.
        unsafe { _mm_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn repeat_four(self, a: __m128) -> Pair<__m256> {
        avx2!(H => _mm256_broadcast_ps(&a))
    }
    #[inline(always)]
    fn load_bytes(self, x: &[u8; 64]) -> Pair<__m256i> {
        avx2!(H => _mm256_loadu_si256(x.as_ptr().add(32 * H).cast()))
    }
    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> Pair<__m256> {
        let masks = first(x.len());
        // A half that lies beyond the slice is masked away as a whole, and `wrapping_add` may
        // point there.
        avx2!(H => _mm256_maskload_ps(x.as_ptr().wrapping_add(8 * H), _mm256_loadu_si256(masks[H].as_ptr().cast())))
    }
    /// Eight, four, two and one, as there are: a store by a mask is some twenty micro-operations on AMD's
    /// cores.
    #[inline(always)]
    fn store_partial(self, a: Pair<__m256>, x: &mut [f32]) {
        let count = x.len().min(16);
        let (eights, left) = x[..count].as_chunks_mut::<8>();
        let (fours, left) = left.as_chunks_mut::<4>();
        let (twos, left) = left.as_chunks_mut::<2>();
        let half = if eights.is_empty() { a[0] } else { a[1] };
        // SAFETY: the token `self` proves that the CPU has AVX, and each chunk has room for what is
        // written there.
        unsafe {
            for (eight, half) in eights.iter_mut().zip(a) {
                _mm256_storeu_ps(eight.as_mut_ptr(), half);
            }
            let mut quad = _mm256_castps256_ps128(half);
            if let [four, ..] = fours {
                _mm_storeu_ps(four.as_mut_ptr(), quad);
                quad = _mm256_extractf128_ps::<1>(half);
            }
            if let [two, ..] = twos {
                _mm_storel_epi64(two.as_mut_ptr().cast(), _mm_castps_si128(quad));
                quad = _mm_movehl_ps(quad, quad);
            }
            if let [one, ..] = left {
                _mm_store_ss(one, quad);
            }
        }
    }
    #[inline(always)]
    fn div(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_div_ps(a[H], b[H]))
    }
    #[inline(always)]
    fn sqrt(self, a: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_sqrt_ps(a[H]))
    }
    #[inline(always)]
    fn max(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_max_ps(a[H], b[H]))
    }
    #[inline(always)]
    fn min(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_min_ps(a[H], b[H]))
    }
    #[inline(always)]
    fn abs(self, a: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_andnot_ps(_mm256_set1_ps(-0.0), a[H]))
    }
    #[inline(always)]
    fn lt(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_cmp_ps::<_CMP_LT_OQ>(a[H], b[H]))
    }
    #[inline(always)]
    fn eq(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_cmp_ps::<_CMP_EQ_OQ>(a[H], b[H]))
    }
    #[inline(always)]
    fn not_lt(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_cmp_ps::<_CMP_NLT_UQ>(a[H], b[H]))
    }
    #[inline(always)]
    fn any(self, mask: Pair<__m256>) -> bool {
        avx2!(H => _mm256_movemask_ps(mask[H])) != [0, 0]
    }
    #[inline(always)]
    fn keep(self, mask: Pair<__m256>, a: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_and_ps(mask[H], a[H]))
    }
    #[inline(always)]
    fn select(self, mask: Pair<__m256>, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        avx2!(H => _mm256_blendv_ps(b[H], a[H], mask[H]))
    }
    #[inline(always)]
    fn bits_of(self, a: Pair<__m256>) -> Pair<__m256i> {
        avx2!(H => _mm256_castps_si256(a[H]))
    }
    #[inline(always)]
    fn with_bits(self, a: Pair<__m256i>) -> Pair<__m256> {
        avx2!(H => _mm256_castsi256_ps(a[H]))
    }
    #[inline(always)]
    fn splat_i32(self, x: i32) -> Pair<__m256i> {
        avx2!(H => _mm256_set1_epi32(x))
    }
    #[inline(always)]
    fn lanes_with(self, a: Pair<__m256i>, bits: i32) -> u32 {
        let [low, high] = avx2!(H => {
            let found = _mm256_and_si256(a[H], _mm256_set1_epi32(bits));
            let none = _mm256_cmpeq_epi32(found, _mm256_setzero_si256());
            !_mm256_movemask_ps(_mm256_castsi256_ps(none)) as u32 & 0xFF
        });
        low | high << 8
    }
    #[inline(always)]
    fn add_i32(self, a: Pair<__m256i>, b: Pair<__m256i>) -> Pair<__m256i> {
        avx2!(H => _mm256_add_epi32(a[H], b[H]))
    }
    #[inline(always)]
    fn sub_i32(self, a: Pair<__m256i>, b: Pair<__m256i>) -> Pair<__m256i> {
        avx2!(H => _mm256_sub_epi32(a[H], b[H]))
    }
    #[inline(always)]
    fn shl_i32<const N: u32>(self, a: Pair<__m256i>) -> Pair<__m256i> {
        avx2!(H => _mm256_sll_epi32(a[H], _mm_cvtsi32_si128(N as i32)))
    }
    #[inline(always)]
    fn shr_i32<const N: u32>(self, a: Pair<__m256i>) -> Pair<__m256i> {
        avx2!(H => _mm256_sra_epi32(a[H], _mm_cvtsi32_si128(N as i32)))
    }
    #[inline(always)]
    fn interleave(self, a: Self::F32, b: Self::F32) -> (Self::F32, Self::F32) {
        // Within quarters first, then the quarters in order: 16 lanes for each half of a and b.
        let [first, second] = avx2!(HALF => {
            let (low, high) = (
                _mm256_unpacklo_ps(a[HALF], b[HALF]),
                _mm256_unpackhi_ps(a[HALF], b[HALF]),
            );
            [
                _mm256_permute2f128_ps::<0x20>(low, high),
                _mm256_permute2f128_ps::<0x31>(low, high),
            ]
        });
        (first, second)
    }
    #[inline(always)]
    fn numbers(self, a: Pair<__m256i>) -> Pair<__m256> {
        avx2!(H => _mm256_cvtepi32_ps(a[H]))
    }
    /// As four blocks of 8 × 8, in a third of the shuffles that interleaving takes.
    #[inline(always)]
    fn transpose(self, rows: [Pair<__m256>; 16]) -> [Pair<__m256>; 16] {
        let mut columns = rows;
        for (upper, rows) in rows.chunks_exact(8).enumerate() {
            for (left, columns) in columns.chunks_exact_mut(8).enumerate() {
                let mut block = [rows[0][left]; 8];
                for (row, pair) in block.iter_mut().zip(rows) {
                    *row = pair[left];
                }
                for (column, pair) in self.transpose_eight(block).into_iter().zip(columns) {
                    pair[upper] = column;
                }
            }
        }
        columns
    }
    /// As four blocks of 8 × 8, each from quads of rows i and i + 4 side by side: in a quarter of the
    /// shuffles that interleaving takes.
    #[inline(always)]
    fn transpose_rows(self, rows: [&[f32; 16]; 16], columns: &mut [F32x16], stride: usize) {
        let count = columns.len().div_ceil(stride);
        let columns = columns.as_mut_ptr();
        // SAFETY: the token `self` proves that the CPU has AVX. Rows have 16 numbers, of which quads from
        // 0, 4, 8 and 12 are read. With `index < count`, the quotient rounded up, `index * stride` is less
        // than the vectors that there are; both halves of each are aligned as it is.
        unsafe {
            for (upper, rows) in rows.as_chunks::<8>().0.iter().enumerate() {
                for quad in 0..4 {
                    let read = |row: usize| _mm_loadu_ps(rows[row].as_ptr().add(4 * quad));
                    let pair = |row: usize| _mm256_set_m128(read(row + 4), read(row));
                    let pairs = [pair(0), pair(1), pair(2), pair(3)];
                    // Within each half: numbers of two rows side by side, then of four.
                    let low = _mm256_unpacklo_ps(pairs[0], pairs[1]);
                    let high = _mm256_unpackhi_ps(pairs[0], pairs[1]);
                    let next_low = _mm256_unpacklo_ps(pairs[2], pairs[3]);
                    let next_high = _mm256_unpackhi_ps(pairs[2], pairs[3]);
                    let transposed = [
                        _mm256_shuffle_ps::<0x44>(low, next_low),
                        _mm256_shuffle_ps::<0xEE>(low, next_low),
                        _mm256_shuffle_ps::<0x44>(high, next_high),
                        _mm256_shuffle_ps::<0xEE>(high, next_high),
                    ];
                    for (i, half) in transposed.into_iter().enumerate() {
                        let index = 4 * quad + i;
                        if index < count {
                            let column = columns.add(index * stride).cast::<f32>();
                            _mm256_store_ps(column.add(8 * upper), half);
                        }
                    }
                }
            }
        }
    }
}
