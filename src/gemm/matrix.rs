//! The product of plain row-major matrices, packed and blocked.

use std::ops::Range;

use super::epilogue::Epilogue;
use super::operand::{Axis, Left, Right};
use super::product::{Area, multiply};
use crate::buffers::{LANES, Lanes, groups};
use crate::simd::{Isa, Kernel, Simd};

/// A matrix to be read: `rows` × `columns` numbers, element (i, j) at
/// `i · row_stride + j · column_stride`.
#[derive(Clone, Copy, Debug)]
pub struct MatrixRef<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> MatrixRef<'a> {
    /// A row-major matrix whose rows begin `row_stride` numbers apart.
    ///
    /// # Panics
    /// When rows overlap or `values` is too short.
    #[must_use]
    pub fn new(values: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        check_shape(values.len(), rows, columns, row_stride);
        Self { values, rows, columns, row_stride, column_stride: 1 }
    }

    /// The transposed matrix: columns × rows.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// A row-major matrix to be written.
#[derive(Debug)]
pub struct MatrixMut<'a> {
    values: &'a mut [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
}

impl<'a> MatrixMut<'a> {
    /// A row-major matrix whose rows begin `row_stride` numbers apart.
    ///
    /// # Panics
    /// When rows overlap or `values` is too short.
    #[must_use]
    pub fn new(values: &'a mut [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        check_shape(values.len(), rows, columns, row_stride);
        Self { values, rows, columns, row_stride }
    }
}

fn check_shape(length: usize, rows: usize, columns: usize, row_stride: usize) {
    assert!(
        row_stride >= columns,
        "rows of {columns} numbers do not fit a row stride of {row_stride}"
    );
    let needed = if rows == 0 {
        Some(0)
    } else {
        row_stride.checked_mul(rows - 1).and_then(|n| n.checked_add(columns))
    };
    assert!(
        needed.is_some_and(|needed| needed <= length),
        "{rows} × {columns} numbers do not fit the slice"
    );
}

/// What the sums of a product start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Zero: C = A · B.
    Zero,
    /// What C holds: C = C + A · B.
    Add,
}

/// Multiplies matrices, keeping its packing buffers from call to call.
#[derive(Debug)]
pub struct Gemm {
    isa: Isa,
    packed_left: Vec<f32>,
    packed_right: Vec<Lanes>,
}

/// Depth of a block, kc: a panel of B, kc × 48 numbers or 120 KiB, stays in an L2 cache of 1 MiB
/// while all rows of a block of A pass by.
const DEPTH: usize = 640;
/// Rows of a block of A, mc: mc × kc numbers, 480 KiB, stay in L2 beside it.
const ROWS: usize = 192;
/// Groups of columns of a block of B, nc / 16: nc × kc numbers stay in L3.
const GROUPS: usize = 96;
/// Rows of A from which on copying B into panels costs less than reading it where it is.
const PACK_RIGHT_FROM: usize = 64;
/// Groups of columns of B from which on copying A into panels pays.
const PACK_LEFT_FROM: usize = 48;

impl Gemm {
    /// For the instruction set `isa`.
    #[must_use]
    pub fn new(isa: Isa) -> Self {
        Self { isa, packed_left: Vec::new(), packed_right: Vec::new() }
    }

    /// C = A · B (+ C): `a` is m × k, `b` is k × n, `c` is m × n.
    ///
    /// # Panics
    /// When the shapes do not fit.
    pub fn multiply(
        &mut self,
        a: MatrixRef<'_>,
        b: MatrixRef<'_>,
        start: Start,
        c: &mut MatrixMut<'_>,
    ) {
        assert_eq!(a.columns, b.rows, "A has not as many columns as B has rows");
        assert_eq!((a.rows, b.columns), (c.rows, c.columns), "C has not the shape of A · B");
        self.isa.run(Blocked { gemm: self, a, b, start, c });
    }
}

/// The loops around the micro-kernel, for one instruction set.
struct Blocked<'g, 'o, 'c, 'm> {
    gemm: &'g mut Gemm,
    a: MatrixRef<'o>,
    b: MatrixRef<'o>,
    start: Start,
    c: &'c mut MatrixMut<'m>,
}

impl Kernel for Blocked<'_, '_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { gemm: Gemm { packed_left, packed_right, .. }, a, b, start, c } = self;
        let all_groups = groups(b.columns);
        // Whole groups of a matrix whose rows are contiguous can be read where they are.
        let in_place =
            if b.column_stride == 1 && a.rows < PACK_RIGHT_FROM { b.columns / LANES } else { 0 };
        let depths = a.columns.max(1).div_ceil(DEPTH);
        // Loop 5: blocks of columns.
        for first_group in (0..all_groups).step_by(GROUPS) {
            let block_groups = first_group..all_groups.min(first_group + GROUPS);
            let packed_from = block_groups.start.max(in_place.min(block_groups.end));
            // Loop 4: blocks of depth.
            for block in 0..depths {
                let depth = block * DEPTH..a.columns.min((block + 1) * DEPTH);
                let packed_groups = packed_from..block_groups.end;
                pack_right(s, packed_right, b, depth.clone(), packed_groups);
                let from_c = block > 0 || start == Start::Add;
                // Loop 3: blocks of rows.
                for first_row in (0..a.rows).step_by(ROWS) {
                    let rows = first_row..a.rows.min(first_row + ROWS);
                    let packs = block_groups.len() >= PACK_LEFT_FROM && rows.len() > S::TILE_ROWS;
                    let left = if packs {
                        pack_left(s, packed_left, a, rows.clone(), depth.clone())
                    } else {
                        let first = rows.start * a.row_stride + depth.start * a.column_stride;
                        Left {
                            values: a.values.get(first..).unwrap_or(&[]),
                            rows: Axis::even(a.row_stride),
                            depth: Axis::even(a.column_stride),
                        }
                    };
                    let mut epilogue = Plain { c: &mut *c, from_c, first_row, first_group: 0 };
                    if packed_from > block_groups.start {
                        let values = &b.values[depth.start * b.row_stride..];
                        let right = Right { values, row: b.row_stride, group: LANES };
                        let area =
                            Area { rows: 0..rows.len(), groups: block_groups.start..packed_from };
                        multiply(s, &left, &right, depth.len(), area, &mut epilogue);
                    }
                    // Loop 2: panels of columns. Loop 1, over tiles of rows, is the product's.
                    for group in (packed_from..block_groups.end).step_by(S::TILE_GROUPS) {
                        let width = S::TILE_GROUPS.min(block_groups.end - group);
                        let panel = &packed_right[(group - packed_from) * depth.len()..];
                        let right = Right::of_lanes(panel, width, 1);
                        epilogue.first_group = group;
                        let area = Area { rows: 0..rows.len(), groups: 0..width };
                        multiply(s, &left, &right, depth.len(), area, &mut epilogue);
                    }
                }
            }
        }
    }
}

/// Lays panels of the `groups` of columns of `b` out, each row after row, padded with zeros.
#[inline(always)]
fn pack_right<S: Simd>(
    s: S,
    packed: &mut Vec<Lanes>,
    b: MatrixRef<'_>,
    depth: Range<usize>,
    groups: Range<usize>,
) {
    // Every lane in use is written below; what an earlier product left behind may stay.
    let length = groups.len() * depth.len();
    if packed.len() < length {
        packed.resize(length, Lanes::default());
    }
    for first in groups.clone().step_by(S::TILE_GROUPS) {
        let width = S::TILE_GROUPS.min(groups.end - first);
        let panel = &mut packed[(first - groups.start) * depth.len()..][..width * depth.len()];
        for j in 0..width {
            let columns = (first + j) * LANES..b.columns.min((first + j + 1) * LANES);
            if b.column_stride == 1 {
                for (row, p) in panel.chunks_exact_mut(width).zip(depth.clone()) {
                    let columns = &b.values[p * b.row_stride..][columns.clone()];
                    s.store(load_up_to_all(s, columns), &mut row[j]);
                }
            } else {
                for (rows, p) in panel.chunks_mut(width * LANES).zip(depth.clone().step_by(LANES)) {
                    let numbers = square(s, b.transposed(), columns.clone(), p);
                    for (row, numbers) in rows.chunks_exact_mut(width).zip(numbers) {
                        s.store(numbers, &mut row[j]);
                    }
                }
            }
        }
    }
}

/// Lays panels of the `rows` of `a` out, each column after column, padded with zeros.
#[inline(always)]
fn pack_left<'p, S: Simd>(
    s: S,
    packed: &'p mut Vec<f32>,
    a: MatrixRef<'_>,
    rows: Range<usize>,
    depth: Range<usize>,
) -> Left<'p> {
    let height = S::TILE_ROWS;
    let length = rows.len().next_multiple_of(height) * depth.len();
    if packed.len() < length {
        packed.resize(length, 0.0);
    }
    let panels = packed[..length].chunks_exact_mut((height * depth.len()).max(1));
    for (panel, first) in panels.zip(rows.clone().step_by(height)) {
        let rows = first..rows.end.min(first + height);
        if a.column_stride == 1 {
            for (columns, p) in panel.chunks_mut(height * LANES).zip(depth.clone().step_by(LANES)) {
                let numbers = square(s, a, rows.clone(), p);
                for (column, numbers) in columns.chunks_exact_mut(height).zip(numbers) {
                    s.store_partial(numbers, column);
                }
            }
        } else {
            for (column, p) in panel.chunks_exact_mut(height).zip(depth.clone()) {
                let rows = &a.values[p * a.column_stride..][rows.clone()];
                s.store_partial(s.load_partial(rows), column);
            }
        }
    }
    Left {
        values: packed,
        rows: Axis { stride: 1, panel: height, panel_stride: height * depth.len() },
        depth: Axis::even(height),
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
fn load_up_to_all<S: Simd>(s: S, numbers: &[f32]) -> S::F32 {
    match numbers.first_chunk() {
        Some(numbers) => s.load_unaligned(numbers),
        None => s.load_partial(numbers),
    }
}

/// Starts from zero or C, ends in C.
struct Plain<'c, 'm> {
    c: &'c mut MatrixMut<'m>,
    from_c: bool,
    /// Where the product's rows and groups begin in C.
    first_row: usize,
    first_group: usize,
}

impl Plain<'_, '_> {
    /// The numbers of a row of C that a group covers.
    #[inline(always)]
    fn range(&self, row: usize, group: usize) -> Range<usize> {
        let column = (self.first_group + group) * LANES;
        let start = (self.first_row + row) * self.c.row_stride + column;
        start..start + LANES.min(self.c.columns - column)
    }
}

impl<S: Simd> Epilogue<S> for Plain<'_, '_> {
    #[inline(always)]
    fn start(&self, s: S, row: usize, group: usize) -> S::F32 {
        if !self.from_c {
            return s.zero();
        }
        load_up_to_all(s, &self.c.values[self.range(row, group)])
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, row: usize, group: usize, sums: [S::F32; N]) {
        let start = self.range(row, group).start;
        let end = self.range(row, group + N - 1).end;
        let columns = &mut self.c.values[start..end];
        if columns.len() == N * LANES {
            let (columns, _) = columns.as_chunks_mut();
            for (sums, columns) in sums.into_iter().zip(columns) {
                s.store_unaligned(sums, columns);
            }
        } else {
            for (sums, columns) in sums.into_iter().zip(columns.chunks_mut(LANES)) {
                s.store_partial(sums, columns);
            }
        }
    }
}
