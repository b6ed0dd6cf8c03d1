//! Sums over the images' non-zero pixels: x · w.

use super::rows::{Minibatch, Pixel};
use super::{AHEAD, FORWARD_LANES, Scratch, block_pixels, pass_width};
use crate::buffers::{LANES, Lanes};
use crate::gemm::{Area, Epilogue, Right};
use crate::simd::Simd;

/// The sums Σ x\[i, p\] · w\[p\] over the pixels p of each image i of `images`, `pixels` at most,
/// for the samples (rows) and groups of columns of `area`. The groups of `weights` stand side by
/// side.
#[inline(always)]
pub(crate) fn forward<S: Simd, E: Epilogue<S>>(
    s: S,
    images: Minibatch<'_>,
    weights: &Right<'_>,
    pixels: usize,
    area: Area,
    scratch: &mut Scratch,
    epilogue: &mut E,
) {
    let Area { rows: samples, groups } = area;
    let width = groups.len();
    if width == 0 {
        return;
    }
    let Scratch { sums, cursors } = scratch;
    cursors[samples.clone()].fill(0);
    for (sample, sums) in samples.clone().zip(sums.chunks_exact_mut(width)) {
        for (group, sum) in groups.clone().zip(sums) {
            s.store(epilogue.start(s, sample, group), sum);
        }
    }
    let block = block_pixels(FORWARD_LANES, width);
    for first in (0..pixels).step_by(block) {
        let end = first + block;
        for (sample, sums) in samples.clone().zip(sums.chunks_exact_mut(width)) {
            images.prefetch_ahead(sample + AHEAD, cursors.get(sample + AHEAD));
            let rest = &images.list(sample)[cursors[sample] as usize..];
            let mut walked = 0;
            let mut group = groups.start;
            while group < groups.end {
                let sums = &mut sums[group - groups.start..];
                let count = pass_width(groups.end - group);
                walked = match count {
                    1 => walk::<S, 1>(s, rest, end, weights, group, sums),
                    2 => walk::<S, 2>(s, rest, end, weights, group, sums),
                    3 => walk::<S, 3>(s, rest, end, weights, group, sums),
                    4 => walk::<S, 4>(s, rest, end, weights, group, sums),
                    _ => walk::<S, 7>(s, rest, end, weights, group, sums),
                };
                group += count;
            }
            cursors[sample] += walked as u32;
        }
    }
    for (sample, sums) in samples.zip(sums.chunks_exact(width)) {
        for (group, sum) in groups.clone().zip(sums) {
            epilogue.finish(s, sample, group, [s.load(sum)]);
        }
    }
}

/// Adds the products of the pixels of `rest` that come before pixel `end`, for `GROUPS` groups
/// from `group` on; returns how many pixels that were.
#[inline(always)]
fn walk<S: Simd, const GROUPS: usize>(
    s: S,
    rest: &[Pixel],
    end: usize,
    weights: &Right<'_>,
    group: usize,
    sums: &mut [Lanes],
) -> usize {
    let sums = &mut sums[..GROUPS];
    let mut registers = [s.zero(); GROUPS];
    for (register, sum) in registers.iter_mut().zip(&*sums) {
        *register = s.load(sum);
    }
    let first = group * weights.group;
    let mut walked = 0;
    for pixel in rest {
        if pixel.index() >= end {
            break;
        }
        let x = s.splat(pixel.value());
        let start = pixel.index() * weights.row + first;
        let (columns, _) = weights.values[start..start + GROUPS * LANES].as_chunks();
        for (register, w) in registers.iter_mut().zip(columns) {
            *register = s.mul_add(x, s.load_unaligned(w), *register);
        }
        walked += 1;
    }
    for (register, sum) in registers.iter().zip(sums) {
        s.store(*register, sum);
    }
    walked
}
