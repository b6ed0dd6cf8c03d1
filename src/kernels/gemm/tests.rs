//! Matrix products against a scalar loop, on every instruction set: bit for bit where multiply-add
//! rounds once, within the error bound everywhere, and nothing touched beside them.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use super::blocking::Blocking;
use super::tile::MicroTile;
use super::{
    AxisLayout, Gemm, GemmBackend, Lhs, MatrixMut, MatrixRef, OutputRange, Product, Rhs, Start,
};
use crate::kernels::gemm::testing::{Sum, Tables, UNTOUCHED, is_untouched, number};
use crate::kernels::testing::with_cases;
use crate::rng::{Rng, Stream};
use crate::simd::testing::on_each_isa;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// m, n and k.
type Shape = (usize, usize, usize);

/// Sizes about those of tiles, column blocks and packed panels, and primes.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        1 => Just(0),
        4 => 1_usize..=9,
        2 => select(vec![15, 16, 17, 31, 32, 33, 47, 48, 49]),
        1 => select(vec![23, 37, 61, 63, 64, 65, 97]),
    ]
}

/// Now and then one of them large.
fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![
        16 => (sizes(), sizes(), sizes()),
        1 => (select(vec![191_usize, 193, 389, 512, 513]), sizes(), sizes()),
        1 => (sizes(), select(vec![255_usize, 257, 1535, 1537]), 0_usize..=9),
        1 => (sizes(), sizes(), select(vec![1023_usize, 1025, 2049])),
        1 => (Just(11), Just(275), Just(1027)),
        1 => (Just(65), Just(128), select(vec![1023_usize, 1024])),
    ]
}

/// The steps of the loops 5 to 3 on this machine, and such as no caches ask for: the bits are the same
/// in any.
fn blockings() -> impl Strategy<Value = Blocking> {
    let small = (1_usize..=4, 1_usize..=70, 1_usize..=40);
    let small = small.prop_map(|(blocks, kc, mc)| Blocking { nc: blocks * LANES, kc, mc });
    prop_oneof![1 => Just(Blocking::of_this_machine()), 3 => small]
}

/// A matrix as it is stored, what is between and behind its rows included.
#[derive(Clone, Debug)]
struct Stored {
    values: Vec<f32>,
    rows: usize,
    columns: usize,
    row_stride: usize,
}

impl Stored {
    fn new((rows, columns): (usize, usize), gap: usize, mut value: impl FnMut() -> f32) -> Self {
        let row_stride = columns + gap;
        // Mostly as short as may be: no gap behind the last row.
        let behind = if gap == 4 { 100 } else { 0 };
        let length = if rows == 0 { 0 } else { row_stride * (rows - 1) + columns } + behind;
        let mut values = vec![UNTOUCHED; length];
        for row in values.chunks_mut(row_stride.max(1)).take(rows) {
            row[..columns].fill_with(&mut value);
        }
        Self { values, rows, columns, row_stride }
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.row_stride + column]
    }

    fn view(&self) -> MatrixRef<'_> {
        MatrixRef::new(&self.values, self.rows, self.columns, self.row_stride)
    }
}

/// An operand, which may be stored transposed.
#[derive(Debug)]
struct Operand {
    stored: Stored,
    transposed: bool,
}

impl Operand {
    fn new((rows, columns): (usize, usize), kind: (bool, usize), rng: &mut Rng) -> Self {
        let (transposed, gap) = kind;
        let shape = if transposed { (columns, rows) } else { (rows, columns) };
        Self { stored: Stored::new(shape, gap, || number(rng)), transposed }
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        if self.transposed { self.stored.at(column, row) } else { self.stored.at(row, column) }
    }

    fn view(&self) -> MatrixRef<'_> {
        if self.transposed { self.stored.view().transposed() } else { self.stored.view() }
    }
}

/// Bits where `isa` promises them; the error bound in any case.
fn check(sum: &Sum, isa: Isa, place: (usize, usize), found: f32) -> TestCaseResult {
    prop_assert!(sum.bounds(found), "{isa:?}: {found} at {place:?}, not {sum:?}");
    prop_assert!(!isa.is_fused() || sum.is(found), "{isa:?}: {found} at {place:?}, not {sum:?}");
    Ok(())
}

/// A [`Gemm`] whose packing buffers earlier products have left full of NaN.
fn soiled(isa: Isa, blocking: Blocking) -> Gemm {
    let mut gemm = Gemm::with_blocking(isa, blocking);
    let nan = vec![f32::NAN; 60 * 300];
    let mut c = vec![0.0; 40 * 300];
    let (a, b) = (MatrixRef::new(&nan, 60, 40, 40), MatrixRef::new(&nan, 300, 60, 60));
    let mut c = MatrixMut::new(&mut c, 40, 300, 300);
    gemm.multiply(a.transposed(), b.transposed(), Start::Zero, &mut c);
    gemm
}

proptest! {
    #![proptest_config(with_cases(600))]

    #[test]
    fn matrices(shape in shapes(), layout in layouts(), blocking in blockings()) {
        check_product(shape, layout, blocking)?;
    }
}

proptest! {
    #![proptest_config(with_cases(12))]

    /// In steps as caches ask for, more than one of each loop, and a large B with few rows of A.
    #[test]
    fn blocks(
        shape in select(vec![
            (193, 129, 1025),
            (65, 129, 1025),
            (14, 272, 515),
            (3, 1553, 9),
            (65, 1553, 9),
        ]),
        layout in layouts(),
    ) {
        check_product(shape, layout, Blocking::of_this_machine())?;
    }
}

/// How the matrices of a product are stored, and what it starts from.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// Of A and B: whether transposed, and the gap between rows.
    operands: [(bool, usize); 2],
    /// The gap between rows of C.
    gap: usize,
    start: Start,
    seed: u64,
}

fn layouts() -> impl Strategy<Value = Layout> {
    let operand = || (any::<bool>(), 0_usize..=5);
    let start = select(vec![Start::Zero, Start::Add]);
    ([operand(), operand()], 0_usize..=20, start, any::<u64>().no_shrink())
        .prop_map(|(operands, gap, start, seed)| Layout { operands, gap, start, seed })
}

fn check_product((m, n, k): Shape, layout: Layout, blocking: Blocking) -> TestCaseResult {
    let Layout { operands, gap, start, seed } = layout;
    let mut rng = Rng::stream(seed, Stream::Shuffle, 0);
    let a = Operand::new((m, k), operands[0], &mut rng);
    let b = Operand::new((k, n), operands[1], &mut rng);
    // What is not added to must not be read.
    let value = || if start == Start::Zero { UNTOUCHED } else { number(&mut rng) };
    let before = Stored::new((m, n), gap, value);
    let mut sums = Vec::with_capacity(m * n);
    for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
        let start = if start == Start::Zero { 0.0 } else { before.at(i, j) };
        let mut sum = Sum::from(start);
        (0..k).for_each(|p| sum.add(a.at(i, p), b.at(p, j)));
        sums.push(sum);
    }
    for isa in Isa::available() {
        let mut after = before.clone();
        let mut c = MatrixMut::new(&mut after.values, m, n, after.row_stride);
        soiled(isa, blocking).multiply(a.view(), b.view(), start, &mut c);
        for (place, &found) in after.values.iter().enumerate() {
            let (i, j) = (place / after.row_stride, place % after.row_stride);
            if i < m && j < n {
                check(&sums[i * n + j], isa, (i, j), found)?;
            } else {
                prop_assert!(is_untouched(found), "{isa:?} wrote beside ({i}, {j})");
            }
        }
    }
    Ok(())
}

/// Where elements stand: blocks of so many along an axis of `length`, side by side for every one of
/// the `other` axis, with a gap after each; or no blocks.
fn axes(
    blocks: Option<(usize, usize)>,
    (m, k): (usize, usize),
    by_rows: bool,
) -> (AxisLayout, AxisLayout) {
    let (length, other) = if by_rows { (k, m) } else { (m, k) };
    let (along, across) = match blocks {
        Some((block, gap)) => {
            let across = block + gap;
            let along = AxisLayout { stride: 1, block, block_stride: across * other };
            (along, AxisLayout::strided(across))
        }
        None => (AxisLayout::strided(1), AxisLayout::strided(length + 3)),
    };
    if by_rows { (across, along) } else { (along, across) }
}

proptest! {
    /// From one to the next as from the start, whatever the blocks, side by side or interleaved.
    #[test]
    fn offsets_follow_one_another(
        stride in 0_usize..5,
        block in prop_oneof![1_usize..20, Just(usize::MAX)],
        block_stride in 0_usize..50,
        first in 0_usize..60,
    ) {
        let axis = AxisLayout { stride, block, block_stride };
        prop_assert_eq!(axis.offsets::<8>(first), std::array::from_fn(|i| axis.offset(first + i)));
    }
}

/// A product as layers have it, from one table into another.
struct Multiply<'a> {
    backend: GemmBackend,
    product: &'a Product<'a>,
    tables: Tables<'a>,
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { backend, product, mut tables } = self;
        backend.multiply(s, product, &mut tables);
    }
}

#[test]
fn tiles_and_their_operands_fit_the_registers() {
    on_each_isa!(s => {
        fn check<S: Simd>(_: S) {
            // A number of A, broadcast, may take less than a vector's registers.
            assert!(S::MR * S::NR_BLOCKS + S::NR_BLOCKS < S::VECTORS, "{}", S::VECTORS);
        }
        check(s);
    });
}

proptest! {
    #![proptest_config(with_cases(600))]

    /// A part of a product, from operands in any of the layouts that layers use.
    #[test]
    fn tiles(
        (rows, width, k) in (0_usize..=35, 0_usize..=8, sizes()),
        corner in (0_usize..=9, 0_usize..=3),
        lhs_blocks in prop::option::of((select(vec![1_usize, 5, 16]), 0_usize..=16)),
        by_rows in any::<bool>(),
        (rows_of_blocks, gap) in (any::<bool>(), 0_usize..=2),
        absent in 0..LANES,
        seed in any::<u64>().no_shrink(),
    ) {
        let mut rng = Rng::stream(seed, Stream::Shuffle, 1);
        let output =
            OutputRange { rows: corner.0..corner.0 + rows, blocks: corner.1..corner.1 + width };
        let (m, blocks) = (output.rows.end, output.blocks.end);
        let (row_axis, k_axis) = axes(lhs_blocks, (m, k), by_rows);
        let offset = |row: usize, p: usize| row_axis.offset(row) + k_axis.offset(p);
        let elements = || (0..m).flat_map(|row| (0..k).map(move |p| (row, p)));
        let length = elements().map(|(row, p)| offset(row, p) + 1).max().unwrap_or(0);
        let mut a = vec![UNTOUCHED; length];
        for (row, p) in elements() {
            a[offset(row, p)] = number(&mut rng);
        }
        let (row_stride, block_stride) = if rows_of_blocks {
            ((blocks + gap) * LANES, LANES)
        } else {
            (LANES, (k + gap) * LANES)
        };
        let mut b = vec![UNTOUCHED; (k + gap) * (blocks + gap) * LANES];
        for (p, g) in (0..k).flat_map(|p| (0..blocks).map(move |g| (p, g))) {
            let there = if g + 1 == blocks { LANES - absent } else { LANES };
            let (there, absent) = b[p * row_stride + g * block_stride..][..LANES].split_at_mut(there);
            there.fill_with(|| number(&mut rng));
            absent.fill(0.0);
        }
        let starts: Vec<[f32; LANES]> =
            (0..m * blocks).map(|_| [(); LANES].map(|()| number(&mut rng))).collect();
        let product = Product {
            lhs: Lhs { values: &a, rows: row_axis, k: k_axis },
            rhs: Rhs {
                values: &b,
                row_stride,
                block_stride,
                columns: (blocks * LANES).saturating_sub(absent),
            },
            k,
            output,
        };
        let mut sums = starts.iter().map(|starts| starts.map(Sum::from)).collect::<Vec<_>>();
        for (index, sums) in sums.iter_mut().enumerate() {
            let (i, g) = (index / blocks, index % blocks);
            for p in 0..k {
                let columns = &b[p * row_stride + g * block_stride..][..LANES];
                sums.iter_mut().zip(columns).for_each(|(sum, &b)| sum.add(a[offset(i, p)], b));
            }
        }
        for isa in Isa::available() {
            for backend in [GemmBackend::Engine, GemmBackend::Matrixmultiply] {
                let mut found = vec![[UNTOUCHED; LANES]; m * blocks];
                let tables = Tables { starts: &starts, found: &mut found, width: blocks };
                isa.run(Multiply { backend, product: &product, tables });
                for (index, (found, sums)) in found.iter().zip(&sums).enumerate() {
                    let place = (index / blocks, index % blocks);
                    let OutputRange { rows, blocks } = &product.output;
                    if !(rows.contains(&place.0) && blocks.contains(&place.1)) {
                        prop_assert!(found.iter().all(|&x| is_untouched(x)), "{place:?}");
                        continue;
                    }
                    for (sum, &found) in sums.iter().zip(found) {
                        match backend {
                            GemmBackend::Engine => check(sum, isa, place, found)?,
                            // In whatever order: as close as any sum must be.
                            GemmBackend::Matrixmultiply => prop_assert!(sum.bounds(found)),
                        }
                    }
                }
            }
        }
    }
}
