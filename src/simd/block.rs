//! Blocks of up to 16 × 16 numbers, read a row at a time, for what stands row by row and is wanted
//! column by column.

use super::{F32x16, LANES, Simd};

/// The first 16 of `vectors`, zeros in the place of those that there are not.
#[inline(always)]
pub(crate) fn collect_block<S: Simd>(
    s: S,
    vectors: impl IntoIterator<Item = S::F32>,
) -> [S::F32; LANES] {
    let mut block = [s.zero(); LANES];
    for (row, vector) in block.iter_mut().zip(vectors) {
        *row = vector;
    }
    block
}

/// Transposes a block: number j of row i of `rows` becomes number i of column j of `columns`.
///
/// There may be fewer than 16 of either: rows that there are not are zero, and columns that there
/// are not are left out.
#[inline(always)]
pub(crate) fn transpose_block<'a, S: Simd>(
    s: S,
    rows: impl IntoIterator<Item = S::F32>,
    columns: impl IntoIterator<Item = &'a mut F32x16>,
) {
    for (numbers, column) in s.transpose(collect_block(s, rows)).into_iter().zip(columns) {
        s.store(numbers, column);
    }
}

/// Reads up to 16 numbers, of which there mostly are 16; the other lanes are zero.
#[inline(always)]
pub(crate) fn load_up_to_all<S: Simd>(s: S, numbers: &[f32]) -> S::F32 {
    match numbers.first_chunk() {
        Some(numbers) => s.load_unaligned(numbers),
        None => s.load_partial(numbers),
    }
}

/// Writes the first lanes to up to 16 `numbers`, which mostly are 16.
#[inline(always)]
pub(crate) fn store_up_to_all<S: Simd>(s: S, vector: S::F32, numbers: &mut [f32]) {
    match numbers.first_chunk_mut() {
        Some(numbers) => s.store_unaligned(vector, numbers),
        None => s.store_partial(vector, numbers),
    }
}
