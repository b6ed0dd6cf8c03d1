//! Loops 5 to 3: the product of plain row-major matrices, blocked for the caches, and operands packed
//! where that pays.

use std::ops::Range;

use super::blocking::Blocking;
use super::macro_kernel::{macro_kernel, pack_with_first_tile};
use super::matrix::{MatrixMut, MatrixRef};
use super::operand::{AxisLayout, Lhs, OutputRange, Product, Rhs};
use super::pack::{PackRange, pack, room};
use super::tile::MicroTile;
use crate::kernels::Epilogue;
use crate::simd::{F32x16, Isa, Kernel, LANES, Simd, as_numbers, as_numbers_mut, vectors_for};

/// Numbers from which on a B is large: its rows lie in too many pages, 128.
const LARGE_FROM: usize = 1 << 17;

/// Column blocks of B, each of which reads all of A, from which on it may pay to pack an A that is
/// transposed (measured).
const PACK_A_FROM_BLOCKS: usize = 6;
/// Vectors of B from which on it does.
const PACK_A_FROM_VECTORS: usize = 1025;

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
    blocking: Blocking,
    packed: Packed,
}

impl Gemm {
    /// For the instruction set `isa` and the caches of this machine.
    #[must_use]
    pub fn new(isa: Isa) -> Self {
        Self::with_blocking(isa, Blocking::of_this_machine())
    }

    /// The same in other steps.
    pub(super) fn with_blocking(isa: Isa, blocking: Blocking) -> Self {
        Self { isa, blocking, packed: Packed::default() }
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
        c.check_shapes(a, b);
        let Self { isa, blocking, ref mut packed } = *self;
        isa.run(Loops { blocking, packed, a, b, start, c });
    }
}

/// Operands, or parts of them, in the order in which they are read.
#[derive(Debug, Default)]
struct Packed {
    /// In panels of 16 rows.
    a: Vec<F32x16>,
    /// In panels of NR columns.
    b: Vec<F32x16>,
}

/// The loops around the macro-kernel, for one instruction set.
struct Loops<'g, 'o, 'c, 'm> {
    blocking: Blocking,
    packed: &'g mut Packed,
    a: MatrixRef<'o>,
    b: MatrixRef<'o>,
    start: Start,
    c: &'c mut MatrixMut<'m>,
}

impl Kernel for Loops<'_, '_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { blocking: Blocking { nc, kc, mc }, packed, a, b, start, c } = self;
        let (m, k, n_blocks) = (a.rows, a.columns, vectors_for(b.columns));
        if m == 0 {
            return;
        }
        let Ways { in_place, packs_a, is_used_once } = Ways::of::<S>(a, b, mc);
        let nc_blocks = if is_used_once { S::NR_BLOCKS } else { nc / LANES };
        // Loop 5: NC columns of B and C.
        for first_block in (0..n_blocks).step_by(nc_blocks) {
            let blocks = first_block..n_blocks.min(first_block + nc_blocks);
            let packed_from = blocks.start.max(in_place.min(blocks.end));
            // Loop 4: KC terms of the sums. Without any, C is written nonetheless.
            for first_term in (0..k.max(1)).step_by(kc) {
                let terms = first_term..k.min(first_term + kc);
                // A panel of one block that is used once is packed while its first tile is computed, where
                // whole rows of it can be read, and there are more tiles.
                let is_whole = b.column_stride == 1 && blocks.end <= b.columns / LANES;
                let is_one_block = S::NR_BLOCKS == 1 && packed_from == blocks.start;
                let packs_with_tile =
                    is_used_once && is_one_block && is_whole && m > S::MR && !terms.is_empty();
                if !packs_with_tile {
                    let range = PackRange { rows: terms.clone(), blocks: packed_from..blocks.end };
                    pack(s, &mut packed.b, b, range, S::NR_BLOCKS);
                }
                let from_c = first_term > 0 || start == Start::Add;
                // Loop 3: MC rows of A and C.
                for first_row in (0..m).step_by(mc) {
                    let mut rows = 0..mc.min(m - first_row);
                    let a = a.skip_rows(first_row);
                    let lhs = if packs_a {
                        packed_lhs(s, &mut packed.a, a, terms.clone(), rows.end)
                    } else {
                        Lhs {
                            // Without terms there may be none.
                            values: a.values.get(terms.start * a.column_stride..).unwrap_or(&[]),
                            rows: AxisLayout::strided(a.row_stride),
                            k: AxisLayout::strided(a.column_stride),
                        }
                    };
                    let mut epilogue = IntoC { c: &mut *c, from_c, first_row, first_block: 0 };
                    let in_place = |rows: Range<usize>, blocks: Range<usize>| {
                        let rhs = Rhs {
                            values: &b.values[terms.start * b.row_stride..],
                            row_stride: b.row_stride,
                            block_stride: LANES,
                            columns: usize::MAX,
                        };
                        Product { lhs, rhs, k: terms.len(), output: OutputRange { rows, blocks } }
                    };
                    // Loop 2, over what is not packed.
                    if packed_from > blocks.start {
                        let product = in_place(rows.clone(), blocks.start..packed_from);
                        macro_kernel(s, &product, &mut epilogue);
                    }
                    if packs_with_tile {
                        let product = in_place(rows.clone(), blocks.clone());
                        let panel = room(&mut packed.b, terms.len());
                        rows = pack_with_first_tile(s, &product, &mut epilogue, panel);
                    }
                    // Loop 2: NR columns of B and C, a packed panel.
                    for block in (packed_from..blocks.end).step_by(S::NR_BLOCKS) {
                        let width = S::NR_BLOCKS.min(blocks.end - block);
                        let panel = &packed.b[(block - packed_from) * terms.len()..];
                        let columns = b.columns - block * LANES;
                        let rhs = Rhs::of_vectors(panel, width, 1).with_columns(columns);
                        epilogue.first_block = block;
                        let output = OutputRange { rows: rows.clone(), blocks: 0..width };
                        let product = Product { lhs, rhs, k: terms.len(), output };
                        macro_kernel(s, &product, &mut epilogue);
                    }
                }
            }
        }
    }
}

/// How operands are read.
struct Ways {
    /// Column blocks of B that are read where they are: the first ones.
    in_place: usize,
    /// Whether A is packed.
    packs_a: bool,
    /// Whether a packed panel of B serves once, and is then not needed again.
    is_used_once: bool,
}

impl Ways {
    /// Those for `a` · `b`, of which `mc` rows of `a` pass by at a time.
    #[inline(always)]
    fn of<S: Simd>(a: MatrixRef<'_>, b: MatrixRef<'_>, mc: usize) -> Self {
        let (m, k, n_blocks) = (a.rows, a.columns, vectors_for(b.columns));
        // Whole column blocks of a matrix whose rows are contiguous can be read where they are.
        let is_small = b.values.len() < LARGE_FROM;
        let max_rows = if is_small { S::IN_PLACE_IF_SMALL } else { S::IN_PLACE_IF_LARGE };
        let in_place = if b.column_stride == 1 && m <= max_rows { b.columns / LANES } else { 0 };
        // Down the columns of A each number is in a page of its own: packed, if enough of B passes by.
        let is_transposed = a.row_stride == 1 && a.column_stride > 1;
        let pays = n_blocks >= PACK_A_FROM_BLOCKS && k * n_blocks >= PACK_A_FROM_VECTORS;
        let packs_a = S::PACKS_TRANSPOSED_A && is_transposed && pays;
        // A panel that all of A passes by at once is used while it is fresh, and never again; but a packed
        // A would be packed again for each.
        Self { in_place, packs_a, is_used_once: m <= mc && !is_small && !packs_a }
    }
}

/// The first `rows` of `terms` of `a`, packed.
#[inline(always)]
fn packed_lhs<'p, S: Simd>(
    s: S,
    packed: &'p mut Vec<F32x16>,
    a: MatrixRef<'_>,
    terms: Range<usize>,
    rows: usize,
) -> Lhs<'p> {
    let k = AxisLayout::strided(LANES);
    let rows_at = AxisLayout::blocked(terms.len() * LANES);
    pack(s, packed, a.transposed(), PackRange { rows: terms, blocks: 0..vectors_for(rows) }, 1);
    Lhs { values: as_numbers(packed), rows: rows_at, k }
}

/// From zero or C into C.
struct IntoC<'c, 'm> {
    c: &'c mut MatrixMut<'m>,
    from_c: bool,
    /// Where the product's rows and column blocks begin in C.
    first_row: usize,
    first_block: usize,
}

impl IntoC<'_, '_> {
    /// The numbers of a row of C that a column block covers.
    #[inline(always)]
    fn range(&self, row: usize, block: usize) -> Range<usize> {
        let column = (self.first_block + block) * LANES;
        let start = (self.first_row + row) * self.c.row_stride + column;
        start..start + LANES.min(self.c.columns - column)
    }
}

impl<S: Simd> Epilogue<S> for IntoC<'_, '_> {
    /// At once, as its rows, which follow one another, need one look at where they end. The rows of a
    /// tile that is cut off come through memory: filled by loops of unknown length, the tile itself would
    /// stand there, and be written to at each step of the product.
    #[inline(always)]
    fn start_tile<const ROWS: usize, const N: usize>(
        &self,
        s: S,
        rows: &[usize; ROWS],
        block: usize,
    ) -> [[S::F32; N]; ROWS] {
        let mut tile = [[s.zero(); N]; ROWS];
        if !self.from_c {
            return tile;
        }
        let start = self.range(rows[0], block).start;
        let width = self.range(rows[0], block + N - 1).end - start;
        let (row_stride, c) = (self.c.row_stride, &self.c.values[start..]);
        if width == N * LANES {
            for i in 0..ROWS {
                let (columns, _) = c[i * row_stride..][..N * LANES].as_chunks();
                for j in 0..N {
                    tile[i][j] = s.load_unaligned(&columns[j]);
                }
            }
        } else {
            let mut starts = [[F32x16::default(); N]; ROWS];
            for (i, starts) in starts.iter_mut().enumerate() {
                as_numbers_mut(starts)[..width].copy_from_slice(&c[i * row_stride..][..width]);
            }
            for i in 0..ROWS {
                for j in 0..N {
                    tile[i][j] = s.load(&starts[i][j]);
                }
            }
        }
        tile
    }

    /// At once, as its rows need one look at where they end.
    #[inline(always)]
    fn finish_tile<const ROWS: usize, const N: usize>(
        &mut self,
        s: S,
        rows: &[usize; ROWS],
        block: usize,
        tile: [[S::F32; N]; ROWS],
    ) {
        let start = self.range(rows[0], block).start;
        let width = self.range(rows[0], block + N - 1).end - start;
        let (row_stride, c) = (self.c.row_stride, &mut self.c.values[start..]);
        if width == N * LANES {
            for (i, sums) in tile.into_iter().enumerate() {
                let (columns, _) = c[i * row_stride..][..N * LANES].as_chunks_mut();
                for (sum, columns) in sums.into_iter().zip(columns) {
                    s.store_unaligned(sum, columns);
                }
            }
        } else {
            for (i, sums) in tile.into_iter().enumerate() {
                let numbers = &mut c[i * row_stride..][..width];
                for (sum, columns) in sums.into_iter().zip(numbers.chunks_mut(LANES)) {
                    s.store_partial(sum, columns);
                }
            }
        }
    }
}
