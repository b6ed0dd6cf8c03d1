//! The engine's unit of storage: 16 lanes of `f32`, aligned to a cache line.

/// Lanes of the engine's vector, whatever the instruction set.
pub const LANES: usize = 16;

/// Sixteen `f32`, aligned to a cache line: one AVX-512 register, two AVX2 registers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes(pub [f32; LANES]);

/// How many groups of 16 lanes hold `columns` numbers.
#[must_use]
pub const fn groups(columns: usize) -> usize {
    columns.div_ceil(LANES)
}

/// `count` groups of lanes, all zero.
#[must_use]
pub fn zeroed(count: usize) -> Vec<Lanes> {
    vec![Lanes::default(); count]
}

/// Groups of lanes as single numbers.
#[must_use]
#[allow(unsafe_code, reason = "a view of the same numbers")]
pub fn as_numbers(lanes: &[Lanes]) -> &[f32] {
    // SAFETY: `Lanes` is sixteen `f32` without padding (`repr(C)`, its size a multiple of its
    // alignment), so the slice holds that many of them.
    unsafe { std::slice::from_raw_parts(lanes.as_ptr().cast(), lanes.len() * LANES) }
}

/// The same, to be written.
#[must_use]
#[allow(unsafe_code, reason = "a view of the same numbers")]
pub fn as_numbers_mut(lanes: &mut [Lanes]) -> &mut [f32] {
    // SAFETY: as for `as_numbers`; the borrow is as exclusive.
    unsafe { std::slice::from_raw_parts_mut(lanes.as_mut_ptr().cast(), lanes.len() * LANES) }
}
