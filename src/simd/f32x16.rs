//! The engine's unit of storage: 16 lanes of `f32`, aligned to a cache line.

/// F32x16 of the engine's vector, whatever the instruction set.
pub const LANES: usize = 16;

/// Sixteen `f32`, aligned to a cache line: one AVX-512 register, two AVX2 registers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub struct F32x16(pub [f32; LANES]);

/// How many blocks of 16 lanes hold `columns` numbers.
#[must_use]
pub const fn vectors_for(columns: usize) -> usize {
    columns.div_ceil(LANES)
}

/// `count` blocks of lanes, all zero.
#[must_use]
pub fn zeroed(count: usize) -> Vec<F32x16> {
    vec![F32x16::default(); count]
}

/// Groups of lanes as single numbers.
#[must_use]
#[allow(unsafe_code, reason = "a view of the same numbers")]
pub fn as_numbers(lanes: &[F32x16]) -> &[f32] {
    // SAFETY: `F32x16` is sixteen `f32` without padding (`repr(C)`, its size a multiple of its
    // alignment), so the slice holds that many of them.
    unsafe { std::slice::from_raw_parts(lanes.as_ptr().cast(), lanes.len() * LANES) }
}

/// The same, to be written.
#[must_use]
#[allow(unsafe_code, reason = "a view of the same numbers")]
pub fn as_numbers_mut(lanes: &mut [F32x16]) -> &mut [f32] {
    // SAFETY: as for `as_numbers`; the borrow is as exclusive.
    unsafe { std::slice::from_raw_parts_mut(lanes.as_mut_ptr().cast(), lanes.len() * LANES) }
}
