//! The vector on any CPU, by the crate `wide`, with the instructions that the build enables.
//!
//! In a build for plain x86-64, which lacks fused multiply-add, `mul_add` rounds twice.

use wide::{f32x4, f32x16, i32x16};

use super::{F32x16, Kernel, LANES, Lanes, Simd};

/// Works on every CPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl Portable {
    /// Whether `mul_add` rounds once in this build.
    pub(crate) const IS_FUSED: bool =
        cfg!(any(all(target_arch = "x86_64", target_feature = "fma"), target_arch = "aarch64"));
}

impl Lanes for Portable {
    type F32 = f32x16;

    #[inline(always)]
    fn splat(self, x: f32) -> f32x16 {
        f32x16::splat(x)
    }
    #[inline(always)]
    fn load(self, vector: &F32x16) -> f32x16 {
        f32x16::new(vector.0)
    }
    #[inline(always)]
    fn store(self, a: f32x16, vector: &mut F32x16) {
        vector.0 = a.to_array();
    }
    #[inline(always)]
    fn load_unaligned(self, x: &[f32; 16]) -> f32x16 {
        f32x16::new(*x)
    }
    #[inline(always)]
    fn add(self, a: f32x16, b: f32x16) -> f32x16 {
        a + b
    }
    #[inline(always)]
    fn sub(self, a: f32x16, b: f32x16) -> f32x16 {
        a - b
    }
    #[inline(always)]
    fn mul(self, a: f32x16, b: f32x16) -> f32x16 {
        a * b
    }
    #[inline(always)]
    fn mul_add(self, a: f32x16, b: f32x16, c: f32x16) -> f32x16 {
        a.mul_add(b, c)
    }
}

/// The lanes of the register of this number of a vector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Register(usize);

// Registers as AVX has them, or SSE and NEON.
#[cfg(target_feature = "avx")]
type InRegister = wide::f32x8;
#[cfg(not(target_feature = "avx"))]
type InRegister = f32x4;

const REGISTER_LANES: usize = size_of::<InRegister>() / size_of::<f32>();

impl Lanes for Register {
    type F32 = InRegister;

    #[inline(always)]
    fn splat(self, x: f32) -> InRegister {
        InRegister::splat(x)
    }
    #[inline(always)]
    fn load(self, vector: &F32x16) -> InRegister {
        self.load_unaligned(&vector.0)
    }
    #[inline(always)]
    fn store(self, a: InRegister, vector: &mut F32x16) {
        let (registers, _) = vector.0.as_chunks_mut();
        registers[self.0] = a.to_array();
    }
    #[inline(always)]
    fn load_unaligned(self, x: &[f32; 16]) -> InRegister {
        let (registers, _) = x.as_chunks();
        InRegister::new(registers[self.0])
    }
    #[inline(always)]
    fn add(self, a: InRegister, b: InRegister) -> InRegister {
        a + b
    }
    #[inline(always)]
    fn sub(self, a: InRegister, b: InRegister) -> InRegister {
        a - b
    }
    #[inline(always)]
    fn mul(self, a: InRegister, b: InRegister) -> InRegister {
        a * b
    }
    #[inline(always)]
    fn mul_add(self, a: InRegister, b: InRegister, c: InRegister) -> InRegister {
        a.mul_add(b, c)
    }
}

impl Simd for Portable {
    type I32 = i32x16;
    type Mask = f32x16;
    type Register = Register;
    type Four = f32x4;

    const REGISTERS: usize = if cfg!(target_arch = "aarch64") { 32 } else { 16 };
    const REGISTERS_PER_VECTOR: usize = LANES / REGISTER_LANES;
    const MEMORY_OPERANDS: bool = cfg!(any(target_arch = "x86", target_arch = "x86_64"));

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
    #[inline(always)]
    fn register(self, index: usize) -> Register {
        Register(index)
    }
    #[inline(always)]
    fn store_unaligned(self, a: f32x16, x: &mut [f32; 16]) {
        *x = a.to_array();
    }
    #[inline(always)]
    fn load_four(self, x: &[f32; 4]) -> f32x4 {
        f32x4::new(*x)
    }
    #[inline(always)]
    fn store_four(self, a: f32x4, x: &mut [f32; 4]) {
        *x = a.to_array();
    }
    #[inline(always)]
    fn first_four(self, a: f32x16) -> f32x4 {
        let [x, y, z, w, ..] = a.to_array();
        f32x4::new([x, y, z, w])
    }
    #[inline(always)]
    fn mul_add_four(self, a: f32x4, b: f32x4, c: f32x4) -> f32x4 {
        a.mul_add(b, c)
    }
    #[inline(always)]
    fn repeat_four(self, a: f32x4) -> f32x16 {
        let lanes = a.to_array();
        f32x16::new(std::array::from_fn(|lane| lanes[lane % 4]))
    }
    #[inline(always)]
    fn load_bytes(self, x: &[u8; 64]) -> i32x16 {
        let (lanes, _) = x.as_chunks::<4>();
        i32x16::new(std::array::from_fn(|lane| i32::from_le_bytes(lanes[lane])))
    }
    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> f32x16 {
        let mut lanes = [0.0; LANES];
        lanes.iter_mut().zip(x).for_each(|(lane, &x)| *lane = x);
        f32x16::new(lanes)
    }
    #[inline(always)]
    fn store_partial(self, a: f32x16, x: &mut [f32]) {
        x.iter_mut().zip(a.to_array()).for_each(|(x, lane)| *x = lane);
    }
    #[inline(always)]
    fn div(self, a: f32x16, b: f32x16) -> f32x16 {
        a / b
    }
    #[inline(always)]
    fn sqrt(self, a: f32x16) -> f32x16 {
        a.sqrt()
    }
    #[inline(always)]
    fn max(self, a: f32x16, b: f32x16) -> f32x16 {
        self.select(self.lt(b, a), a, b)
    }
    #[inline(always)]
    fn min(self, a: f32x16, b: f32x16) -> f32x16 {
        self.select(self.lt(a, b), a, b)
    }
    #[inline(always)]
    fn abs(self, a: f32x16) -> f32x16 {
        a.abs()
    }
    #[inline(always)]
    fn lt(self, a: f32x16, b: f32x16) -> f32x16 {
        a.simd_lt(b)
    }
    #[inline(always)]
    fn eq(self, a: f32x16, b: f32x16) -> f32x16 {
        a.simd_eq(b)
    }
    #[inline(always)]
    fn not_lt(self, a: f32x16, b: f32x16) -> f32x16 {
        !a.simd_lt(b)
    }
    #[inline(always)]
    fn any(self, mask: f32x16) -> bool {
        mask.any()
    }
    #[inline(always)]
    fn keep(self, mask: f32x16, a: f32x16) -> f32x16 {
        mask & a
    }
    #[inline(always)]
    fn select(self, mask: f32x16, a: f32x16, b: f32x16) -> f32x16 {
        mask.bitselect(a, b)
    }
    #[inline(always)]
    fn bits_of(self, a: f32x16) -> i32x16 {
        i32x16::new(a.to_array().map(|x| x.to_bits() as i32))
    }
    #[inline(always)]
    fn with_bits(self, a: i32x16) -> f32x16 {
        f32x16::new(a.to_array().map(|x| f32::from_bits(x as u32)))
    }
    #[inline(always)]
    fn splat_i32(self, x: i32) -> i32x16 {
        i32x16::splat(x)
    }
    #[inline(always)]
    fn lanes_with(self, a: i32x16, bits: i32) -> u32 {
        let lanes = a.to_array().into_iter().enumerate();
        lanes.map(|(lane, x)| u32::from(x & bits != 0) << lane).sum()
    }
    #[inline(always)]
    fn add_i32(self, a: i32x16, b: i32x16) -> i32x16 {
        a + b
    }
    #[inline(always)]
    fn sub_i32(self, a: i32x16, b: i32x16) -> i32x16 {
        a - b
    }
    #[inline(always)]
    fn shl_i32<const N: u32>(self, a: i32x16) -> i32x16 {
        a << N
    }
    #[inline(always)]
    fn shr_i32<const N: u32>(self, a: i32x16) -> i32x16 {
        a >> N
    }
    #[inline(always)]
    fn interleave(self, a: f32x16, b: f32x16) -> (f32x16, f32x16) {
        let (a, b) = (a.to_array(), b.to_array());
        let pairs = |first: usize| std::array::from_fn(|i| [a, b][i % 2][first + i / 2]);
        (f32x16::new(pairs(0)), f32x16::new(pairs(LANES / 2)))
    }
    #[inline(always)]
    fn numbers(self, a: i32x16) -> f32x16 {
        f32x16::from_i32x16(a)
    }
}
