//! Images, transposed, times the gradient of a layer's sums: the gradient of the weights.

use super::columns::Columns;
use super::pass_width;
use crate::buffers::LANES;
use crate::gemm::{Area, Epilogue, Right};
use crate::simd::Simd;

/// xᵀ · dz for the pixels (the rows) and groups of `area`, where row i of `dz` belongs to image i
/// and its groups stand side by side.
///
/// The sums of a pixel stay in registers, and `epilogue` has them before the next pixel is begun:
/// the root and the division of an optimiser go on while the next sums are added up.
#[inline(always)]
pub(crate) fn gradient<S: Simd, E: Epilogue<S>>(
    s: S,
    images: &Columns,
    dz: &Right<'_>,
    area: Area,
    epilogue: &mut E,
) {
    let Area { rows, groups } = area;
    let mut group = groups.start;
    while group < groups.end {
        let count = pass_width(groups.end - group);
        for pixel in rows.clone() {
            let at = (pixel, group);
            match count {
                1 => sum::<S, E, 1>(s, images, dz, at, epilogue),
                2 => sum::<S, E, 2>(s, images, dz, at, epilogue),
                3 => sum::<S, E, 3>(s, images, dz, at, epilogue),
                4 => sum::<S, E, 4>(s, images, dz, at, epilogue),
                _ => sum::<S, E, 7>(s, images, dz, at, epilogue),
            }
        }
        group += count;
    }
}

/// The sums of one pixel for `GROUPS` groups from `group` on.
#[inline(always)]
fn sum<S: Simd, E: Epilogue<S>, const GROUPS: usize>(
    s: S,
    images: &Columns,
    dz: &Right<'_>,
    (pixel, group): (usize, usize),
    epilogue: &mut E,
) {
    let mut sums = [s.zero(); GROUPS];
    for (j, sum) in sums.iter_mut().enumerate() {
        *sum = epilogue.start(s, pixel, group + j);
    }
    let first = group * LANES;
    images.for_each_lit(pixel, |image, x| {
        let x = s.splat(x);
        let start = image * dz.row + first;
        let (columns, _) = dz.values[start..start + GROUPS * LANES].as_chunks();
        for (sum, dz) in sums.iter_mut().zip(columns) {
            *sum = s.mul_add(x, s.load_unaligned(dz), *sum);
        }
    });
    epilogue.finish(s, pixel, group, sums);
}
