//! Sums over an image's non-zero pixels: one row of x · w.

use std::ops::Range;

use super::{pass_width, rows::Pixel};
use crate::buffers::LANES;
use crate::gemm::{Epilogue, Right};
use crate::simd::Simd;

/// For row `row` of the product, the sums Σ x\[p\] · w\[p\] over the pixels p of its image, of the
/// `groups` of columns.
///
/// The groups of `weights` stand side by side. As many sums as fit stay in registers while the list is walked.
#[inline(always)]
pub(crate) fn forward<S: Simd, E: Epilogue<S>>(
    s: S,
    image: &[Pixel],
    weights: &Right<'_>,
    row: usize,
    groups: Range<usize>,
    epilogue: &mut E,
) {
    let mut group = groups.start;
    while group < groups.end {
        let at = (row, group);
        group += match pass_width(groups.end - group) {
            1 => walk::<S, E, 1>(s, image, weights, at, epilogue),
            2 => walk::<S, E, 2>(s, image, weights, at, epilogue),
            3 => walk::<S, E, 3>(s, image, weights, at, epilogue),
            4 => walk::<S, E, 4>(s, image, weights, at, epilogue),
            _ => walk::<S, E, 7>(s, image, weights, at, epilogue),
        };
    }
}

/// Walks the list once for `GROUPS` groups; returns `GROUPS`.
#[inline(always)]
fn walk<S: Simd, E: Epilogue<S>, const GROUPS: usize>(
    s: S,
    image: &[Pixel],
    weights: &Right<'_>,
    (row, group): (usize, usize),
    epilogue: &mut E,
) -> usize {
    let mut sums: [S::F32; GROUPS] = std::array::from_fn(|j| epilogue.start(s, row, group + j));
    let first = group * weights.group;
    for pixel in image {
        let x = s.splat(pixel.value());
        let start = pixel.index() * weights.row + first;
        let (columns, _) = weights.values[start..start + GROUPS * LANES].as_chunks();
        for (sum, w) in sums.iter_mut().zip(columns) {
            *sum = s.mul_add(x, s.load_unaligned(w), *sum);
        }
    }
    epilogue.finish(s, row, group, sums);
    GROUPS
}
