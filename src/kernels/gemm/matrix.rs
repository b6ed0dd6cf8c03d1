//! The product of plain row-major matrices: blocked, and B packed where that pays.

use std::ops::Range;

use crate::kernels::gemm::epilogue::Epilogue;
use crate::kernels::gemm::operand::{AxisLayout, Lhs, Rhs};
use crate::kernels::gemm::pack::{load_up_to_all, pack};
use crate::kernels::gemm::product::{OutputRange, multiply};
use crate::simd::{F32x16, LANES, vectors_for};
use crate::simd::{Isa, Kernel, Simd};

/// A matrix to be read: `rows` × `columns` numbers, element (i, j) at
/// `i · row_stride + j · column_stride`.
#[derive(Clone, Copy, Debug)]
pub struct MatrixRef<'a> {
    pub(super) values: &'a [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl<'a> MatrixRef<'a> {
    /// A row-major matrix whose rows begin `row_stride` numbers apart.
    ///
    /// # Panics
    /// When rows overlap or `values` is too short.
    #[must_use]
    pub fn new(values: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        let values = &values[..checked_length(values.len(), rows, columns, row_stride)];
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
        let length = checked_length(values.len(), rows, columns, row_stride);
        Self { values: &mut values[..length], rows, columns, row_stride }
    }
}

/// How many of `length` numbers a matrix takes up.
fn checked_length(length: usize, rows: usize, columns: usize, row_stride: usize) -> usize {
    assert!(
        row_stride >= columns,
        "rows of {columns} numbers do not fit a row stride of {row_stride}"
    );
    let needed = if rows == 0 {
        Some(0)
    } else {
        row_stride.checked_mul(rows - 1).and_then(|n| n.checked_add(columns))
    };
    needed
        .filter(|&needed| needed <= length)
        .unwrap_or_else(|| panic!("{rows} × {columns} numbers do not fit the slice"))
}

/// What the sums of a product start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Zero: C = A · B.
    Zero,
    /// What C holds: C = C + A · B.
    Add,
}

/// Multiplies matrices, keeping its packing buffer from call to call.
#[derive(Debug)]
pub struct Gemm {
    isa: Isa,
    packed: Vec<F32x16>,
}

/// Depth of a block, kc: a panel of B, kc × 48 numbers or 192 KiB, stays in an L2 cache of 1 MiB
/// while all rows of a block of A pass by.
const KC: usize = 1024;
/// Rows of a block of A, mc: mc × kc numbers, 768 KiB, stay in L2 beside it.
const MC: usize = 192;
/// Groups of columns of a block of B, nc / 16: nc × kc numbers, 6 MiB, stay in L3.
const NC_BLOCKS: usize = 96;
/// Rows of A up to which copying B into panels costs more than reading it where it is, and up to
/// which it does if B is small.
const IN_PLACE: usize = 63;
const IN_PLACE_IF_SMALL: usize = 512;
/// Numbers from which on a B is not small: its panels lie in too many pages, 128.
const LARGE_FROM: usize = 1 << 17;

impl Gemm {
    /// For the instruction set `isa`.
    #[must_use]
    pub fn new(isa: Isa) -> Self {
        Self { isa, packed: Vec::new() }
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
        self.isa.run(Loops { gemm: self, a, b, start, c });
    }
}

/// The loops around the micro-kernel, for one instruction set.
struct Loops<'g, 'o, 'c, 'm> {
    gemm: &'g mut Gemm,
    a: MatrixRef<'o>,
    b: MatrixRef<'o>,
    start: Start,
    c: &'c mut MatrixMut<'m>,
}

impl Kernel for Loops<'_, '_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { gemm: Gemm { packed, .. }, a, b, start, c } = self;
        let all_blocks = vectors_for(b.columns);
        if a.rows == 0 {
            return;
        }
        // Whole blocks of a matrix whose rows are contiguous can be read where they are.
        let is_small = b.values.len() < LARGE_FROM;
        let most_rows = if is_small { IN_PLACE_IF_SMALL } else { IN_PLACE };
        let in_place =
            if b.column_stride == 1 && a.rows <= most_rows { b.columns / LANES } else { 0 };
        let depths = a.columns.max(1).div_ceil(KC);
        // A panel that all of A passes by at once is used while it is fresh, and never again.
        let nc = if a.rows <= MC && !is_small { S::TILE_BLOCKS } else { NC_BLOCKS };
        // Loop 5: blocks of columns.
        for first_block in (0..all_blocks).step_by(nc) {
            let nc = first_block..all_blocks.min(first_block + nc);
            let packed_from = nc.start.max(in_place.min(nc.end));
            // Loop 4: blocks of depth.
            for step in 0..depths {
                let depth = step * KC..a.columns.min((step + 1) * KC);
                let packed_blocks = packed_from..nc.end;
                pack(s, packed, b, depth.clone(), packed_blocks);
                let from_c = step > 0 || start == Start::Add;
                // Loop 3: blocks of rows.
                for first_row in (0..a.rows).step_by(MC) {
                    let rows = first_row..a.rows.min(first_row + MC);
                    let first = rows.start * a.row_stride + depth.start * a.column_stride;
                    let left = Lhs {
                        // Without depth there may be none.
                        values: a.values.get(first..).unwrap_or(&[]),
                        rows: AxisLayout::even(a.row_stride),
                        depth: AxisLayout::even(a.column_stride),
                    };
                    let mut epilogue = Plain { c: &mut *c, from_c, first_row, first_block: 0 };
                    if packed_from > nc.start {
                        let values = &b.values[depth.start * b.row_stride..];
                        let right = Rhs { values, row: b.row_stride, block: LANES };
                        let area =
                            OutputRange { rows: 0..rows.len(), blocks: nc.start..packed_from };
                        multiply(s, &left, &right, depth.len(), area, &mut epilogue);
                    }
                    // Loop 2: panels of columns. Loop 1, over tiles of rows, is the product's.
                    for block in (packed_from..nc.end).step_by(S::TILE_BLOCKS) {
                        let width = S::TILE_BLOCKS.min(nc.end - block);
                        let panel = &packed[(block - packed_from) * depth.len()..];
                        let right = Rhs::of_vectors(panel, width, 1);
                        epilogue.first_block = block;
                        let area = OutputRange { rows: 0..rows.len(), blocks: 0..width };
                        multiply(s, &left, &right, depth.len(), area, &mut epilogue);
                    }
                }
            }
        }
    }
}

/// Starts from zero or C, ends in C.
struct Plain<'c, 'm> {
    c: &'c mut MatrixMut<'m>,
    from_c: bool,
    /// Where the product's rows and blocks begin in C.
    first_row: usize,
    first_block: usize,
}

impl Plain<'_, '_> {
    /// The numbers of a row of C that a block covers.
    #[inline(always)]
    fn range(&self, row: usize, block: usize) -> Range<usize> {
        let column = (self.first_block + block) * LANES;
        let start = (self.first_row + row) * self.c.row_stride + column;
        start..start + LANES.min(self.c.columns - column)
    }
}

impl<S: Simd> Epilogue<S> for Plain<'_, '_> {
    #[inline(always)]
    fn start(&self, s: S, row: usize, block: usize) -> S::F32 {
        if !self.from_c {
            return s.zero();
        }
        load_up_to_all(s, &self.c.values[self.range(row, block)])
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, row: usize, block: usize, sums: [S::F32; N]) {
        self.finish_tile(s, row, block, [sums]);
    }

    /// At once, as its rows need one look at where they end.
    #[inline(always)]
    fn finish_tile<const ROWS: usize, const N: usize>(
        &mut self,
        s: S,
        row: usize,
        block: usize,
        tile: [[S::F32; N]; ROWS],
    ) {
        let start = self.range(row, block).start;
        let width = self.range(row, block + N - 1).end - start;
        let tile = self.c.values[start..].chunks_mut(self.c.row_stride).zip(tile);
        if width == N * LANES {
            for (numbers, sums) in tile {
                let (columns, _) = numbers[..N * LANES].as_chunks_mut();
                for (sum, columns) in sums.into_iter().zip(columns) {
                    s.store_unaligned(sum, columns);
                }
            }
        } else {
            for (numbers, sums) in tile {
                for (sum, columns) in sums.into_iter().zip(numbers[..width].chunks_mut(LANES)) {
                    s.store_partial(sum, columns);
                }
            }
        }
    }
}
