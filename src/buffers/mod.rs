//! Aligned storage in the engine's unit: 16 lanes of `f32`, one cache line; and
//! buffers that a team of threads shares.

mod shared;

pub(crate) use shared::{Poison, Reader, Seat, Writer, share, share_of};

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

/// Lays `rows` of `columns` numbers out in groups of lanes, each row padded with zeros.
#[must_use]
pub fn pad_rows(values: &[f32], columns: usize) -> Vec<Lanes> {
    let mut lanes = Vec::with_capacity(values.len().div_ceil(columns.max(1)) * groups(columns));
    for row in values.chunks_exact(columns.max(1)) {
        lanes.extend(row.chunks(LANES).map(|chunk| {
            let mut group = Lanes::default();
            group.0[..chunk.len()].copy_from_slice(chunk);
            group
        }));
    }
    lanes
}

/// The inverse of [`pad_rows`]: takes the padding away.
pub fn unpad_rows(lanes: &[Lanes], columns: usize, values: &mut [f32]) {
    let padded = lanes.chunks_exact(groups(columns).max(1));
    for (row, padded) in values.chunks_exact_mut(columns.max(1)).zip(padded) {
        for (chunk, group) in row.chunks_mut(LANES).zip(padded) {
            chunk.copy_from_slice(&group.0[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_comes_and_goes() {
        for columns in [1, 15, 16, 17, 100] {
            let values: Vec<f32> = (0..3 * columns).map(|i| i as f32).collect();
            let lanes = pad_rows(&values, columns);
            assert_eq!(lanes.len(), 3 * groups(columns));
            let mut back = vec![f32::NAN; values.len()];
            unpad_rows(&lanes, columns, &mut back);
            assert_eq!(back, values);
        }
    }
}
