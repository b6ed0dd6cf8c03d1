//! The sparse products against a scalar loop over all pixels, zeros included, on every instruction
//! set.
//!
//! A product with zero leaves a sum as it is but for the sign of a zero: −0 + 0 is +0. So values
//! are compared, not bits; only zeros have two.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use super::{
    FORWARD_LANES, GRADIENT_LANES, Minibatch, PIXEL_VALUES, Scratch, SparseRows, block_pixels,
    forward, gradient,
};
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
    samples: Vec<u32>,
    batch: usize,
    groups: Range<usize>,
}

impl Case {
    fn x(&self, sample: usize, pixel: usize) -> f32 {
        PIXEL_VALUES[usize::from(self.images[self.samples[sample] as usize * self.pixels + pixel])]
    }
}

fn cases() -> impl Strategy<Value = (Case, Rng)> {
    let groups = (0_usize..=2, 1_usize..=9);
    // About the end of the second block, few, or an image's.
    let lanes = select(vec![FORWARD_LANES, GRADIENT_LANES]);
    let size = prop_oneof![
        lanes.prop_map(|lanes| (lanes, None)),
        (1_usize..=60).prop_map(|pixels| (0, Some(pixels))),
        Just((0, Some(784))),
    ];
    let density = select(vec![0_u32, 19, 100]);
    let batch = (1_usize..=12, 0_usize..=12);
    let seed = any::<u64>().no_shrink();
    (groups, size, density, batch, seed).prop_map(|((first, width), size, density, batch, seed)| {
        let mut rng = Rng::stream(seed, Purpose::Shuffle, 2);
        let (lanes, pixels) = size;
        let about = |rng: &mut Rng| 2 * block_pixels(lanes, width) - 1 + rng.below(3) as usize;
        let pixels = pixels.unwrap_or_else(|| about(&mut rng));
        let mut pixel = || if rng.below(100) < density { 1 + rng.below(255) as u8 } else { 0 };
        let images = (0..20 * pixels).map(|_| pixel()).collect();
        let samples = (0..batch.0.min(batch.1)).map(|_| rng.below(20)).collect();
        let case = Case { pixels, images, samples, batch: batch.0, groups: first..first + width };
        (case, rng)
    })
}

#[derive(Clone, Copy)]
enum Kind {
    /// Its rows are samples.
    Forward,
    /// Its rows are pixels.
    Gradient,
}

/// A product, by the engine.
struct Product<'a> {
    kind: Kind,
    case: &'a Case,
    lists: &'a SparseRows,
    right: Right<'a>,
    area: Area,
    cells: Cells<'a>,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { kind, case, lists, right, area, mut cells } = self;
        let images = Minibatch { rows: lists, samples: &case.samples };
        let mut scratch = Scratch::new(case.batch, area.groups.len());
        match kind {
            Kind::Forward => {
                forward(s, images, &right, case.pixels, area, &mut scratch, &mut cells);
            }
            Kind::Gradient => gradient(s, images, &right, area, &mut scratch, &mut cells),
        }
    }
}

/// Has every instruction set compute the `rows` of the product; `sum` knows what must come of a
/// row and a column. All other cells stay as they are.
fn check(
    (kind, case): (Kind, &Case),
    (right, starts): (Right<'_>, &[[f32; LANES]]),
    rows: Range<usize>,
    sum: impl Fn(usize, usize) -> Sum,
) -> TestCaseResult {
    let lists = SparseRows::new(&case.images, case.pixels);
    let width = case.groups.end;
    let area = Area { rows, groups: case.groups.clone() };
    let expected = |row, group| {
        (area.rows.contains(&row) && area.groups.contains(&group))
            .then(|| std::array::from_fn(|lane| sum(row, group * LANES + lane)))
    };
    let expected: Vec<Option<[Sum; LANES]>> =
        (0..starts.len()).map(|cell| expected(cell / width, cell % width)).collect();
    for isa in Isa::available() {
        let mut found = vec![[UNTOUCHED; LANES]; starts.len()];
        let cells = Cells { starts, found: &mut found, width };
        isa.run(Product { kind, case, lists: &lists, right, area: area.clone(), cells });
        for (cell, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let place = (cell / width, cell % width);
            let Some(sums) = expected else {
                prop_assert!(found.iter().all(|&x| is_untouched(x)), "wrote at {place:?}");
                continue;
            };
            for (sum, &x) in sums.iter().zip(found) {
                let equal = !isa.is_fused() || sum.equals(x);
                prop_assert!(equal && sum.bounds(x), "{isa:?}: {x} at {place:?}, not {sum:?}");
            }
        }
    }
    Ok(())
}

/// Some of `count` rows, as those of a member of a team.
fn cut(count: usize, (one, other): (f64, f64)) -> Range<usize> {
    let [one, other] = [one, other].map(|share| (share * count as f64).round() as usize);
    one.min(other)..one.max(other)
}

/// Random rows of groups.
fn cells(count: usize, rng: &mut Rng) -> Vec<[f32; LANES]> {
    (0..count).map(|_| [(); LANES].map(|()| number(rng))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn forward_is_the_dense_product(
        (case, mut rng) in cases(),
        moments in 0_usize..=2,
        shares in (0.0..=1.0, 0.0..=1.0),
    ) {
        // As with an optimiser: each row of weights is followed by its moments.
        let width = case.groups.end;
        let row = width * (1 + moments) * LANES;
        let mut weights = vec![UNTOUCHED; case.pixels * row];
        for row in weights.chunks_exact_mut(row) {
            row[..width * LANES].fill_with(|| number(&mut rng));
        }
        let right = Right { values: &weights, row, group: LANES };
        let starts = cells(case.samples.len() * width, &mut rng);
        let rows = cut(case.samples.len(), shares);
        check((Kind::Forward, &case), (right, &starts), rows, |sample, column| {
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
        shares in (0.0..=1.0, 0.0..=1.0),
    ) {
        let width = case.groups.end;
        // In panels, longer than a short minibatch.
        let panel = case.batch * LANES;
        let dz: Vec<f32> = (0..width * panel).map(|_| number(&mut rng)).collect();
        let right = Right { values: &dz, row: LANES, group: panel };
        let starts = cells(case.pixels * width, &mut rng);
        let rows = cut(case.pixels, shares);
        check((Kind::Gradient, &case), (right, &starts), rows, |pixel, column| {
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
