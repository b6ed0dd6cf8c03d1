//! Images times weights, sample by sample.

use super::{MOST_GROUPS, pass_width};
use crate::kernels::gemm::{Area, Epilogue, Right};
use crate::kernels::sparse::lists::Lists;
use crate::kernels::sparse::narrow::Narrow;
use crate::simd::LANES;
use crate::simd::Simd;

/// x · w for the samples (the rows) and groups of `area`, where row p of `weights` belongs to
/// pixel p and its groups stand side by side. If there are `narrow` weights, they are those of the
/// last group, which is not the only one; its sums stand in the first lanes, with others in the
/// rest.
///
/// Each list is walked from end to end, once for up to seven groups. To walk it in pieces, so that
/// fewer weights are used at a time and stay in L1, costs more than it saves: the end of each
/// piece is a branch that nobody can predict.
#[inline(always)]
pub(crate) fn forward<S: Simd, E: Epilogue<S>>(
    s: S,
    images: &Lists,
    weights: &Right<'_>,
    narrow: Option<Narrow<'_>>,
    area: Area,
    epilogue: &mut E,
) {
    let Area { rows: samples, groups } = area;
    let end = groups.end - usize::from(narrow.is_some());
    let mut group = groups.start;
    while group < end {
        let count = pass_width(end - group);
        // The last pass takes the narrow group along.
        let narrow = narrow.filter(|_| group + count == end);
        for sample in samples.clone() {
            let at = (sample, group);
            match count {
                1 => walk::<S, E, 1>(s, images, weights, narrow, at, epilogue),
                2 => walk::<S, E, 2>(s, images, weights, narrow, at, epilogue),
                3 => walk::<S, E, 3>(s, images, weights, narrow, at, epilogue),
                4 => walk::<S, E, 4>(s, images, weights, narrow, at, epilogue),
                6 => walk::<S, E, 6>(s, images, weights, narrow, at, epilogue),
                _ => walk::<S, E, MOST_GROUPS>(s, images, weights, narrow, at, epilogue),
            }
        }
        group += count;
    }
}

/// The sums of one sample for `GROUPS` groups from `group` on, and a `narrow` one after them.
#[inline(always)]
fn walk<S: Simd, E: Epilogue<S>, const GROUPS: usize>(
    s: S,
    images: &Lists,
    weights: &Right<'_>,
    narrow: Option<Narrow<'_>>,
    (sample, group): (usize, usize),
    epilogue: &mut E,
) {
    let mut sums = [s.zero(); GROUPS];
    for (j, sum) in sums.iter_mut().enumerate() {
        *sum = epilogue.start(s, sample, group + j);
    }
    let first = group * LANES;
    let row = |pixel: usize| {
        let start = pixel * weights.row + first;
        let (columns, _) = weights.values[start..start + GROUPS * LANES].as_chunks::<LANES>();
        columns
    };
    match narrow {
        None => {
            for pixel in images.list(sample) {
                let x = s.splat(pixel.value());
                for (sum, w) in sums.iter_mut().zip(row(pixel.index())) {
                    *sum = s.mul_add(x, s.load_unaligned(w), *sum);
                }
            }
        }
        Some(Narrow(weights)) => {
            let mut narrow_sum = epilogue.start(s, sample, group + GROUPS);
            for pixel in images.list(sample) {
                let x = s.splat(pixel.value());
                for (sum, w) in sums.iter_mut().zip(row(pixel.index())) {
                    *sum = s.mul_add(x, s.load_unaligned(w), *sum);
                }
                let w = s.load_four(&weights[pixel.index()]);
                narrow_sum = s.mul_add(x, w, narrow_sum);
            }
            epilogue.finish(s, sample, group + GROUPS, [narrow_sum]);
        }
    }
    epilogue.finish(s, sample, group, sums);
}
