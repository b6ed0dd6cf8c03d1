//! The sparse products against a scalar loop over all pixels, zeros included, on every instruction
//! set.
//!
//! A product with zero leaves a sum as it is but for the sign of a zero: −0 + 0 is +0. So values
//! are compared, not bits; only zeros have two.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use super::{Columns, ColumnsRead, Forward, Gradient, PIXEL_VALUES, TAIL, TailWeights};
use crate::kernels::gemm::testing::{Sum, Tables, UNTOUCHED, is_untouched, number};
use crate::kernels::gemm::{OutputRange, Rhs};
use crate::kernels::testing::with_cases;
use crate::rng::{Rng, Stream};
use crate::simd::{F32x16, Isa, Kernel, LANES, Simd};

/// A minibatch and the blocks of columns to compute.
#[derive(Debug)]
struct Case {
    /// Pixels of an image.
    pixels: usize,
    images: Vec<u8>,
    /// The images of the minibatch, in its order, and the most that one may have.
    samples: Vec<u32>,
    batch: usize,
    blocks: Range<usize>,
    /// Whether the last of the blocks is a tail.
    has_tail: bool,
}

impl Case {
    fn x(&self, sample: usize, pixel: usize) -> f32 {
        PIXEL_VALUES[usize::from(self.images[self.samples[sample] as usize * self.pixels + pixel])]
    }
}

fn cases() -> impl Strategy<Value = (Case, Rng)> {
    let blocks = (0_usize..=2, 1_usize..=9);
    let pixels = prop_oneof![1_usize..=60, Just(784)];
    let density = select(vec![0_u32, 19, 100]);
    // Up to three chunks of 32 images.
    let batch = prop_oneof![1_usize..=12, 30_usize..=34, 63_usize..=65];
    let samples = prop_oneof![Just(1.0), 0.0..=1.0];
    let seed = any::<u64>().no_shrink();
    (blocks, any::<bool>(), pixels, density, (batch, samples), seed).prop_map(
        |((first, width), has_tail, pixels, density, (batch, share), seed)| {
            let mut rng = Rng::stream(seed, Stream::Shuffle, 2);
            let mut pixel = || if rng.below(100) < density { 1 + rng.below(255) as u8 } else { 0 };
            let images = (0..20 * pixels).map(|_| pixel()).collect();
            let count = (batch as f64 * share).round() as usize;
            let samples = (0..count).map(|_| rng.below(20)).collect();
            let (blocks, has_tail) = (first..first + width, has_tail && width > 1);
            (Case { pixels, images, samples, batch, blocks, has_tail }, rng)
        },
    )
}

/// The columns of the minibatch, transposed after those of another one.
#[inline(always)]
fn transposed<S: Simd>(s: S, case: &Case) -> Columns {
    let mut columns = Columns::new(case.batch, case.pixels);
    let other: Vec<u32> = (0..case.batch).map(|image| image as u32 % 20).collect();
    for indices in [&other, &case.samples] {
        columns.fill(s, indices.len(), &ColumnsRead::all(indices.len()), |index| {
            &case.images[indices[index] as usize * case.pixels..][..case.pixels]
        });
    }
    columns
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
    rhs: Rhs<'a>,
    /// The weights of a tail block after the others; of a gradient, whether there is one.
    tail: Option<TailWeights<'a>>,
    output: OutputRange,
    tables: Tables<'a>,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { kind, case, rhs, tail, output, mut tables } = self;
        let images = &transposed(s, case);
        // As after a larger minibatch, with anything left in it.
        let anything = |length| vec![F32x16([f32::NAN; LANES]); length];
        match kind {
            Kind::Forward => {
                let workspace = &mut anything(Forward::WORKSPACE_LEN);
                let product = Forward { images, weights: rhs, tail, output, workspace };
                product.run(s, &mut tables);
            }
            Kind::Gradient => {
                let workspace = &mut anything(Gradient::workspace_len(case.batch));
                let has_tail = tail.is_some();
                let product = Gradient { images, dz: rhs, has_tail, output, workspace };
                product.run(s, &mut tables);
            }
        }
    }
}

/// Has every instruction set compute the `rows` of the product; `sum` knows what must come of a
/// row and a column. All else in the table stays as it is.
fn check(
    (kind, case): (Kind, &Case),
    (rhs, tail, starts): (Rhs<'_>, &[[f32; TAIL]], &[[f32; LANES]]),
    rows: Range<usize>,
    sum: impl Fn(usize, usize) -> Sum,
) -> TestCaseResult {
    let width = case.blocks.end;
    let output = OutputRange { rows, blocks: case.blocks.clone() };
    let expected = |row, block| {
        (output.rows.contains(&row) && output.blocks.contains(&block))
            .then(|| std::array::from_fn(|lane| sum(row, block * LANES + lane)))
    };
    let expected: Vec<Option<[Sum; LANES]>> =
        (0..starts.len()).map(|index| expected(index / width, index % width)).collect();
    for isa in Isa::available() {
        let mut found = vec![[UNTOUCHED; LANES]; starts.len()];
        let tables = Tables { starts, found: &mut found, width };
        let tail = case.has_tail.then_some(TailWeights(tail));
        let output = output.clone();
        isa.run(Product { kind, case, rhs, tail, output, tables });
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let place = (index / width, index % width);
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

/// Some of `count` rows, as those of a worker of a team.
fn cut(count: usize, (one, other): (f64, f64)) -> Range<usize> {
    let [one, other] = [one, other].map(|share| (share * count as f64).round() as usize);
    one.min(other)..one.max(other)
}

/// Random rows of blocks.
fn blocks(count: usize, rng: &mut Rng) -> Vec<[f32; LANES]> {
    (0..count).map(|_| [(); LANES].map(|()| number(rng))).collect()
}

proptest! {
    #![proptest_config(with_cases(150))]

    #[test]
    fn forward_is_the_dense_product(
        (case, mut rng) in cases(),
        moments in 0_usize..=2,
        shares in (0.0..=1.0, 0.0..=1.0),
    ) {
        // As with an optimiser: each row of weights is followed by its moments.
        let width = case.blocks.end;
        let row_stride = width * (1 + moments) * LANES;
        let mut weights = vec![UNTOUCHED; case.pixels * row_stride];
        for row in weights.chunks_exact_mut(row_stride) {
            row[..width * LANES].fill_with(|| number(&mut rng));
        }
        let rhs = Rhs { values: &weights, row_stride, block_stride: LANES, columns: usize::MAX };
        let tail: Vec<_> =
            (0..case.pixels).map(|_| [(); TAIL].map(|()| number(&mut rng))).collect();
        let weight = |pixel: usize, column: usize| {
            let ends_in_tail = case.has_tail && column / LANES + 1 == width;
            if ends_in_tail { tail[pixel][column % TAIL] } else { weights[pixel * row_stride + column] }
        };
        let starts = blocks(case.samples.len() * width, &mut rng);
        let rows = cut(case.samples.len(), shares);
        let operands = (rhs, &tail[..], &starts[..]);
        check((Kind::Forward, &case), operands, rows, |sample, column| {
            let (block, lane) = (column / LANES, column % LANES);
            let ends_in_tail = case.has_tail && block + 1 == width;
            // The other lanes of a tail block are of no interest; these are what they are.
            let lane = if ends_in_tail { lane % TAIL } else { lane };
            let mut sum = Sum::from(starts[sample * width + block][lane]);
            for pixel in 0..case.pixels {
                sum.add(case.x(sample, pixel), weight(pixel, column));
            }
            sum
        })?;
    }

    #[test]
    fn the_gradient_is_the_dense_product(
        (case, mut rng) in cases(),
        shares in (0.0..=1.0, 0.0..=1.0),
    ) {
        let width = case.blocks.end;
        // In blocked layout, longer than a short minibatch.
        let block_stride = case.batch * LANES;
        let dz: Vec<f32> = (0..width * block_stride).map(|_| number(&mut rng)).collect();
        let rhs = Rhs { values: &dz, row_stride: LANES, block_stride, columns: usize::MAX };
        let starts = blocks(case.pixels * width, &mut rng);
        let rows = cut(case.pixels, shares);
        let operands = (rhs, &[][..], &starts[..]);
        check((Kind::Gradient, &case), operands, rows, |pixel, column| {
            let (block, lane) = (column / LANES, column % LANES);
            let ends_in_tail = case.has_tail && block + 1 == width;
            // The other lanes of a tail block are of no interest; these are what they are.
            let lane = if ends_in_tail { lane % TAIL } else { lane };
            let mut sum = Sum::from(starts[pixel * width + block][lane]);
            for sample in 0..case.samples.len() {
                sum.add(case.x(sample, pixel), dz[block * block_stride + sample * LANES + lane]);
            }
            sum
        })?;
    }
}
