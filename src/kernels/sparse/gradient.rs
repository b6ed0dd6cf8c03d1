//! Images, transposed, times the gradient of a layer's sums: the gradient of the weights.

use super::{MAX_BLOCKS, pass_width};
use crate::kernels::gemm::{Epilogue, OutputRange, Rhs};
use crate::kernels::sparse::columns::{Columns, IMAGES};
use crate::kernels::sparse::tail::TAIL;
use crate::simd::Simd;
use crate::simd::{F32x16, LANES, as_numbers_mut};

/// F32x16 of the sums of a pixels of pixels, where a minibatch has more than one chunk of images:
/// they and one chunk of dz fit an L1 cache.
const SUMS: usize = 256;

/// The lanes that [`gradient`] needs to work in, for minibatches of up to `batch` images.
pub(crate) fn gradient_room(batch: usize) -> usize {
    let images = batch.max(1).next_multiple_of(IMAGES);
    images * MAX_BLOCKS + images * TAIL / LANES + 2 * SUMS
}

/// xᵀ · dz for the pixels (the rows) and blocks of `area`, where row i of `dz` belongs to image i.
/// If `has_tail`, the last block, which is not the only one, is tail: the epilogue gets its sums
/// by themselves, in the first lanes, with others in the rest.
///
/// The sums of a pixel stay in registers, and `epilogue` has them before the next pixel is begun:
/// the root and the division of an optimiser go on while the next sums are added up. Of a larger
/// minibatch they are added up chunk by chunk, a pixels of pixels at a time.
#[inline(always)]
pub(crate) fn gradient<S: Simd, E: Epilogue<S>>(
    s: S,
    images: &Columns,
    dz: &Rhs<'_>,
    (area, has_tail): (OutputRange, bool),
    room: &mut [F32x16],
    epilogue: &mut E,
) {
    let end = area.blocks.end - usize::from(has_tail);
    let mut block = area.blocks.start;
    while block < end {
        let count = pass_width(end - block);
        let at = (&area, block);
        // The last pass takes the tail block along.
        macro_rules! pass {
            ($blocks:expr) => {
                if has_tail && block + count == end {
                    pass::<S, E, { $blocks }, 1>(s, images, dz, at, room, epilogue);
                } else {
                    pass::<S, E, { $blocks }, 0>(s, images, dz, at, room, epilogue);
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
    s: S,
    images: &Columns,
    dz: &Rhs<'_>,
    (area, block): (&OutputRange, usize),
    room: &mut [F32x16],
    epilogue: &mut E,
) {
    let (sums, rows) = room.split_at_mut(SUMS);
    let (tail_sums, rows) = rows.split_at_mut(SUMS);
    let (tail_rows, rows) = rows.split_at_mut(images.chunks() * IMAGES * TAIL / LANES);
    let (all_sums, _) = sums.as_chunks_mut::<BLOCKS>();
    let (rows, _) = rows.as_chunks_mut::<BLOCKS>();
    let (tail_rows, _) = as_numbers_mut(tail_rows).as_chunks_mut::<TAIL>();
    // What one image needs, side by side.
    let rows_of_images = rows.iter_mut().zip(&mut *tail_rows).take(images.images());
    for (image, (row, tail)) in rows_of_images.enumerate() {
        for (lanes, block) in row.iter_mut().zip(block..) {
            s.store(s.load_unaligned(dz.at(image, block)), lanes);
        }
        if TAIL_BLOCKS > 0 {
            tail.copy_from_slice(&dz.at(image, block + BLOCKS)[..TAIL]);
        }
    }
    let last_chunk = images.chunks() - 1;
    let (chunks, _) = rows.as_chunks::<IMAGES>();
    let (tail_chunks, _) = tail_rows.as_chunks::<IMAGES>();
    for first in area.rows.clone().step_by(all_sums.len()) {
        let pixels = first..area.rows.end.min(first + all_sums.len());
        for (chunk, (rows, tail_rows)) in chunks.iter().zip(tail_chunks).enumerate() {
            for (place, pixel) in pixels.clone().enumerate() {
                let partial = all_sums[place].iter().zip(block..);
                let tail_partial = tail_sums[place..][..TAIL_BLOCKS].iter().zip(block + BLOCKS..);
                let load = |(lanes, block): (&F32x16, usize)| match chunk {
                    0 => epilogue.start(s, pixel, block),
                    _ => s.load(lanes),
                };
                let mut sums = [s.zero(); BLOCKS];
                sums.iter_mut().zip(partial).for_each(|(sum, from)| *sum = load(from));
                let mut tail = [s.zero(); TAIL_BLOCKS];
                tail.iter_mut().zip(tail_partial).for_each(|(sum, from)| *sum = load(from));
                images.column(chunk, pixel).for_each_lit(|image, x| {
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
                    let partial = all_sums[place].iter_mut().zip(sums);
                    partial.for_each(|(lanes, sum)| s.store(sum, lanes));
                    let partial = tail_sums[place..].iter_mut().zip(tail);
                    partial.for_each(|(lanes, sum)| s.store(sum, lanes));
                }
            }
        }
    }
}
