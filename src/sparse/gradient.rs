//! Images, transposed, times the gradient of a layer's sums: the gradient of the weights.

use super::columns::{Columns, IMAGES};
use super::{MOST_GROUPS, pass_width};
use crate::buffers::Lanes;
use crate::gemm::{Area, Epilogue, Right};
use crate::simd::Simd;

/// Lanes of the sums of a block of pixels, where a minibatch has more than one chunk of images:
/// they and one chunk of dz fit an L1 cache.
const SUMS: usize = 256;

/// The lanes that [`gradient`] needs to work in, for minibatches of up to `batch` images.
pub(crate) fn gradient_room(batch: usize) -> usize {
    batch.max(1).next_multiple_of(IMAGES) * MOST_GROUPS + SUMS
}

/// xᵀ · dz for the pixels (the rows) and groups of `area`, where row i of `dz` belongs to image i.
///
/// The sums of a pixel stay in registers, and `epilogue` has them before the next pixel is begun:
/// the root and the division of an optimiser go on while the next sums are added up. Of a larger
/// minibatch they are added up chunk by chunk, a block of pixels at a time.
#[inline(always)]
pub(crate) fn gradient<S: Simd, E: Epilogue<S>>(
    s: S,
    images: &Columns,
    dz: &Right<'_>,
    area: Area,
    room: &mut [Lanes],
    epilogue: &mut E,
) {
    let mut group = area.groups.start;
    while group < area.groups.end {
        let count = pass_width(area.groups.end - group);
        let at = (&area, group);
        match count {
            1 => pass::<S, E, 1>(s, images, dz, at, room, epilogue),
            2 => pass::<S, E, 2>(s, images, dz, at, room, epilogue),
            3 => pass::<S, E, 3>(s, images, dz, at, room, epilogue),
            4 => pass::<S, E, 4>(s, images, dz, at, room, epilogue),
            _ => pass::<S, E, MOST_GROUPS>(s, images, dz, at, room, epilogue),
        }
        group += count;
    }
}

/// The sums of all pixels for `GROUPS` groups from `group` on.
#[inline(always)]
fn pass<S: Simd, E: Epilogue<S>, const GROUPS: usize>(
    s: S,
    images: &Columns,
    dz: &Right<'_>,
    (area, group): (&Area, usize),
    room: &mut [Lanes],
    epilogue: &mut E,
) {
    let (sums, rows) = room.split_at_mut(SUMS);
    let (all_sums, _) = sums.as_chunks_mut::<GROUPS>();
    let (rows, _) = rows.as_chunks_mut::<GROUPS>();
    // What one image needs, side by side.
    for (image, row) in rows.iter_mut().take(images.images()).enumerate() {
        for (j, lanes) in row.iter_mut().enumerate() {
            let at = image * dz.row + (group + j) * dz.group;
            if let Some(numbers) = dz.values[at..].first_chunk() {
                s.store(s.load_unaligned(numbers), lanes);
            }
        }
    }
    let (chunks, _) = rows.as_chunks::<IMAGES>();
    let chunks = &chunks[..images.chunks()];
    for first in area.rows.clone().step_by(all_sums.len()) {
        let block = first..area.rows.end.min(first + all_sums.len());
        for (chunk, rows) in chunks.iter().enumerate() {
            for (pixel, partial) in block.clone().zip(&mut *all_sums) {
                let mut sums: [S::F32; GROUPS] = if chunk == 0 {
                    std::array::from_fn(|j| epilogue.start(s, pixel, group + j))
                } else {
                    std::array::from_fn(|j| s.load(&partial[j]))
                };
                images.column(chunk, pixel).for_each_lit(|image, x| {
                    let x = s.splat(x);
                    for (sum, dz) in sums.iter_mut().zip(&rows[image]) {
                        *sum = s.mul_add(x, s.load(dz), *sum);
                    }
                });
                if chunk + 1 == chunks.len() {
                    epilogue.finish(s, pixel, group, sums);
                } else {
                    partial.iter_mut().zip(sums).for_each(|(lanes, sum)| s.store(sum, lanes));
                }
            }
        }
    }
}
