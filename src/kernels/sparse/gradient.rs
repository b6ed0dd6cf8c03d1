//! Images, transposed, times the gradient of a layer's sums: the gradient of the weights.

use super::{MOST_GROUPS, pass_width};
use crate::kernels::gemm::{Area, Epilogue, Right};
use crate::kernels::sparse::columns::{Columns, IMAGES};
use crate::kernels::sparse::narrow::NARROW;
use crate::simd::Simd;
use crate::simd::{LANES, Lanes, as_numbers_mut};

/// Lanes of the sums of a block of pixels, where a minibatch has more than one chunk of images:
/// they and one chunk of dz fit an L1 cache.
const SUMS: usize = 256;

/// The lanes that [`gradient`] needs to work in, for minibatches of up to `batch` images.
pub(crate) fn gradient_room(batch: usize) -> usize {
    let images = batch.max(1).next_multiple_of(IMAGES);
    images * MOST_GROUPS + images * NARROW / LANES + 2 * SUMS
}

/// xᵀ · dz for the pixels (the rows) and groups of `area`, where row i of `dz` belongs to image i.
/// If `has_narrow`, the last group, which is not the only one, is narrow: the epilogue gets its sums
/// by themselves, in the first lanes, with others in the rest.
///
/// The sums of a pixel stay in registers, and `epilogue` has them before the next pixel is begun:
/// the root and the division of an optimiser go on while the next sums are added up. Of a larger
/// minibatch they are added up chunk by chunk, a block of pixels at a time.
#[inline(always)]
pub(crate) fn gradient<S: Simd, E: Epilogue<S>>(
    s: S,
    images: &Columns,
    dz: &Right<'_>,
    (area, has_narrow): (Area, bool),
    room: &mut [Lanes],
    epilogue: &mut E,
) {
    let end = area.groups.end - usize::from(has_narrow);
    let mut group = area.groups.start;
    while group < end {
        let count = pass_width(end - group);
        let at = (&area, group);
        // The last pass takes the narrow group along.
        macro_rules! pass {
            ($groups:expr) => {
                if has_narrow && group + count == end {
                    pass::<S, E, { $groups }, 1>(s, images, dz, at, room, epilogue);
                } else {
                    pass::<S, E, { $groups }, 0>(s, images, dz, at, room, epilogue);
                }
            };
        }
        match count {
            1 => pass!(1),
            2 => pass!(2),
            3 => pass!(3),
            4 => pass!(4),
            6 => pass!(6),
            _ => pass!(MOST_GROUPS),
        }
        group += count;
    }
}

/// The sums of all pixels for `GROUPS` groups from `group` on, and for `NARROW_GROUPS` groups,
/// none or one, after those.
#[inline(always)]
fn pass<S: Simd, E: Epilogue<S>, const GROUPS: usize, const NARROW_GROUPS: usize>(
    s: S,
    images: &Columns,
    dz: &Right<'_>,
    (area, group): (&Area, usize),
    room: &mut [Lanes],
    epilogue: &mut E,
) {
    let (sums, rows) = room.split_at_mut(SUMS);
    let (narrow_sums, rows) = rows.split_at_mut(SUMS);
    let (narrow_rows, rows) = rows.split_at_mut(images.chunks() * IMAGES * NARROW / LANES);
    let (all_sums, _) = sums.as_chunks_mut::<GROUPS>();
    let (rows, _) = rows.as_chunks_mut::<GROUPS>();
    let (narrow_rows, _) = as_numbers_mut(narrow_rows).as_chunks_mut::<NARROW>();
    // What one image needs, side by side.
    let rows_of_images = rows.iter_mut().zip(&mut *narrow_rows).take(images.images());
    for (image, (row, narrow)) in rows_of_images.enumerate() {
        for (lanes, group) in row.iter_mut().zip(group..) {
            s.store(s.load_unaligned(dz.at(image, group)), lanes);
        }
        if NARROW_GROUPS > 0 {
            narrow.copy_from_slice(&dz.at(image, group + GROUPS)[..NARROW]);
        }
    }
    let last_chunk = images.chunks() - 1;
    let (chunks, _) = rows.as_chunks::<IMAGES>();
    let (narrow_chunks, _) = narrow_rows.as_chunks::<IMAGES>();
    for first in area.rows.clone().step_by(all_sums.len()) {
        let block = first..area.rows.end.min(first + all_sums.len());
        for (chunk, (rows, narrow_rows)) in chunks.iter().zip(narrow_chunks).enumerate() {
            for (place, pixel) in block.clone().enumerate() {
                let partial = all_sums[place].iter().zip(group..);
                let narrow_partial =
                    narrow_sums[place..][..NARROW_GROUPS].iter().zip(group + GROUPS..);
                let load = |(lanes, group): (&Lanes, usize)| match chunk {
                    0 => epilogue.start(s, pixel, group),
                    _ => s.load(lanes),
                };
                let mut sums = [s.zero(); GROUPS];
                sums.iter_mut().zip(partial).for_each(|(sum, from)| *sum = load(from));
                let mut narrow = [s.zero(); NARROW_GROUPS];
                narrow.iter_mut().zip(narrow_partial).for_each(|(sum, from)| *sum = load(from));
                images.column(chunk, pixel).for_each_lit(|image, x| {
                    let x = s.splat(x);
                    for (sum, dz) in sums.iter_mut().zip(&rows[image]) {
                        *sum = s.mul_add(x, s.load(dz), *sum);
                    }
                    for sum in &mut narrow {
                        *sum = s.mul_add(x, s.load_four(&narrow_rows[image]), *sum);
                    }
                });
                if chunk == last_chunk {
                    epilogue.finish(s, pixel, group, sums);
                    narrow
                        .into_iter()
                        .for_each(|sum| epilogue.finish(s, pixel, group + GROUPS, [sum]));
                } else {
                    let partial = all_sums[place].iter_mut().zip(sums);
                    partial.for_each(|(lanes, sum)| s.store(sum, lanes));
                    let partial = narrow_sums[place..].iter_mut().zip(narrow);
                    partial.for_each(|(lanes, sum)| s.store(sum, lanes));
                }
            }
        }
    }
}
