//! Images times weights, pixel by pixel.

use std::ops::Range;

use super::columns::{IMAGES, is_group};
use super::{Columns, TAIL, TailWeights, pass_over, pass_width, rows_len, split_rows};
use crate::kernels::Epilogue;
use crate::kernels::gemm::{OutputRange, Rhs};
use crate::simd::{F32x16, LANES, Simd, as_numbers_mut};

/// How many pixels are taken at a time: where weights that find no register cost an instruction each
/// time that they are used, so many that they find one.
const fn group<S: Simd>() -> usize {
    if S::MEMORY_OPERANDS { 4 } else { 2 }
}

/// How many column blocks the next pass takes, of `left`.
const fn blocks_of_pass<S: Simd>(left: usize) -> usize {
    match pass_width(left) {
        width if S::MEMORY_OPERANDS => width,
        4 => 2,
        3.. => 3,
        width => width,
    }
}

/// x · w for a part of a minibatch (the rows) and of the units (the column blocks).
///
/// Of a chunk of 32 images the sums stand in L1, and the weights of a few pixels, which all images
/// of the chunk want, in registers: weights are read once for 32 images, one after the other.
pub(crate) struct Forward<'a> {
    /// x
    pub(crate) images: &'a Columns,
    /// w: row p belongs to pixel p, and its blocks stand side by side.
    pub(crate) weights: Rhs<'a>,
    /// The weights of the last block, if that is a tail, which is not the only one. Its sums stand
    /// in the first lanes, the other lanes repeat them and are ignored.
    pub(crate) tail: Option<TailWeights<'a>>,
    pub(crate) output: OutputRange,
    /// To work in: [`WORKSPACE_LEN`](Self::WORKSPACE_LEN) vectors, with anything in them.
    pub(crate) workspace: &'a mut [F32x16],
}

impl Forward<'_> {
    /// How many vectors it takes to work in.
    pub(crate) const WORKSPACE_LEN: usize = rows_len(IMAGES);

    /// Computes the product.
    #[inline(always)]
    pub(crate) fn run<S: Simd, E: Epilogue<S>>(mut self, s: S, epilogue: &mut E) {
        let end = self.output.blocks.end - usize::from(self.tail.is_some());
        let mut block = self.output.blocks.start;
        while block < end {
            let count = blocks_of_pass::<S>(end - block);
            // The last pass takes the tail along.
            let has_tail = self.tail.is_some() && block + count == end;
            macro_rules! pass {
                ($blocks:literal, $tail:literal) => {
                    if const { group::<S>() == 4 } {
                        self.pass::<S, E, $blocks, $tail, 4>(s, block, epilogue)
                    } else {
                        self.pass::<S, E, $blocks, $tail, 2>(s, block, epilogue)
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

    /// The sums of all samples for `BLOCKS` blocks from `block` on, and for `TAIL_BLOCKS` blocks,
    /// none or one, after those, `GROUP` pixels at a time.
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
        let Self { images, weights, tail, ref output, ref mut workspace } = *self;
        let pixels = 0..images.pixels();
        let tail = tail.map_or(&[][..], |TailWeights(rows)| rows);
        let chunks = match output.rows.is_empty() {
            true => 0..0,
            false => output.rows.start / IMAGES..output.rows.end.div_ceil(IMAGES),
        };
        for chunk in chunks {
            let samples =
                output.rows.start.max(chunk * IMAGES)..output.rows.end.min((chunk + 1) * IMAGES);
            let (tail_rows, rows) = split_rows(workspace, IMAGES);
            let tail_sums = as_numbers_mut(tail_rows).as_chunks_mut().0.first_chunk_mut();
            let sums = rows.as_chunks_mut().0.first_chunk_mut();
            let (Some(sums), Some(tail_sums)) = (sums, tail_sums) else {
                panic!("the workspace has a row for each image of a chunk")
            };
            let mut pass = Pass::<BLOCKS, TAIL_BLOCKS> {
                images,
                weights,
                tail,
                chunk,
                block,
                sums,
                tail_sums,
            };
            pass.start(s, samples.clone(), epilogue);
            let wanted = bits_of(samples.clone(), chunk);
            let mut pixel = pixels.start;
            while pixel < pixels.end {
                if is_group::<GROUP>(pixel, &pixels) {
                    pass.add::<S, GROUP>(s, pixel, wanted);
                    pixel += GROUP;
                } else {
                    pass.add::<S, 1>(s, pixel, wanted);
                    pixel += 1;
                }
            }
            pass.finish(s, samples, epilogue);
        }
    }
}

/// The bits of those images of chunk `chunk` that are among `samples`.
fn bits_of(samples: Range<usize>, chunk: usize) -> u32 {
    let first = samples.start - chunk * IMAGES;
    u32::MAX >> (IMAGES - samples.len()) << first
}

/// A chunk of images on its way through all pixels, for some column blocks, from `block` on, and a
/// tail after them.
struct Pass<'a, const BLOCKS: usize, const TAIL_BLOCKS: usize> {
    images: &'a Columns,
    weights: Rhs<'a>,
    tail: &'a [[f32; TAIL]],
    chunk: usize,
    block: usize,
    /// Of each image of the chunk.
    sums: &'a mut [[F32x16; BLOCKS]; IMAGES],
    tail_sums: &'a mut [[f32; TAIL]; IMAGES],
}

impl<const BLOCKS: usize, const TAIL_BLOCKS: usize> Pass<'_, BLOCKS, TAIL_BLOCKS> {
    /// What the sums of `samples` start from.
    #[inline(always)]
    fn start<S: Simd, E: Epilogue<S>>(&mut self, s: S, samples: Range<usize>, epilogue: &E) {
        for sample in samples {
            let image = sample % IMAGES;
            for (sum, block) in self.sums[image].iter_mut().zip(self.block..) {
                s.store(epilogue.start(s, sample, block), sum);
            }
            if TAIL_BLOCKS > 0 {
                let sum = epilogue.start(s, sample, self.block + BLOCKS);
                s.store_four(s.first_four(sum), &mut self.tail_sums[image]);
            }
        }
    }

    /// Adds what `GROUP` pixels from `pixel` on contribute to the images with a bit in `wanted`.
    #[inline(always)]
    fn add<S: Simd, const GROUP: usize>(&mut self, s: S, pixel: usize, wanted: u32) {
        let Self { images, weights, tail, chunk, block, ref mut sums, ref mut tail_sums } = *self;
        let mut rows = [[s.zero(); BLOCKS]; GROUP];
        let mut tail_row = [s.first_four(s.zero()); GROUP];
        for (index, row) in rows.iter_mut().enumerate() {
            let start = (pixel + index) * weights.row_stride + block * LANES;
            let (columns, _) = weights.values[start..start + BLOCKS * LANES].as_chunks::<LANES>();
            for (w, columns) in row.iter_mut().zip(columns) {
                *w = s.load_unaligned(columns);
            }
            if TAIL_BLOCKS > 0 {
                tail_row[index] = s.load_four(&tail[pixel + index]);
            }
        }
        for (image, x) in images.group::<GROUP>(chunk, pixel).of_images(wanted) {
            let mut splats = [s.zero(); GROUP];
            for (splat, x) in splats.iter_mut().zip(x) {
                *splat = s.splat(x);
            }
            for (block, into) in sums[image].iter_mut().enumerate() {
                let mut sum = s.load(into);
                for (x, row) in splats.iter().zip(&rows) {
                    sum = s.mul_add(*x, row[block], sum);
                }
                s.store(sum, into);
            }
            if TAIL_BLOCKS > 0 {
                let into = &mut tail_sums[image];
                let mut sum = s.load_four(into);
                for (x, w) in splats.iter().zip(&tail_row) {
                    sum = s.mul_add_four(s.first_four(*x), *w, sum);
                }
                s.store_four(sum, into);
            }
        }
    }

    /// Gives the sums of `samples` to the epilogue.
    #[inline(always)]
    fn finish<S: Simd, E: Epilogue<S>>(&self, s: S, samples: Range<usize>, epilogue: &mut E) {
        for sample in samples {
            let image = sample % IMAGES;
            if TAIL_BLOCKS > 0 {
                let sum = s.repeat_four(s.load_four(&self.tail_sums[image]));
                epilogue.finish(s, sample, self.block + BLOCKS, [sum]);
            }
            let mut sums = [s.zero(); BLOCKS];
            for (sum, from) in sums.iter_mut().zip(&self.sums[image]) {
                *sum = s.load(from);
            }
            epilogue.finish(s, sample, self.block, sums);
        }
    }
}
