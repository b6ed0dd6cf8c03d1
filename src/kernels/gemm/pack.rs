//! Matrices packed: copied into panels of some columns, in the order in which the micro-kernel reads
//! them.

use std::ops::Range;

use super::matrix::MatrixRef;
use crate::simd::{F32x16, LANES, Simd, load_up_to_all, transpose_block};

/// The part of a matrix to pack.
#[derive(Clone, Debug)]
pub(super) struct PackRange {
    pub(super) rows: Range<usize>,
    /// Blocks of 16 columns.
    pub(super) blocks: Range<usize>,
}

/// Packs the `range` of `b`: panels of `width` column blocks (the last may have fewer), each row after
/// row, the columns that `b` has not being zero.
#[inline(always)]
pub(super) fn pack<S: Simd>(
    s: S,
    packed: &mut Vec<F32x16>,
    b: MatrixRef<'_>,
    PackRange { rows, blocks }: PackRange,
    width: usize,
) {
    let packed = room(packed, blocks.len() * rows.len());
    for first in blocks.clone().step_by(width) {
        let width = width.min(blocks.end - first);
        let panel = &mut packed[(first - blocks.start) * rows.len()..][..width * rows.len()];
        let columns = first * LANES..b.columns.min((first + width) * LANES);
        if b.column_stride == 1 {
            pack_rows(s, panel, b, rows.clone(), columns);
        } else {
            pack_columns(s, panel, b, rows.clone(), columns);
        }
    }
}

/// The first `length` vectors of `packed`, all of which are to be written: what an earlier product left
/// behind may stand there.
pub(super) fn room(packed: &mut Vec<F32x16>, length: usize) -> &mut [F32x16] {
    if packed.len() < length {
        packed.resize(length, F32x16::default());
    }
    &mut packed[..length]
}

/// Packs `rows` × `columns` of `b`, whose rows are contiguous, as a panel.
#[inline(always)]
fn pack_rows<S: Simd>(
    s: S,
    panel: &mut [F32x16],
    b: MatrixRef<'_>,
    rows: Range<usize>,
    columns: Range<usize>,
) {
    let width = columns.len().div_ceil(LANES);
    for (packed, p) in panel.chunks_exact_mut(width).zip(rows) {
        let numbers = &b.values[p * b.row_stride..][columns.clone()];
        for (vector, numbers) in packed.iter_mut().zip(numbers.chunks(LANES)) {
            s.store(load_up_to_all(s, numbers), vector);
        }
    }
}

/// Packs `rows` × `columns` of `b`, whose columns are contiguous, as a panel.
#[inline(always)]
fn pack_columns<S: Simd>(
    s: S,
    panel: &mut [F32x16],
    b: MatrixRef<'_>,
    rows: Range<usize>,
    columns: Range<usize>,
) {
    let width = columns.len().div_ceil(LANES);
    for (block, first) in columns.clone().step_by(LANES).enumerate() {
        let columns = first..columns.end.min(first + LANES);
        for (packed, p) in panel.chunks_mut(width * LANES).zip(rows.clone().step_by(LANES)) {
            let count = LANES.min(b.rows - p);
            let numbers = columns.clone().map(|column| &b.values[column * b.column_stride + p..]);
            let vectors = numbers.map(|numbers| load_up_to_all(s, &numbers[..count]));
            let packed = packed.chunks_exact_mut(width).map(|row| &mut row[block]);
            transpose_block(s, vectors, packed);
        }
    }
}
