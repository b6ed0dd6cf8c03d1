//! The engine's unit of storage: 16 `f32`, aligned to a cache line.

/// Numbers in the engine's vector, whatever the instruction set.
pub(crate) const LANES: usize = 16;

/// 16 `f32`, aligned to a cache line: one register of AVX-512, two of AVX2, four of NEON.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct F32x16(pub(crate) [f32; LANES]);

/// How many vectors hold `count` numbers.
#[must_use]
pub(crate) const fn vectors_for(count: usize) -> usize {
    count.div_ceil(LANES)
}

/// `count` vectors of zeros.
#[must_use]
pub(crate) fn zeroed(count: usize) -> Vec<F32x16> {
    vec![F32x16::default(); count]
}

/// The numbers of `vectors`, one after the other.
#[must_use]
#[allow(unsafe_code, reason = "a view of the same numbers")]
pub(crate) fn as_numbers(vectors: &[F32x16]) -> &[f32] {
    // SAFETY: `F32x16` is 16 `f32` without padding (`repr(C)`, its size a multiple of its
    // alignment), so the slice holds that many of them.
    unsafe { std::slice::from_raw_parts(vectors.as_ptr().cast(), vectors.len() * LANES) }
}

/// The numbers of `vectors`, to be written.
#[must_use]
#[allow(unsafe_code, reason = "a view of the same numbers")]
pub(crate) fn as_numbers_mut(vectors: &mut [F32x16]) -> &mut [f32] {
    // SAFETY: as for `as_numbers`; the borrow is as exclusive.
    unsafe { std::slice::from_raw_parts_mut(vectors.as_mut_ptr().cast(), vectors.len() * LANES) }
}
