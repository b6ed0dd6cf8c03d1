//! GemmBackend against a scalar loop, on every instruction set: bit for bit where multiply-add rounds
//! once, within the error bound everywhere, and nothing touched beside them.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use super::{AxisLayout, Gemm, GemmBackend, Lhs, MatrixMut, MatrixRef, OutputRange, Rhs, Start};
use crate::kernels::gemm::testing::{Cells, Sum, UNTOUCHED, is_untouched, number};
use crate::rng::{Rng, Stream};
use crate::simd::LANES;
use crate::simd::{Isa, Kernel, Simd};

/// m, n and k.
type Shape = (usize, usize, usize);

/// Sizes about those of tiles, blocks and what is packed, and primes.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        1 => Just(0),
        4 => 1_usize..=9,
        2 => select(vec![15, 16, 17, 31, 32, 33, 47, 48, 49]),
        1 => select(vec![23, 37, 61, 63, 64, 65, 97]),
    ]
}

/// Now and then one of them greater than a block.
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

/// A [`Gemm`] whose packing buffer an earlier product has left full of NaN.
fn soiled(isa: Isa) -> Gemm {
    let mut gemm = Gemm::new(isa);
    let nan = vec![f32::NAN; 9 * 300];
    let mut c = vec![0.0; 300];
    let (a, b) = (MatrixRef::new(&nan, 1, 9, 9), MatrixRef::new(&nan, 300, 9, 9).transposed());
    gemm.multiply(a, b, Start::Zero, &mut MatrixMut::new(&mut c, 1, 300, 300));
    gemm
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn matrices(shape in shapes(), layout in layouts()) {
        check_product(shape, layout)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// More than one block of rows, of depth and of columns, and a large B with few rows of A.
    #[test]
    fn blocks(
        shape in select(vec![(193, 129, 1025), (65, 129, 1025), (3, 1553, 9), (65, 1553, 9)]),
        layout in layouts(),
    ) {
        check_product(shape, layout)?;
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

fn check_product((m, n, k): Shape, layout: Layout) -> TestCaseResult {
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
        soiled(isa).multiply(a.view(), b.view(), start, &mut c);
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

/// Where elements stand: panels of `panel` along an axis of `length`, `stride` apart, of `other`
/// numbers each.
fn axes(
    panels: Option<(usize, usize)>,
    (m, k): (usize, usize),
    by_rows: bool,
) -> (AxisLayout, AxisLayout) {
    let (length, other) = if by_rows { (k, m) } else { (m, k) };
    let (along, across) = match panels {
        // Panel after panel, each with `panel` numbers side by side for every one across.
        Some((panel, gap)) => {
            let across = panel + gap;
            (
                AxisLayout { stride: 1, panel, panel_stride: across * other },
                AxisLayout::even(across),
            )
        }
        None => (AxisLayout::even(1), AxisLayout::even(length + 3)),
    };
    if by_rows { (across, along) } else { (along, across) }
}

/// A product of tiles and how its operands stand.
struct Tiles<'a> {
    products: GemmBackend,
    left: Lhs<'a>,
    right: Rhs<'a>,
    depth: usize,
    area: OutputRange,
    slots: Cells<'a>,
}

impl Kernel for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { products, left, right, depth, area, mut slots } = self;
        products.multiply(s, &left, &right, depth, area, &mut slots);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// A part of a product, from operands in any of the layouts that layers use.
    #[test]
    fn tiles(
        (rows, width, depth) in (0_usize..=35, 0_usize..=8, sizes()),
        corner in (0_usize..=9, 0_usize..=3),
        panels in prop::option::of((select(vec![1_usize, 5, 16]), 0_usize..=16)),
        by_rows in any::<bool>(),
        (rows_of_groups, gap) in (any::<bool>(), 0_usize..=2),
        seed in any::<u64>().no_shrink(),
    ) {
        let mut rng = Rng::stream(seed, Stream::Shuffle, 1);
        let area = OutputRange { rows: corner.0..corner.0 + rows, blocks: corner.1..corner.1 + width };
        let (m, blocks) = (area.rows.end, area.blocks.end);
        let (row_axis, depth_axis) = axes(panels, (m, depth), by_rows);
        let place = |row: usize, p: usize| row_axis.offset(row) + depth_axis.offset(p);
        let places = || (0..m).flat_map(|row| (0..depth).map(move |p| (row, p)));
        let length = places().map(|(row, p)| place(row, p) + 1).max().unwrap_or(0);
        let mut a = vec![UNTOUCHED; length];
        for (row, p) in places() {
            a[place(row, p)] = number(&mut rng);
        }
        let (row, block) = if rows_of_groups {
            ((blocks + gap) * LANES, LANES)
        } else {
            (LANES, (depth + gap) * LANES)
        };
        let mut b = vec![UNTOUCHED; (depth + gap) * (blocks + gap) * LANES];
        for (p, g) in (0..depth).flat_map(|p| (0..blocks).map(move |g| (p, g))) {
            b[p * row + g * block..][..LANES].fill_with(|| number(&mut rng));
        }
        let starts: Vec<[f32; LANES]> =
            (0..m * blocks).map(|_| [(); LANES].map(|()| number(&mut rng))).collect();
        let (left, right) = (
            Lhs { values: &a, rows: row_axis, depth: depth_axis },
            Rhs { values: &b, row, block },
        );
        let mut sums = starts.iter().map(|slot| slot.map(Sum::from)).collect::<Vec<_>>();
        for (index, slot) in sums.iter_mut().enumerate() {
            let (i, g) = (index / blocks, index % blocks);
            for p in 0..depth {
                let columns = &b[p * row + g * block..][..LANES];
                slot.iter_mut().zip(columns).for_each(|(sum, &b)| sum.add(a[place(i, p)], b));
            }
        }
        for isa in Isa::available() {
            for products in [GemmBackend::Engine, GemmBackend::Matrixmultiply] {
                let mut found = vec![[UNTOUCHED; LANES]; m * blocks];
                let slots = Cells { starts: &starts, found: &mut found, width: blocks };
                isa.run(Tiles { products, left, right, depth, area: area.clone(), slots });
                for (index, (found, sums)) in found.iter().zip(&sums).enumerate() {
                    let place = (index / blocks, index % blocks);
                    if !(area.rows.contains(&place.0) && area.blocks.contains(&place.1)) {
                        prop_assert!(found.iter().all(|&x| is_untouched(x)), "{place:?}");
                        continue;
                    }
                    for (sum, &found) in sums.iter().zip(found) {
                        match products {
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
