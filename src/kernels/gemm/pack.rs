//! Matrices packed: copied into panels of some columns, in the order in which the micro-kernel reads
//! them.

use std::ops::Range;

use super::matrix::MatrixRef;
use crate::simd::{F32x16, LANES, Simd, load_up_to_all};

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
    // A block at the edge of the matrix has its numbers copied among zeros.
    let mut padded = [F32x16::default(); LANES];
    for (block, first) in columns.clone().step_by(LANES).enumerate() {
        let columns = first..columns.end.min(first + LANES);
        for (packed, p) in panel.chunks_mut(width * LANES).zip(rows.clone().step_by(LANES)) {
            let count = LANES.min(b.rows - p);
            let numbers = |column: usize| &b.values[column * b.column_stride + p..][..count];
            let packed = &mut packed[block..];
            // Two calls: one for rows of either place is 1 % of a product slower.
            if count == LANES && columns.len() == LANES {
                let whole = |i| numbers(columns.start + i).first_chunk().expect("16 numbers");
                s.transpose_rows(std::array::from_fn(whole), packed, width);
            } else {
                for (padded, column) in padded.iter_mut().zip(columns.clone()) {
                    s.store(s.load_partial(numbers(column)), padded);
                }
                padded[columns.len()..].fill(F32x16::default());
                s.transpose_rows(padded.each_ref().map(|row| &row.0), packed, width);
            }
        }
    }
}
