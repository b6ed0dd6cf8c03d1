//! B copied into panels, in the order in which the micro-kernel reads it.

use std::ops::Range;

use crate::kernels::gemm::matrix::MatrixRef;
use crate::simd::Simd;
use crate::simd::{F32x16, LANES};

/// Lays panels of the `blocks` of columns of `b` out, each row after row, padded with zeros.
#[inline(always)]
pub(super) fn pack<S: Simd>(
    s: S,
    packed: &mut Vec<F32x16>,
    b: MatrixRef<'_>,
    depth: Range<usize>,
    blocks: Range<usize>,
) {
    // Every lane in use is written below; what an earlier product left behind may stay.
    let length = blocks.len() * depth.len();
    if packed.len() < length {
        packed.resize(length, F32x16::default());
    }
    for first in blocks.clone().step_by(S::TILE_BLOCKS) {
        let width = S::TILE_BLOCKS.min(blocks.end - first);
        let panel = &mut packed[(first - blocks.start) * depth.len()..][..width * depth.len()];
        let columns = first * LANES..b.columns.min((first + width) * LANES);
        if b.column_stride == 1 {
            copy_rows(s, panel, b, depth.clone(), columns);
        } else {
            copy_columns(s, panel, b, depth.clone(), columns);
        }
    }
}

/// Copies the `columns` of `b`, whose rows are contiguous, into a panel.
#[inline(always)]
fn copy_rows<S: Simd>(
    s: S,
    panel: &mut [F32x16],
    b: MatrixRef<'_>,
    depth: Range<usize>,
    columns: Range<usize>,
) {
    let width = columns.len().div_ceil(LANES);
    for (row, p) in panel.chunks_exact_mut(width).zip(depth) {
        let columns = &b.values[p * b.row_stride..][columns.clone()];
        for (lanes, columns) in row.iter_mut().zip(columns.chunks(LANES)) {
            s.store(load_up_to_all(s, columns), lanes);
        }
    }
}

/// Copies the `columns` of `b`, whose columns are contiguous, into a panel.
#[inline(always)]
fn copy_columns<S: Simd>(
    s: S,
    panel: &mut [F32x16],
    b: MatrixRef<'_>,
    depth: Range<usize>,
    columns: Range<usize>,
) {
    let width = columns.len().div_ceil(LANES);
    for (j, first) in columns.clone().step_by(LANES).enumerate() {
        let columns = first..columns.end.min(first + LANES);
        for (rows, p) in panel.chunks_mut(width * LANES).zip(depth.clone().step_by(LANES)) {
            let numbers = square(s, b.transposed(), columns.clone(), p);
            for (row, numbers) in rows.chunks_exact_mut(width).zip(numbers) {
                s.store(numbers, &mut row[j]);
            }
        }
    }
}

/// Up to sixteen `rows` of `a`, whose rows are contiguous, and the sixteen columns from `column` on,
/// transposed: a vector for each column. What `a` has not is zero.
#[inline(always)]
fn square<S: Simd>(s: S, a: MatrixRef<'_>, rows: Range<usize>, column: usize) -> [S::F32; LANES] {
    let count = LANES.min(a.columns - column);
    let mut square = [s.zero(); LANES];
    for (numbers, row) in square.iter_mut().zip(rows) {
        *numbers = load_up_to_all(s, &a.values[row * a.row_stride + column..][..count]);
    }
    s.transpose(square)
}

/// Reads up to sixteen numbers, of which there mostly are sixteen; the other lanes are zero.
#[inline(always)]
pub(super) fn load_up_to_all<S: Simd>(s: S, numbers: &[f32]) -> S::F32 {
    match numbers.first_chunk() {
        Some(numbers) => s.load_unaligned(numbers),
        None => s.load_partial(numbers),
    }
}
