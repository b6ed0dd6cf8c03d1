//! The vector as four NEON registers, with fused multiply-add.

use std::arch::aarch64::*;

use super::{F32x16, Kernel, Lanes, Simd};

/// Proof that this CPU has NEON, which has fused multiply-add on 64-bit ARM: only detection makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon(());

impl Neon {
    /// The token, where the CPU supports NEON.
    #[must_use]
    pub(crate) fn new() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }
}

/// Four registers: lanes 0 to 3, 4 to 7, 8 to 11 and 12 to 15.
type Quad<T> = [T; 4];

/// Calls intrinsics, once for each quarter.
macro_rules! neon {
    ($quarter:ident => $call:expr) => {
        [neon!(@ 0, $quarter => $call), neon!(@ 1, $quarter => $call),
         neon!(@ 2, $quarter => $call), neon!(@ 3, $quarter => $call)]
    };
    (@ $index:literal, $quarter:ident => $call:expr) => {{
        #[allow(dead_code, reason = "splats are the same in all quarters")]
        const $quarter: usize = $index;
        neon!($call)
    }};
    ($call:expr) => {
        // SAFETY: the token `self` proves that the CPU has NEON, all that these intrinsics need.
        // Pointers, where there are any, come from references to 16 `f32` or 64 bytes, of which a
        // quarter is used, or to as many `f32` as are used; no alignment is asked for.
        unsafe { $call }
    };
}

impl Lanes for Neon {
    type F32 = Quad<float32x4_t>;

    #[inline(always)]
    fn splat(self, x: f32) -> Quad<float32x4_t> {
        neon!(Q => vdupq_n_f32(x))
    }
    #[inline(always)]
    fn load(self, vector: &F32x16) -> Quad<float32x4_t> {
        self.load_unaligned(&vector.0)
    }
    #[inline(always)]
    fn store(self, a: Quad<float32x4_t>, vector: &mut F32x16) {
        self.store_unaligned(a, &mut vector.0);
    }
    #[inline(always)]
    fn load_unaligned(self, x: &[f32; 16]) -> Quad<float32x4_t> {
        neon!(Q => vld1q_f32(x.as_ptr().add(4 * Q)))
    }
    #[inline(always)]
    fn add(self, a: Quad<float32x4_t>, b: Quad<float32x4_t>) -> Quad<float32x4_t> {
        neon!(Q => vaddq_f32(a[Q], b[Q]))
    }
    #[inline(always)]
    fn sub(self, a: Quad<float32x4_t>, b: Quad<float32x4_t>) -> Quad<float32x4_t> {
        neon!(Q => vsubq_f32(a[Q], b[Q]))
    }
    #[inline(always)]
    fn mul(self, a: Quad<float32x4_t>, b: Quad<float32x4_t>) -> Quad<float32x4_t> {
        neon!(Q => vmulq_f32(a[Q], b[Q]))
    }
    #[inline(always)]
    fn mul_add(
        self,
        a: Quad<float32x4_t>,
        b: Quad<float32x4_t>,
        c: Quad<float32x4_t>,
    ) -> Quad<float32x4_t> {
        neon!(Q => vfmaq_f32(c[Q], a[Q], b[Q]))
    }
}

impl Neon {
    /// The transposed 4 × 4 matrix.
    #[inline(always)]
    fn transpose_four(self, rows: Quad<float32x4_t>) -> Quad<float32x4_t> {
        neon!({
            // Numbers of two rows in turn, pairs of columns apart; then pairs of pairs.
            let even = vreinterpretq_f64_f32(vtrn1q_f32(rows[0], rows[1]));
            let odd = vreinterpretq_f64_f32(vtrn2q_f32(rows[0], rows[1]));
            let next_even = vreinterpretq_f64_f32(vtrn1q_f32(rows[2], rows[3]));
            let next_odd = vreinterpretq_f64_f32(vtrn2q_f32(rows[2], rows[3]));
            [
                vreinterpretq_f32_f64(vtrn1q_f64(even, next_even)),
                vreinterpretq_f32_f64(vtrn1q_f64(odd, next_odd)),
                vreinterpretq_f32_f64(vtrn2q_f64(even, next_even)),
                vreinterpretq_f32_f64(vtrn2q_f64(odd, next_odd)),
            ]
        })
    }
}

/// The lanes of one of the four registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quarter {
    /// Proof that the CPU has the instructions.
    _token: Neon,
    index: usize,
}

impl Lanes for Quarter {
    type F32 = float32x4_t;

    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        // SAFETY: the token proves that the CPU has NEON.
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    fn load(self, vector: &F32x16) -> float32x4_t {
        self.load_unaligned(&vector.0)
    }
    #[inline(always)]
    fn store(self, a: float32x4_t, vector: &mut F32x16) {
        let (quarters, _) = vector.0.as_chunks_mut::<4>();
        // SAFETY: as for `load`.
        unsafe { vst1q_f32(quarters[self.index].as_mut_ptr(), a) }
    }
    #[inline(always)]
    fn load_unaligned(self, x: &[f32; 16]) -> float32x4_t {
        let (quarters, _) = x.as_chunks::<4>();
        // SAFETY: the token proves that the CPU has NEON, and a quarter is four `f32`.
        unsafe { vld1q_f32(quarters[self.index].as_ptr()) }
    }
    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has NEON.
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has NEON.
        unsafe { vsubq_f32(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has NEON.
        unsafe { vmulq_f32(a, b) }
    }
    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: the token proves that the CPU has NEON.
        unsafe { vfmaq_f32(c, a, b) }
    }
}

impl Simd for Neon {
    type I32 = Quad<int32x4_t>;
    type Mask = Quad<uint32x4_t>;
    type Register = Quarter;
    type Four = float32x4_t;

    const REGISTERS: usize = 32;
    const REGISTERS_PER_VECTOR: usize = 4;
    const MEMORY_OPERANDS: bool = false;

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "neon")]
        fn enabled<K: Kernel>(token: Neon, kernel: K) -> K::Output {
            kernel.run(token)
        }
        neon!(enabled(self, kernel))
    }
    #[inline(always)]
    fn register(self, index: usize) -> Quarter {
        Quarter { _token: self, index }
    }
    #[inline(always)]
    fn store_unaligned(self, a: Quad<float32x4_t>, x: &mut [f32; 16]) {
        neon!(Q => vst1q_f32(x.as_mut_ptr().add(4 * Q), a[Q]));
    }
    #[inline(always)]
    fn load_four(self, x: &[f32; 4]) -> float32x4_t {
        neon!(vld1q_f32(x.as_ptr()))
    }
    #[inline(always)]
    fn store_four(self, a: float32x4_t, x: &mut [f32; 4]) {
        neon!(vst1q_f32(x.as_mut_ptr(), a));
    }
    #[inline(always)]
    fn first_four(self, [a, ..]: Quad<float32x4_t>) -> float32x4_t {
        a
    }
    #[inline(always)]
    fn mul_add_four(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        neon!(vfmaq_f32(c, a, b))
    }
    #[inline(always)]
    fn repeat_four(self, a: float32x4_t) -> Quad<float32x4_t> {
        [a; 4]
    }
    #[inline(always)]
    fn load_bytes(self, x: &[u8; 64]) -> Quad<int32x4_t> {
        neon!(Q => vreinterpretq_s32_u8(vld1q_u8(x.as_ptr().add(16 * Q))))
    }
    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> Quad<float32x4_t> {
        let mut lanes = [0.0; 16];
        lanes.iter_mut().zip(x).for_each(|(lane, &x)| *lane = x);
        self.load_unaligned(&lanes)
    }
    #[inline(always)]
    fn store_partial(self, a: Quad<float32x4_t>, x: &mut [f32]) {
        // By way of memory: whether each quarter is whole would be as many questions, and what asks
        // so much is no longer unrolled, which keeps the sums of a tile out of the registers.
        let mut lanes = [0.0; 16];
        self.store_unaligned(a, &mut lanes);
        x.iter_mut().zip(lanes).for_each(|(x, lane)| *x = lane);
    }
    #[inline(always)]
    fn div(self, a: Quad<float32x4_t>, b: Quad<float32x4_t>) -> Quad<float32x4_t> {
        neon!(Q => vdivq_f32(a[Q], b[Q]))
    }
    #[inline(always)]
    fn sqrt(self, a: Quad<float32x4_t>) -> Quad<float32x4_t> {
        neon!(Q => vsqrtq_f32(a[Q]))
    }
    /// By comparison, as ARM's own maximum is NaN where either is, and orders zeros by their sign.
    #[inline(always)]
    fn max(self, a: Quad<float32x4_t>, b: Quad<float32x4_t>) -> Quad<float32x4_t> {
        self.select(self.lt(b, a), a, b)
    }
    /// By comparison, as for the maximum.
    #[inline(always)]
    fn min(self, a: Quad<float32x4_t>, b: Quad<float32x4_t>) -> Quad<float32x4_t> {
        self.select(self.lt(a, b), a, b)
    }
    #[inline(always)]
    fn abs(self, a: Quad<float32x4_t>) -> Quad<float32x4_t> {
        neon!(Q => vabsq_f32(a[Q]))
    }
    #[inline(always)]
    fn lt(self, a: Quad<float32x4_t>, b: Quad<float32x4_t>) -> Quad<uint32x4_t> {
        neon!(Q => vcltq_f32(a[Q], b[Q]))
    }
    #[inline(always)]
    fn eq(self, a: Quad<float32x4_t>, b: Quad<float32x4_t>) -> Quad<uint32x4_t> {
        neon!(Q => vceqq_f32(a[Q], b[Q]))
    }
    #[inline(always)]
    fn not_lt(self, a: Quad<float32x4_t>, b: Quad<float32x4_t>) -> Quad<uint32x4_t> {
        neon!(Q => vmvnq_u32(vcltq_f32(a[Q], b[Q])))
    }
    #[inline(always)]
    fn any(self, [m0, m1, m2, m3]: Quad<uint32x4_t>) -> bool {
        neon!(vmaxvq_u32(vorrq_u32(vorrq_u32(m0, m1), vorrq_u32(m2, m3)))) != 0
    }
    #[inline(always)]
    fn keep(self, mask: Quad<uint32x4_t>, a: Quad<float32x4_t>) -> Quad<float32x4_t> {
        neon!(Q => vreinterpretq_f32_u32(vandq_u32(mask[Q], vreinterpretq_u32_f32(a[Q]))))
    }
    #[inline(always)]
    fn select(
        self,
        mask: Quad<uint32x4_t>,
        a: Quad<float32x4_t>,
        b: Quad<float32x4_t>,
    ) -> Quad<float32x4_t> {
        neon!(Q => vbslq_f32(mask[Q], a[Q], b[Q]))
    }
    #[inline(always)]
    fn bits_of(self, a: Quad<float32x4_t>) -> Quad<int32x4_t> {
        neon!(Q => vreinterpretq_s32_f32(a[Q]))
    }
    #[inline(always)]
    fn with_bits(self, a: Quad<int32x4_t>) -> Quad<float32x4_t> {
        neon!(Q => vreinterpretq_f32_s32(a[Q]))
    }
    #[inline(always)]
    fn splat_i32(self, x: i32) -> Quad<int32x4_t> {
        neon!(Q => vdupq_n_s32(x))
    }
    #[inline(always)]
    fn lanes_with(self, a: Quad<int32x4_t>, bits: i32) -> u32 {
        const ONE_A_LANE: [u32; 16] = {
            let mut bits = [1; 16];
            let mut lane = 0;
            while lane < 16 {
                bits[lane] <<= lane;
                lane += 1;
            }
            bits
        };
        let [b0, b1, b2, b3] = neon!(Q => {
            let found = vtstq_s32(a[Q], vdupq_n_s32(bits));
            vandq_u32(found, vld1q_u32(ONE_A_LANE.as_ptr().add(4 * Q)))
        });
        neon!(vaddvq_u32(vorrq_u32(vorrq_u32(b0, b1), vorrq_u32(b2, b3))))
    }
    #[inline(always)]
    fn add_i32(self, a: Quad<int32x4_t>, b: Quad<int32x4_t>) -> Quad<int32x4_t> {
        neon!(Q => vaddq_s32(a[Q], b[Q]))
    }
    #[inline(always)]
    fn sub_i32(self, a: Quad<int32x4_t>, b: Quad<int32x4_t>) -> Quad<int32x4_t> {
        neon!(Q => vsubq_s32(a[Q], b[Q]))
    }
    #[inline(always)]
    fn shl_i32<const N: u32>(self, a: Quad<int32x4_t>) -> Quad<int32x4_t> {
        neon!(Q => vshlq_s32(a[Q], vdupq_n_s32(N as i32)))
    }
    #[inline(always)]
    fn shr_i32<const N: u32>(self, a: Quad<int32x4_t>) -> Quad<int32x4_t> {
        // To the left by less than nothing is to the right.
        neon!(Q => vshlq_s32(a[Q], vdupq_n_s32(-(N as i32))))
    }
    #[inline(always)]
    fn interleave(self, a: Self::F32, b: Self::F32) -> (Self::F32, Self::F32) {
        let pairs = neon!(Q => [vzip1q_f32(a[Q], b[Q]), vzip2q_f32(a[Q], b[Q])]);
        let [[a0, a1], [a2, a3], [b0, b1], [b2, b3]] = pairs;
        ([a0, a1, a2, a3], [b0, b1, b2, b3])
    }
    #[inline(always)]
    fn numbers(self, a: Quad<int32x4_t>) -> Quad<float32x4_t> {
        neon!(Q => vcvtq_f32_s32(a[Q]))
    }
    /// As 16 blocks of 4 × 4, in half of the shuffles that interleaving takes.
    #[inline(always)]
    fn transpose(self, rows: [Quad<float32x4_t>; 16]) -> [Quad<float32x4_t>; 16] {
        let mut columns = rows;
        for (upper, rows) in rows.as_chunks::<4>().0.iter().enumerate() {
            for (left, columns) in columns.chunks_exact_mut(4).enumerate() {
                let block = self.transpose_four(rows.map(|row| row[left]));
                for (column, quad) in block.into_iter().zip(columns) {
                    quad[upper] = column;
                }
            }
        }
        columns
    }
}
