//! The vector as an array of 16 numbers, for tests: the oracle that has no instruction set, whose
//! multiply-add is that of the standard library.

use std::array::from_fn;

use super::{F32x16, Kernel, LANES, Lanes, Simd};

/// One lane after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scalar;

/// What becomes of each pair of lanes.
fn zip<T: Copy, U: Copy, R>(a: [T; LANES], b: [U; LANES], f: impl Fn(T, U) -> R) -> [R; LANES] {
    from_fn(|lane| f(a[lane], b[lane]))
}

impl Lanes for Scalar {
    type F32 = [f32; LANES];

    fn splat(self, x: f32) -> Self::F32 {
        [x; LANES]
    }
    fn load(self, vector: &F32x16) -> Self::F32 {
        vector.0
    }
    fn store(self, a: Self::F32, vector: &mut F32x16) {
        vector.0 = a;
    }
    fn load_unaligned(self, x: &[f32; LANES]) -> Self::F32 {
        *x
    }
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a + b)
    }
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a - b)
    }
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a * b)
    }
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }
}

impl Simd for Scalar {
    type I32 = [i32; LANES];
    type Mask = [bool; LANES];
    type Register = Self;
    type Four = [f32; 4];

    const REGISTERS: usize = 16;
    const REGISTERS_PER_VECTOR: usize = 1;
    const MEMORY_OPERANDS: bool = true;

    fn vectorize<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
    fn register(self, _index: usize) -> Self {
        self
    }
    fn store_unaligned(self, a: Self::F32, x: &mut [f32; LANES]) {
        *x = a;
    }
    fn load_four(self, x: &[f32; 4]) -> [f32; 4] {
        *x
    }
    fn store_four(self, a: [f32; 4], x: &mut [f32; 4]) {
        *x = a;
    }
    fn first_four(self, a: Self::F32) -> [f32; 4] {
        from_fn(|lane| a[lane])
    }
    fn mul_add_four(self, a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }
    fn repeat_four(self, a: [f32; 4]) -> Self::F32 {
        from_fn(|lane| a[lane % 4])
    }
    fn load_bytes(self, x: &[u8; 64]) -> Self::I32 {
        from_fn(|lane| i32::from_le_bytes(from_fn(|byte| x[4 * lane + byte])))
    }
    fn load_partial(self, x: &[f32]) -> Self::F32 {
        from_fn(|lane| x.get(lane).copied().unwrap_or(0.0))
    }
    fn store_partial(self, a: Self::F32, x: &mut [f32]) {
        x.iter_mut().zip(a).for_each(|(x, lane)| *x = lane);
    }
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a / b)
    }
    fn sqrt(self, a: Self::F32) -> Self::F32 {
        a.map(f32::sqrt)
    }
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| if b < a { a } else { b })
    }
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| if a < b { a } else { b })
    }
    fn abs(self, a: Self::F32) -> Self::F32 {
        a.map(f32::abs)
    }
    fn lt(self, a: Self::F32, b: Self::F32) -> Self::Mask {
        zip(a, b, |a, b| a < b)
    }
    #[allow(clippy::neg_cmp_op_on_partial_ord, reason = "true where either is NaN")]
    fn not_lt(self, a: Self::F32, b: Self::F32) -> Self::Mask {
        zip(a, b, |a, b| !(a < b))
    }
    fn any(self, mask: Self::Mask) -> bool {
        mask.contains(&true)
    }
    fn keep(self, mask: Self::Mask, a: Self::F32) -> Self::F32 {
        zip(mask, a, |keep, a| if keep { a } else { 0.0 })
    }
    fn eq(self, a: Self::F32, b: Self::F32) -> Self::Mask {
        zip(a, b, |a, b| a == b)
    }
    fn select(self, mask: Self::Mask, a: Self::F32, b: Self::F32) -> Self::F32 {
        from_fn(|lane| if mask[lane] { a[lane] } else { b[lane] })
    }
    fn bits_of(self, a: Self::F32) -> Self::I32 {
        a.map(|x| x.to_bits() as i32)
    }
    fn with_bits(self, a: Self::I32) -> Self::F32 {
        a.map(|x| f32::from_bits(x as u32))
    }
    fn splat_i32(self, x: i32) -> Self::I32 {
        [x; LANES]
    }
    fn lanes_with(self, a: Self::I32, bits: i32) -> u32 {
        (0..LANES).filter(|&lane| a[lane] & bits != 0).map(|lane| 1 << lane).sum()
    }
    fn add_i32(self, a: Self::I32, b: Self::I32) -> Self::I32 {
        zip(a, b, i32::wrapping_add)
    }
    fn sub_i32(self, a: Self::I32, b: Self::I32) -> Self::I32 {
        zip(a, b, i32::wrapping_sub)
    }
    fn shl_i32<const N: u32>(self, a: Self::I32) -> Self::I32 {
        a.map(|x| x << N)
    }
    fn shr_i32<const N: u32>(self, a: Self::I32) -> Self::I32 {
        a.map(|x| x >> N)
    }
    fn interleave(self, a: Self::F32, b: Self::F32) -> (Self::F32, Self::F32) {
        let pairs = |first: usize| from_fn(|lane| [a, b][lane % 2][first + lane / 2]);
        (pairs(0), pairs(LANES / 2))
    }
    fn numbers(self, a: Self::I32) -> Self::F32 {
        a.map(|x| x as f32)
    }
}
