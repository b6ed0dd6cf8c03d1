//! Images times weights, sample by sample.

use super::{Lists, MAX_BLOCKS, TailWeights, pass_width};
use crate::kernels::Epilogue;
use crate::kernels::gemm::{OutputRange, Rhs};
use crate::simd::{LANES, Simd};

/// x · w for a part of a minibatch (the rows) and of the units (the column blocks).
///
/// Each list is walked from end to end, once for up to seven blocks. To walk it in pieces, so that
/// fewer weights are used at a time and stay in L1, costs more than it saves: the end of each
/// piece is a branch that nobody can predict.
pub(crate) struct Forward<'a> {
    /// x
    pub(crate) images: &'a Lists,
    /// w: row p belongs to pixel p, and its blocks stand side by side.
    pub(crate) weights: Rhs<'a>,
    /// The weights of the last block, if that is a tail, which is not the only one. Its sums stand
    /// in the first lanes, the other lanes repeat them and are ignored.
    pub(crate) tail: Option<TailWeights<'a>>,
    pub(crate) output: OutputRange,
}

impl Forward<'_> {
    /// Computes the product.
    #[inline(always)]
    pub(crate) fn run<S: Simd, E: Epilogue<S>>(self, s: S, epilogue: &mut E) {
        let Self { images, weights, tail, output } = self;
        let end = output.blocks.end - usize::from(tail.is_some());
        let mut block = output.blocks.start;
        while block < end {
            let count = pass_width(end - block);
            // The last pass takes the tail along.
            let tail = tail.filter(|_| block + count == end);
            let pass = Pass { images, weights, tail, block };
            for sample in output.rows.clone() {
                match count {
                    1 => pass.walk::<S, E, 1>(s, sample, epilogue),
                    2 => pass.walk::<S, E, 2>(s, sample, epilogue),
                    3 => pass.walk::<S, E, 3>(s, sample, epilogue),
                    4 => pass.walk::<S, E, 4>(s, sample, epilogue),
                    6 => pass.walk::<S, E, 6>(s, sample, epilogue),
                    _ => pass.walk::<S, E, MAX_BLOCKS>(s, sample, epilogue),
                }
            }
            block += count;
        }
    }
}

/// A pass over the lists for some column blocks, from `block` on, and a tail after them.
struct Pass<'a> {
    images: &'a Lists,
    weights: Rhs<'a>,
    tail: Option<TailWeights<'a>>,
    block: usize,
}

impl Pass<'_> {
    /// The sums of one sample for `BLOCKS` blocks, and for the tail.
    #[inline(always)]
    fn walk<S: Simd, E: Epilogue<S>, const BLOCKS: usize>(
        &self,
        s: S,
        sample: usize,
        epilogue: &mut E,
    ) {
        let &Self { images, ref weights, tail, block } = self;
        let mut sums = [s.zero(); BLOCKS];
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum = epilogue.start(s, sample, block + j);
        }
        let first = block * LANES;
        let row = |pixel: usize| {
            let start = pixel * weights.row_stride + first;
            let (columns, _) = weights.values[start..start + BLOCKS * LANES].as_chunks::<LANES>();
            columns
        };
        match tail {
            None => {
                for pixel in images.row(sample) {
                    let x = s.splat(pixel.value());
                    for (sum, w) in sums.iter_mut().zip(row(pixel.index())) {
                        *sum = s.mul_add(x, s.load_unaligned(w), *sum);
                    }
                }
            }
            Some(TailWeights(tail)) => {
                let mut tail_sum = epilogue.start(s, sample, block + BLOCKS);
                for pixel in images.row(sample) {
                    let x = s.splat(pixel.value());
                    for (sum, w) in sums.iter_mut().zip(row(pixel.index())) {
                        *sum = s.mul_add(x, s.load_unaligned(w), *sum);
                    }
                    let w = s.load_four(&tail[pixel.index()]);
                    tail_sum = s.mul_add(x, w, tail_sum);
                }
                epilogue.finish(s, sample, block + BLOCKS, [tail_sum]);
            }
        }
        epilogue.finish(s, sample, block, sums);
    }
}
