//! Images, transposed, times the gradient of a layer's sums: the gradient of the weights.

use super::columns::{IMAGES, is_group};
use super::{Columns, TAIL, pass_over, pass_width, rows_len, split_rows};
use crate::kernels::Epilogue;
use crate::kernels::gemm::{OutputRange, Rhs};
use crate::simd::{F32x16, LANES, Simd, as_numbers_mut};

/// Vectors of the sums of a block of pixels, where a minibatch has more than one chunk of images:
/// they and one chunk of dz fit an L1 cache.
const SUMS: usize = 256;

/// Vectors of the sums of a tail: as many pixels as have sums where there is one column block.
const TAIL_SUMS: usize = SUMS * TAIL / LANES;

/// How many pixels are taken at a time over `blocks` column blocks: as many as there are registers
/// for their sums.
const fn group<S: Simd>(blocks: usize) -> usize {
    match S::VECTORS / (blocks + 1) {
        6.. => 4,
        2.. => 2,
        _ => 1,
    }
}

/// xᵀ · dz for some pixels (the rows) and some of the units (the column blocks).
///
/// The sums of a few pixels stay in registers, and the epilogue has them before the next are begun:
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
    pub(crate) const fn workspace_len(batch: usize) -> usize {
        let images = if batch == 0 { 1 } else { batch };
        rows_len(images) + SUMS + TAIL_SUMS
    }

    /// Computes the product.
    #[inline(always)]
    pub(crate) fn run<S: Simd, E: Epilogue<S>>(mut self, s: S, epilogue: &mut E) {
        let end = self.output.blocks.end - usize::from(self.has_tail);
        let mut block = self.output.blocks.start;
        while block < end {
            let count = pass_width(end - block);
            // The last pass takes the tail along.
            let has_tail = self.has_tail && block + count == end;
            // Which group it is, is decided while compiling: passes with another are not compiled.
            macro_rules! pass {
                ($blocks:literal, $tail:literal) => {
                    if const { group::<S>($blocks) == 4 } {
                        self.pass::<S, E, $blocks, $tail, 4>(s, block, epilogue)
                    } else if const { group::<S>($blocks) == 2 } {
                        self.pass::<S, E, $blocks, $tail, 2>(s, block, epilogue)
                    } else {
                        self.pass::<S, E, $blocks, $tail, 1>(s, block, epilogue)
                    }
                };
                ($blocks:literal) => {
                    if has_tail { pass!($blocks, 1) } else { pass!($blocks, 0) }
                };
            }
            pass_over!(pass, count);
            block += count;
        }
    }

    /// The sums of all pixels, `GROUP` at a time, for `BLOCKS` blocks from `block` on, and for
    /// `TAIL_BLOCKS` blocks, none or one, after those.
    #[inline(always)]
    fn pass<
        S: Simd,
        E: Epilogue<S>,
        const BLOCKS: usize,
        const TAIL_BLOCKS: usize,
        const GROUP: usize,
    >(
        &mut self,
        s: S,
        block: usize,
        epilogue: &mut E,
    ) {
        let Self { images, dz, ref output, ref mut workspace, .. } = *self;
        let pixels = output.rows.clone();
        let (sums, rows) = workspace.split_at_mut(SUMS);
        let (tail_sums, rows) = rows.split_at_mut(TAIL_SUMS);
        let (tail_rows, rows) = split_rows(rows, images.images().max(1));
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
        let (chunks, _) = rows.as_chunks::<IMAGES>();
        let (tail_chunks, _) = tail_rows.as_chunks::<IMAGES>();
        let (sums, _) = sums.as_chunks_mut::<BLOCKS>();
        let (tail_sums, _) = as_numbers_mut(tail_sums).as_chunks_mut::<TAIL>();
        let most = sums.len() / GROUP * GROUP;
        for first in pixels.clone().step_by(most) {
            let pixels = first..pixels.end.min(first + most);
            for (chunk, (dz, tail_dz)) in chunks.iter().zip(tail_chunks).enumerate() {
                let is_last = chunk + 1 == images.chunks();
                let mut pass = Pass::<BLOCKS, TAIL_BLOCKS> {
                    images,
                    chunk,
                    is_last,
                    block,
                    dz,
                    tail_dz,
                    first,
                    sums,
                    tail_sums,
                };
                let mut pixel = pixels.start;
                while pixel < pixels.end {
                    if is_group::<GROUP>(pixel, &pixels) {
                        pass.add::<S, E, GROUP>(s, pixel, epilogue);
                        pixel += GROUP;
                    } else {
                        pass.add::<S, E, 1>(s, pixel, epilogue);
                        pixel += 1;
                    }
                }
                if is_last {
                    break;
                }
            }
        }
    }
}

/// A block of pixels on its way through a chunk of images, for some column blocks, from `block` on,
/// and a tail after them.
struct Pass<'a, const BLOCKS: usize, const TAIL_BLOCKS: usize> {
    images: &'a Columns,
    chunk: usize,
    /// Whether the sums are complete after this chunk.
    is_last: bool,
    block: usize,
    /// Of each image of the chunk.
    dz: &'a [[F32x16; BLOCKS]; IMAGES],
    tail_dz: &'a [[f32; TAIL]; IMAGES],
    /// The first pixel of the block.
    first: usize,
    /// Of each of its pixels, what the chunks before have added up.
    sums: &'a mut [[F32x16; BLOCKS]],
    tail_sums: &'a mut [[f32; TAIL]],
}

impl<const BLOCKS: usize, const TAIL_BLOCKS: usize> Pass<'_, BLOCKS, TAIL_BLOCKS> {
    /// Adds up the sums of `GROUP` pixels from `pixel` on.
    #[inline(always)]
    fn add<S: Simd, E: Epilogue<S>, const GROUP: usize>(
        &mut self,
        s: S,
        pixel: usize,
        epilogue: &mut E,
    ) {
        let Self { images, chunk, is_last, block, dz, tail_dz, first, .. } = *self;
        let mut sums = [[s.zero(); BLOCKS]; GROUP];
        let mut tail = [s.first_four(s.zero()); GROUP];
        let of_pixels = sums.iter_mut().zip(&mut tail).enumerate();
        for (index, (sums, tail)) in of_pixels {
            let (pixel, place) = (pixel + index, pixel + index - first);
            for ((sum, before), block) in sums.iter_mut().zip(&self.sums[place]).zip(block..) {
                *sum = if chunk == 0 { epilogue.start(s, pixel, block) } else { s.load(before) };
            }
            if TAIL_BLOCKS > 0 {
                *tail = match chunk {
                    0 => s.first_four(epilogue.start(s, pixel, block + BLOCKS)),
                    _ => s.load_four(&self.tail_sums[place]),
                };
            }
        }
        for (image, x) in images.group::<GROUP>(chunk, pixel) {
            let mut splats = [s.zero(); GROUP];
            for (splat, x) in splats.iter_mut().zip(x) {
                *splat = s.splat(x);
            }
            for (column, dz) in dz[image].iter().enumerate() {
                let dz = s.load(dz);
                for (sums, x) in sums.iter_mut().zip(&splats) {
                    sums[column] = s.mul_add(*x, dz, sums[column]);
                }
            }
            if TAIL_BLOCKS > 0 {
                let dz = s.load_four(&tail_dz[image]);
                for (sum, x) in tail.iter_mut().zip(&splats) {
                    *sum = s.mul_add_four(s.first_four(*x), dz, *sum);
                }
            }
        }
        for (index, (sums, tail)) in sums.iter().zip(&tail).enumerate() {
            let (pixel, place) = (pixel + index, pixel + index - first);
            if is_last {
                epilogue.finish(s, pixel, block, *sums);
                if TAIL_BLOCKS > 0 {
                    epilogue.finish(s, pixel, block + BLOCKS, [s.repeat_four(*tail)]);
                }
            } else {
                for (into, sum) in self.sums[place].iter_mut().zip(sums) {
                    s.store(*sum, into);
                }
                if TAIL_BLOCKS > 0 {
                    s.store_four(*tail, &mut self.tail_sums[place]);
                }
            }
        }
    }
}
