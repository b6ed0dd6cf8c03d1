//! The product of plain row-major matrices, packed and blocked.

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

/// Depth of a block, kc: a panel of B, kc × 48 numbers, stays in half an L2 cache of 256 KiB while
/// all rows of a block of A pass by.
const DEPTH: usize = 512;
/// Rows of a block of A, mc: mc × kc numbers stay in L2.
const ROWS: usize = 240;
/// Groups of columns of a block of B, nc / 16: nc × kc numbers stay in L3.
const GROUPS: usize = 96;

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
        let Self { gemm, a, b, start, c } = self;
        let all_groups = groups(b.columns);
        let depths = a.columns.max(1).div_ceil(DEPTH);
        // Loop 5: blocks of columns.
        for first_group in (0..all_groups).step_by(GROUPS) {
            let block_groups = GROUPS.min(all_groups - first_group);
            // Loop 4: blocks of depth.
            for block in 0..depths {
                let first = block * DEPTH;
                let depth = DEPTH.min(a.columns - first);
                pack_right(
                    &mut gemm.packed_right,
                    S::TILE_GROUPS,
                    b,
                    first..first + depth,
                    first_group,
                    block_groups,
                );
                let from_c = block > 0 || start == Start::Add;
                // Loop 3: blocks of rows.
                for first_row in (0..a.rows).step_by(ROWS) {
                    let rows = ROWS.min(a.rows - first_row);
                    let packs = block_groups > 2 * S::TILE_GROUPS && rows > S::TILE_ROWS;
                    let left = if packs {
                        pack_left(
                            &mut gemm.packed_left,
                            S::TILE_ROWS,
                            a,
                            first_row,
                            rows,
                            first..first + depth,
                        );
                        Left {
                            values: &gemm.packed_left,
                            rows: Axis {
                                stride: 1,
                                panel: S::TILE_ROWS,
                                panel_stride: S::TILE_ROWS * depth,
                            },
                            depth: Axis::even(S::TILE_ROWS),
                        }
                    } else {
                        Left {
                            values: a
                                .values
                                .get(first_row * a.row_stride + first * a.column_stride..)
                                .unwrap_or(&[]),
                            rows: Axis::even(a.row_stride),
                            depth: Axis::even(a.column_stride),
                        }
                    };
                    // Loop 2: panels of columns. Loop 1, over tiles of rows, is the product's.
                    for group in (0..block_groups).step_by(S::TILE_GROUPS) {
                        let width = S::TILE_GROUPS.min(block_groups - group);
                        let right = Right {
                            lanes: &gemm.packed_right[group * depth..],
                            row: width,
                            group: 1,
                        };
                        let mut epilogue = Plain {
                            c: &mut *c,
                            from_c,
                            first_row,
                            first_group: first_group + group,
                        };
                        multiply(
                            s,
                            &left,
                            &right,
                            depth,
                            Area { rows: 0..rows, groups: 0..width },
                            &mut epilogue,
                        );
                    }
                }
            }
        }
    }
}

/// Lays panels of `width` groups of columns out, each row after row, padded with zeros.
#[inline(always)]
fn pack_right(
    packed: &mut Vec<Lanes>,
    width: usize,
    b: MatrixRef<'_>,
    depth: std::ops::Range<usize>,
    first_group: usize,
    groups: usize,
) {
    packed.resize(groups * depth.len(), Lanes::default());
    for panel in (0..groups).step_by(width) {
        let width = width.min(groups - panel);
        let lanes = &mut packed[panel * depth.len()..][..width * depth.len()];
        for (row, p) in lanes.chunks_exact_mut(width).zip(depth.clone()) {
            for (j, lanes) in row.iter_mut().enumerate() {
                let column = (first_group + panel + j) * LANES;
                let count = LANES.min(b.columns - column);
                let start = p * b.row_stride + column * b.column_stride;
                if b.column_stride == 1 {
                    lanes.0[..count].copy_from_slice(&b.values[start..start + count]);
                } else {
                    for (lane, i) in lanes.0[..count].iter_mut().zip(0..) {
                        *lane = b.values[start + i * b.column_stride];
                    }
                }
                lanes.0[count..].fill(0.0);
            }
        }
    }
}

/// Lays panels of `height` rows out, each column after column.
#[inline(always)]
fn pack_left(
    packed: &mut Vec<f32>,
    height: usize,
    a: MatrixRef<'_>,
    first_row: usize,
    rows: usize,
    depth: std::ops::Range<usize>,
) {
    packed.resize(rows.next_multiple_of(height) * depth.len(), 0.0);
    for (panel, lanes) in packed.chunks_exact_mut(height * depth.len()).enumerate() {
        let first = panel * height;
        for i in 0..height.min(rows - first) {
            let row = (first_row + first + i) * a.row_stride;
            for (column, p) in lanes.chunks_exact_mut(height).zip(depth.clone()) {
                column[i] = a.values[row + p * a.column_stride];
            }
        }
    }
}

/// Starts from zero or C, ends in C.
struct Plain<'c, 'm> {
    c: &'c mut MatrixMut<'m>,
    from_c: bool,
    first_row: usize,
    first_group: usize,
}

impl Plain<'_, '_> {
    /// The columns of a row that a group covers.
    #[inline(always)]
    fn columns(&mut self, row: usize, group: usize) -> &mut [f32] {
        let column = (self.first_group + group) * LANES;
        let start = (self.first_row + row) * self.c.row_stride + column;
        &mut self.c.values[start..start + LANES.min(self.c.columns - column)]
    }
}

impl<S: Simd> Epilogue<S> for Plain<'_, '_> {
    #[inline(always)]
    fn start(&self, s: S, row: usize, group: usize) -> S::F32 {
        if !self.from_c {
            return s.zero();
        }
        let column = (self.first_group + group) * LANES;
        let start = (self.first_row + row) * self.c.row_stride + column;
        let count = LANES.min(self.c.columns - column);
        let mut lanes = Lanes::default();
        lanes.0[..count].copy_from_slice(&self.c.values[start..start + count]);
        s.load(&lanes)
    }

    #[inline(always)]
    fn finish(&mut self, s: S, row: usize, group: usize, sums: S::F32) {
        let columns = self.columns(row, group);
        if let Some(columns) = columns.first_chunk_mut() {
            s.store_unaligned(sums, columns);
        } else {
            let mut lanes = Lanes::default();
            s.store(sums, &mut lanes);
            columns.copy_from_slice(&lanes.0[..columns.len()]);
        }
    }
}
