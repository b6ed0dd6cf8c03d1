//! Images, transposed, times the gradient of a layer's sums: the gradient of the weights.

use super::columns::IMAGES;
use super::{Columns, MAX_BLOCKS, TAIL, pass_width};
use crate::kernels::Epilogue;
use crate::kernels::gemm::{OutputRange, Rhs};
use crate::simd::{F32x16, LANES, Simd, as_numbers_mut};

/// Vectors of the sums of a block of pixels, where a minibatch has more than one chunk of images:
/// they and one chunk of dz fit an L1 cache.
const SUMS: usize = 256;

/// xᵀ · dz for some pixels (the rows) and some of the units (the column blocks).
///
/// The sums of a pixel stay in registers, and the epilogue has them before the next pixel is begun:
/// the root and the division of an optimiser go on while the next sums are added up. Of a larger
/// minibatch they are added up chunk by chunk, a block of pixels at a time.
pub(crate) struct Gradient<'a> {
    /// x
    pub(crate) images: &'a Columns,
    /// Row i belongs to image i.
    pub(crate) dz: Rhs<'a>,
    /// Whether the last block, which is then not the only one, is a tail: the epilogue gets its
    /// sums by themselves, in the first lanes, the other lanes repeat them and are ignored.
    pub(crate) has_tail: bool,
    pub(crate) output: OutputRange,
    /// To work in: [`workspace_len`](Self::workspace_len) vectors, with anything in them.
    pub(crate) workspace: &'a mut [F32x16],
}

impl Gradient<'_> {
    /// How many vectors it takes to work in, for minibatches of up to `batch` images.
    pub(crate) fn workspace_len(batch: usize) -> usize {
        let images = batch.max(1).next_multiple_of(IMAGES);
        images * MAX_BLOCKS + images * TAIL / LANES + 2 * SUMS
    }

    /// Computes the product.
    #[inline(always)]
    pub(crate) fn run<S: Simd, E: Epilogue<S>>(mut self, s: S, epilogue: &mut E) {
        let end = self.output.blocks.end - usize::from(self.has_tail);
        let mut block = self.output.blocks.start;
        while block < end {
            let count = pass_width(end - block);
            // The last pass takes the tail along.
            macro_rules! pass {
                ($blocks:expr) => {
                    if self.has_tail && block + count == end {
                        self.pass::<S, E, { $blocks }, 1>(s, block, epilogue);
                    } else {
                        self.pass::<S, E, { $blocks }, 0>(s, block, epilogue);
                    }
                };
            }
            match count {
                1 => pass!(1),
                2 => pass!(2),
                3 => pass!(3),
                4 => pass!(4),
                6 => pass!(6),
                _ => pass!(MAX_BLOCKS),
            }
            block += count;
        }
    }

    /// The sums of all pixels for `BLOCKS` blocks from `block` on, and for `TAIL_BLOCKS` blocks,
    /// none or one, after those.
    #[inline(always)]
    fn pass<S: Simd, E: Epilogue<S>, const BLOCKS: usize, const TAIL_BLOCKS: usize>(
        &mut self,
        s: S,
        block: usize,
        epilogue: &mut E,
    ) {
        let Self { images, dz, output, workspace, .. } = self;
        let (images, pixels) = (*images, output.rows.clone());
        let (sums, rows) = workspace.split_at_mut(SUMS);
        let (tail_sums, rows) = rows.split_at_mut(SUMS);
        let (tail_rows, rows) = rows.split_at_mut(images.chunks() * IMAGES * TAIL / LANES);
        let (all_sums, _) = sums.as_chunks_mut::<BLOCKS>();
        let (rows, _) = rows.as_chunks_mut::<BLOCKS>();
        let (tail_rows, _) = as_numbers_mut(tail_rows).as_chunks_mut::<TAIL>();
        // What one image needs, side by side.
        let rows_of_images = rows.iter_mut().zip(&mut *tail_rows).take(images.images());
        for (image, (row, tail)) in rows_of_images.enumerate() {
            for (vector, block) in row.iter_mut().zip(block..) {
                s.store(s.load_unaligned(dz.at(image, block)), vector);
            }
            if TAIL_BLOCKS > 0 {
                tail.copy_from_slice(&dz.at(image, block + BLOCKS)[..TAIL]);
            }
        }
        let last_chunk = images.chunks() - 1;
        let (chunks, _) = rows.as_chunks::<IMAGES>();
        let (tail_chunks, _) = tail_rows.as_chunks::<IMAGES>();
        for first in pixels.clone().step_by(all_sums.len()) {
            let pixels = first..pixels.end.min(first + all_sums.len());
            for (chunk, (rows, tail_rows)) in chunks.iter().zip(tail_chunks).enumerate() {
                for (index, pixel) in pixels.clone().enumerate() {
                    let partial = all_sums[index].iter().zip(block..);
                    let tail_partial =
                        tail_sums[index..][..TAIL_BLOCKS].iter().zip(block + BLOCKS..);
                    let load = |(vector, block): (&F32x16, usize)| match chunk {
                        0 => epilogue.start(s, pixel, block),
                        _ => s.load(vector),
                    };
                    let mut sums = [s.zero(); BLOCKS];
                    sums.iter_mut().zip(partial).for_each(|(sum, from)| *sum = load(from));
                    let mut tail = [s.zero(); TAIL_BLOCKS];
                    tail.iter_mut().zip(tail_partial).for_each(|(sum, from)| *sum = load(from));
                    images.column(chunk, pixel).for_each_nonzero(|image, x| {
                        let x = s.splat(x);
                        for (sum, dz) in sums.iter_mut().zip(&rows[image]) {
                            *sum = s.mul_add(x, s.load(dz), *sum);
                        }
                        for sum in &mut tail {
                            *sum = s.mul_add(x, s.load_four(&tail_rows[image]), *sum);
                        }
                    });
                    if chunk == last_chunk {
                        epilogue.finish(s, pixel, block, sums);
                        tail.into_iter()
                            .for_each(|sum| epilogue.finish(s, pixel, block + BLOCKS, [sum]));
                    } else {
                        let partial = all_sums[index].iter_mut().zip(sums);
                        partial.for_each(|(vector, sum)| s.store(sum, vector));
                        let partial = tail_sums[index..].iter_mut().zip(tail);
                        partial.for_each(|(vector, sum)| s.store(sum, vector));
                    }
                }
            }
        }
    }
}
