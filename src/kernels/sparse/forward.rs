//! Images times weights, sample by sample.

use super::{MAX_BLOCKS, pass_width};
use crate::kernels::gemm::{Epilogue, OutputRange, Rhs};
use crate::kernels::sparse::lists::Lists;
use crate::kernels::sparse::tail::TailWeights;
use crate::simd::LANES;
use crate::simd::Simd;

/// x · w for the samples (the rows) and blocks of `area`, where row p of `weights` belongs to
/// pixel p and its blocks stand side by side. If there are `tail` weights, they are those of the
/// last block, which is not the only one; its sums stand in the first lanes, with others in the
/// rest.
///
/// Each list is walked from end to end, once for up to seven blocks. To walk it in pieces, so that
/// fewer weights are used at a time and stay in L1, costs more than it saves: the end of each
/// piece is a branch that nobody can predict.
#[inline(always)]
pub(crate) fn forward<S: Simd, E: Epilogue<S>>(
    s: S,
    images: &Lists,
    weights: &Rhs<'_>,
    tail: Option<TailWeights<'_>>,
    area: OutputRange,
    epilogue: &mut E,
) {
    let OutputRange { rows: samples, blocks } = area;
    let end = blocks.end - usize::from(tail.is_some());
    let mut block = blocks.start;
    while block < end {
        let count = pass_width(end - block);
        // The last pass takes the tail block along.
        let tail = tail.filter(|_| block + count == end);
        for sample in samples.clone() {
            let at = (sample, block);
            match count {
                1 => walk::<S, E, 1>(s, images, weights, tail, at, epilogue),
                2 => walk::<S, E, 2>(s, images, weights, tail, at, epilogue),
                3 => walk::<S, E, 3>(s, images, weights, tail, at, epilogue),
                4 => walk::<S, E, 4>(s, images, weights, tail, at, epilogue),
                6 => walk::<S, E, 6>(s, images, weights, tail, at, epilogue),
                _ => walk::<S, E, MAX_BLOCKS>(s, images, weights, tail, at, epilogue),
            }
        }
        block += count;
    }
}

/// The sums of one sample for `BLOCKS` blocks from `block` on, and a `tail` one after them.
#[inline(always)]
fn walk<S: Simd, E: Epilogue<S>, const BLOCKS: usize>(
    s: S,
    images: &Lists,
    weights: &Rhs<'_>,
    tail: Option<TailWeights<'_>>,
    (sample, block): (usize, usize),
    epilogue: &mut E,
) {
    let mut sums = [s.zero(); BLOCKS];
    for (j, sum) in sums.iter_mut().enumerate() {
        *sum = epilogue.start(s, sample, block + j);
    }
    let first = block * LANES;
    let row = |pixel: usize| {
        let start = pixel * weights.row + first;
        let (columns, _) = weights.values[start..start + BLOCKS * LANES].as_chunks::<LANES>();
        columns
    };
    match tail {
        None => {
            for pixel in images.list(sample) {
                let x = s.splat(pixel.value());
                for (sum, w) in sums.iter_mut().zip(row(pixel.index())) {
                    *sum = s.mul_add(x, s.load_unaligned(w), *sum);
                }
            }
        }
        Some(TailWeights(weights)) => {
            let mut tail_sum = epilogue.start(s, sample, block + BLOCKS);
            for pixel in images.list(sample) {
                let x = s.splat(pixel.value());
                for (sum, w) in sums.iter_mut().zip(row(pixel.index())) {
                    *sum = s.mul_add(x, s.load_unaligned(w), *sum);
                }
                let w = s.load_four(&weights[pixel.index()]);
                tail_sum = s.mul_add(x, w, tail_sum);
            }
            epilogue.finish(s, sample, block + BLOCKS, [tail_sum]);
        }
    }
    epilogue.finish(s, sample, block, sums);
}
