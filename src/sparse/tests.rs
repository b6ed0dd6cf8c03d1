//! The sparse products against a scalar loop over all pixels, zeros included, on every instruction
//! set.
//!
//! A product with zero leaves a sum as it is but for the sign of a zero: −0 + 0 is +0. So values
//! are compared, not bits; only zeros have two.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use super::{PIXEL_VALUES, Scratch, SparseRows, block_pixels, forward, gradient};
use crate::buffers::LANES;
use crate::gemm::testing::{Cells, Sum, UNTOUCHED, is_untouched, number};
use crate::gemm::{Area, Right};
use crate::rng::{Purpose, Rng};
use crate::simd::{Isa, Kernel, Simd};

/// A minibatch and the groups of columns to compute.
#[derive(Debug)]
struct Case {
    /// Pixels of an image.
    pixels: usize,
    images: Vec<u8>,
    /// The images of the minibatch, in its order, and the most that one may have.
    samples: Vec<usize>,
    batch: usize,
    groups: Range<usize>,
}

impl Case {
    fn x(&self, sample: usize, pixel: usize) -> f32 {
        PIXEL_VALUES[usize::from(self.images[self.samples[sample] * self.pixels + pixel])]
    }
}

fn cases() -> impl Strategy<Value = (Case, Rng)> {
    let groups = (0_usize..=2, 1_usize..=9);
    let size = prop_oneof![Just(None), (1_usize..=60).prop_map(Some), Just(Some(784))];
    let density = select(vec![0_u32, 19, 100]);
    let batch = (1_usize..=12, 0_usize..=12);
    let seed = any::<u64>().no_shrink();
    (groups, size, density, batch, seed).prop_map(|((first, width), size, density, batch, seed)| {
        let mut rng = Rng::stream(seed, Purpose::Shuffle, 2);
        // Where no size is given, one about the end of the second block.
        let pixels = size.unwrap_or_else(|| 2 * block_pixels(width) - 1 + rng.below(3) as usize);
        let mut pixel = || if rng.below(100) < density { 1 + rng.below(255) as u8 } else { 0 };
        let images = (0..20 * pixels).map(|_| pixel()).collect();
        let samples = (0..batch.0.min(batch.1)).map(|_| rng.below(20) as usize).collect();
        let case = Case { pixels, images, samples, batch: batch.0, groups: first..first + width };
        (case, rng)
    })
}

/// The forward product, or the gradient of the pixels `gradient_of`.
struct Product<'a> {
    case: &'a Case,
    rows: &'a SparseRows,
    right: Right<'a>,
    gradient_of: Option<Range<usize>>,
    cells: Cells<'a>,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { case, rows, right, gradient_of, mut cells } = self;
        let groups = case.groups.clone();
        let mut scratch = Scratch::new(case.batch, groups.len());
        let images = case.samples.iter().map(|&index| rows.row(index));
        match gradient_of {
            None => {
                let images = images.enumerate();
                forward(s, images, &right, case.pixels, groups, &mut scratch, &mut cells);
            }
            Some(rows) => {
                let area = Area { rows, groups };
                gradient(s, images, &right, area, &mut scratch, &mut cells);
            }
        }
    }
}

/// Runs the product on every instruction set; `sum` knows what the cell of a row and a column
/// must be, for the `rows`; all other cells stay as they are.
fn check(
    case: &Case,
    (right, starts): (Right<'_>, &[[f32; LANES]]),
    gradient_of: Option<Range<usize>>,
    sum: impl Fn(usize, usize) -> Sum,
) -> TestCaseResult {
    let lists = SparseRows::new(&case.images, case.pixels);
    let width = case.groups.end;
    let rows = gradient_of.clone().unwrap_or(0..case.samples.len());
    let expected = |row, group| {
        (rows.contains(&row) && case.groups.contains(&group))
            .then(|| std::array::from_fn(|lane| sum(row, group * LANES + lane)))
    };
    let expected: Vec<Option<[Sum; LANES]>> =
        (0..starts.len()).map(|cell| expected(cell / width, cell % width)).collect();
    for isa in Isa::available() {
        let mut found = vec![[UNTOUCHED; LANES]; starts.len()];
        let cells = Cells { starts, found: &mut found, width };
        let gradient_of = gradient_of.clone();
        isa.run(Product { case, rows: &lists, right, gradient_of, cells });
        for (cell, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let place = (cell / width, cell % width);
            match expected {
                None => prop_assert!(found.iter().all(|&x| is_untouched(x)), "{place:?}"),
                Some(sums) => {
                    for (sum, &x) in sums.iter().zip(found) {
                        prop_assert!(sum.bounds(x), "{isa:?}: {x} at {place:?}, not {sum:?}");
                        let equal = !isa.is_fused() || sum.equals(x);
                        prop_assert!(equal, "{isa:?}: {x} at {place:?}, not {sum:?}");
                    }
                }
            }
        }
    }
    Ok(())
}

/// Random rows of groups.
fn cells(count: usize, rng: &mut Rng) -> Vec<[f32; LANES]> {
    (0..count).map(|_| [(); LANES].map(|()| number(rng))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn forward_is_the_dense_product((case, mut rng) in cases(), moments in 0_usize..=2) {
        // As with an optimiser: each row of weights is followed by its moments.
        let width = case.groups.end;
        let row = width * (1 + moments) * LANES;
        let mut weights = vec![UNTOUCHED; case.pixels * row];
        for row in weights.chunks_exact_mut(row) {
            row[..width * LANES].fill_with(|| number(&mut rng));
        }
        let right = Right { values: &weights, row, group: LANES };
        let starts = cells(case.samples.len() * width, &mut rng);
        check(&case, (right, &starts), None, |sample, column| {
            let start = starts[sample * width + column / LANES][column % LANES];
            let mut sum = Sum::from(start);
            for pixel in 0..case.pixels {
                sum.add(case.x(sample, pixel), weights[pixel * row + column]);
            }
            sum
        })?;
    }

    #[test]
    fn the_gradient_is_the_dense_product(
        (case, mut rng) in cases(),
        cut in (0.0..=1.0, 0.0..=1.0),
    ) {
        let width = case.groups.end;
        // Of some rows only, as of a member of a team.
        let cut = [cut.0, cut.1].map(|share: f64| (share * case.pixels as f64) as usize);
        let rows = cut[0].min(cut[1])..cut[0].max(cut[1]);
        // In panels, longer than a short minibatch.
        let panel = case.batch * LANES;
        let dz: Vec<f32> = (0..width * panel).map(|_| number(&mut rng)).collect();
        let right = Right { values: &dz, row: LANES, group: panel };
        let starts = cells(case.pixels * width, &mut rng);
        check(&case, (right, &starts), Some(rows), |pixel, column| {
            let start = starts[pixel * width + column / LANES][column % LANES];
            let mut sum = Sum::from(start);
            for sample in 0..case.samples.len() {
                let dz = dz[column / LANES * panel + sample * LANES + column % LANES];
                sum.add(case.x(sample, pixel), dz);
            }
            sum
        })?;
    }
}
