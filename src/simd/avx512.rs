//! The vector as one AVX-512 register.

use std::arch::x86_64::*;

use super::{F32x16, Kernel, LANES, Lanes, Simd};

/// Proof that this CPU has AVX-512F: only detection makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// The token, where the CPU and the system support AVX-512F.
    #[must_use]
    pub(crate) fn new() -> Option<Self> {
        std::arch::is_x86_feature_detected!("avx512f").then_some(Self(()))
    }
}

/// Calls intrinsics.
macro_rules! avx512 {
    ($call:expr) => {
        // SAFETY: the token `self` proves that the CPU has AVX-512F, and with it AVX2 and FMA, all that
        // these intrinsics need. Pointers, where there are any, come from references to as many numbers as are
        // used (aligned, where the instruction asks for that), or from slices, which the mask does
        // not reach beyond.
        unsafe { $call }
    };
}

/// The mask of the first `count` lanes; of all where there are more.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    ((1_u32 << count.min(LANES)) - 1) as __mmask16
}

impl Lanes for Avx512 {
    type F32 = __m512;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        avx512!(_mm512_set1_ps(x))
    }
    #[inline(always)]
    fn load(self, vector: &F32x16) -> __m512 {
        avx512!(_mm512_load_ps(vector.0.as_ptr()))
    }
    #[inline(always)]
    fn store(self, a: __m512, vector: &mut F32x16) {
        avx512!(_mm512_store_ps(vector.0.as_mut_ptr(), a))
    }
    #[inline(always)]
    fn load_unaligned(self, x: &[f32; 16]) -> __m512 {
        avx512!(_mm512_loadu_ps(x.as_ptr()))
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_mul_ps(a, b))
    }
    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        avx512!(_mm512_fmadd_ps(a, b, c))
    }
}

impl Simd for Avx512 {
    type I32 = __m512i;
    type Mask = __mmask16;
    type Register = Self;
    type Four = __m128;

    const REGISTERS: usize = 32;
    const REGISTERS_PER_VECTOR: usize = 1;
    const MEMORY_OPERANDS: bool = true;

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f")]
        fn enabled<K: Kernel>(token: Avx512, kernel: K) -> K::Output {
            kernel.run(token)
        }
        avx512!(enabled(self, kernel))
    }
    #[inline(always)]
    fn register(self, _index: usize) -> Self {
        self
    }
    #[inline(always)]
    fn store_unaligned(self, a: __m512, x: &mut [f32; 16]) {
        avx512!(_mm512_storeu_ps(x.as_mut_ptr(), a))
    }
    #[inline(always)]
    fn load_four(self, x: &[f32; 4]) -> __m128 {
        avx512!(_mm_loadu_ps(x.as_ptr()))
    }
    #[inline(always)]
    fn store_four(self, a: __m128, x: &mut [f32; 4]) {
        avx512!(_mm_storeu_ps(x.as_mut_ptr(), a))
    }
    #[inline(always)]
    fn first_four(self, a: __m512) -> __m128 {
        avx512!(_mm512_castps512_ps128(a))
    }
    #[inline(always)]
    fn mul_add_four(self, a: __m128, b: __m128, c: __m128) -> __m128 {
        avx512!(_mm_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn repeat_four(self, a: __m128) -> __m512 {
        avx512!(_mm512_broadcast_f32x4(a))
    }
    #[inline(always)]
    fn load_bytes(self, x: &[u8; 64]) -> __m512i {
        avx512!(_mm512_loadu_si512(x.as_ptr().cast()))
    }
    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> __m512 {
        avx512!(_mm512_maskz_loadu_ps(first(x.len()), x.as_ptr()))
    }
    #[inline(always)]
    fn store_partial(self, a: __m512, x: &mut [f32]) {
        avx512!(_mm512_mask_storeu_ps(x.as_mut_ptr(), first(x.len()), a))
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_div_ps(a, b))
    }
    #[inline(always)]
    fn sqrt(self, a: __m512) -> __m512 {
        avx512!(_mm512_sqrt_ps(a))
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_max_ps(a, b))
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_min_ps(a, b))
    }
    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        avx512!(_mm512_abs_ps(a))
    }
    #[inline(always)]
    fn lt(self, a: __m512, b: __m512) -> __mmask16 {
        avx512!(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b))
    }
    #[inline(always)]
    fn eq(self, a: __m512, b: __m512) -> __mmask16 {
        avx512!(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b))
    }
    #[inline(always)]
    fn not_lt(self, a: __m512, b: __m512) -> __mmask16 {
        avx512!(_mm512_cmp_ps_mask::<_CMP_NLT_UQ>(a, b))
    }
    #[inline(always)]
    fn any(self, mask: __mmask16) -> bool {
        mask != 0
    }
    #[inline(always)]
    fn keep(self, mask: __mmask16, a: __m512) -> __m512 {
        avx512!(_mm512_maskz_mov_ps(mask, a))
    }
    #[inline(always)]
    fn select(self, mask: __mmask16, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_mask_blend_ps(mask, b, a))
    }
    #[inline(always)]
    fn bits_of(self, a: __m512) -> __m512i {
        avx512!(_mm512_castps_si512(a))
    }
    #[inline(always)]
    fn with_bits(self, a: __m512i) -> __m512 {
        avx512!(_mm512_castsi512_ps(a))
    }
    #[inline(always)]
    fn splat_i32(self, x: i32) -> __m512i {
        avx512!(_mm512_set1_epi32(x))
    }
    #[inline(always)]
    fn lanes_with(self, a: __m512i, bits: i32) -> u32 {
        u32::from(avx512!(_mm512_test_epi32_mask(a, _mm512_set1_epi32(bits))))
    }
    #[inline(always)]
    fn add_i32(self, a: __m512i, b: __m512i) -> __m512i {
        avx512!(_mm512_add_epi32(a, b))
    }
    #[inline(always)]
    fn sub_i32(self, a: __m512i, b: __m512i) -> __m512i {
        avx512!(_mm512_sub_epi32(a, b))
    }
    #[inline(always)]
    fn shl_i32<const N: u32>(self, a: __m512i) -> __m512i {
        avx512!(_mm512_slli_epi32::<N>(a))
    }
    #[inline(always)]
    fn shr_i32<const N: u32>(self, a: __m512i) -> __m512i {
        avx512!(_mm512_srai_epi32::<N>(a))
    }
    #[inline(always)]
    fn interleave(self, a: __m512, b: __m512) -> (__m512, __m512) {
        // Index 16 and above are the lanes of b.
        avx512!({
            let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
            (_mm512_permutex2var_ps(a, low, b), _mm512_permutex2var_ps(a, high, b))
        })
    }
    #[inline(always)]
    fn numbers(self, a: __m512i) -> __m512 {
        avx512!(_mm512_cvtepi32_ps(a))
    }
}
