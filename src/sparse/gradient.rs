//! Sums over the images of a minibatch: the gradient xᵀ · dz of the weights.

use std::ops::Range;

use super::rows::{Minibatch, Pixel};
use super::{AHEAD, GRADIENT_LANES, Scratch, block_pixels, pass_width};
use crate::buffers::Lanes;
use crate::gemm::{Area, Epilogue, Right};
use crate::simd::Simd;

/// The sums Σ x\[i, p\] · dz\[i\] over the images i of a minibatch, for the rows p and the groups
/// of columns of `area`.
#[inline(always)]
pub(crate) fn gradient<S: Simd, E: Epilogue<S>>(
    s: S,
    images: Minibatch<'_>,
    dz: &Right<'_>,
    area: Area,
    scratch: &mut Scratch,
    epilogue: &mut E,
) {
    let Area { rows, groups } = area;
    let width = groups.len();
    if width == 0 {
        return;
    }
    let Scratch { sums, cursors } = scratch;
    let samples = 0..images.samples.len();
    for (sample, cursor) in samples.clone().zip(cursors.iter_mut()) {
        *cursor = images.list(sample).partition_point(|pixel| pixel.index() < rows.start) as u32;
    }
    let pixels = block_pixels(GRADIENT_LANES, width);
    for first in rows.clone().step_by(pixels) {
        let block = first..rows.end.min(first + pixels);
        let tile = &mut sums[..block.len() * width];
        for (row, lanes) in block.clone().zip(tile.chunks_exact_mut(width)) {
            for (group, lanes) in groups.clone().zip(lanes) {
                s.store(epilogue.start(s, row, group), lanes);
            }
        }
        for sample in samples.clone() {
            images.prefetch_ahead(sample + AHEAD, cursors.get(sample + AHEAD));
            let rest = &images.list(sample)[cursors[sample] as usize..];
            let mut group = 0;
            let mut walked = 0;
            while group < width {
                let count = pass_width(width - group);
                let at = Span { block: block.clone(), width, group };
                let from = (sample, groups.start + group);
                walked = match count {
                    1 => add::<S, 1>(s, rest, dz, from, &at, tile),
                    2 => add::<S, 2>(s, rest, dz, from, &at, tile),
                    3 => add::<S, 3>(s, rest, dz, from, &at, tile),
                    4 => add::<S, 4>(s, rest, dz, from, &at, tile),
                    _ => add::<S, 7>(s, rest, dz, from, &at, tile),
                };
                group += count;
            }
            cursors[sample] += walked as u32;
        }
        for (row, lanes) in block.zip(tile.chunks_exact(width)) {
            for (group, lanes) in groups.clone().zip(lanes) {
                epilogue.finish(s, row, group, [s.load(lanes)]);
            }
        }
    }
}

/// The part of the tile that a pass adds to: groups from `group` on of rows of `width` groups.
struct Span {
    block: Range<usize>,
    width: usize,
    group: usize,
}

/// Adds x\[p\] · dz to the rows p of the tile that are lit in an image, whose list `rest` begins at
/// the block's first row or later; returns how many pixels that were.
#[inline(always)]
fn add<S: Simd, const GROUPS: usize>(
    s: S,
    rest: &[Pixel],
    dz: &Right<'_>,
    (sample, group): (usize, usize),
    at: &Span,
    tile: &mut [Lanes],
) -> usize {
    let mut registers = [s.zero(); GROUPS];
    for (j, register) in registers.iter_mut().enumerate() {
        *register = s.load_unaligned(dz.at(sample, group + j));
    }
    let mut walked = 0;
    for pixel in rest {
        if pixel.index() >= at.block.end {
            break;
        }
        let x = s.splat(pixel.value());
        let start = (pixel.index() - at.block.start) * at.width + at.group;
        for (sum, &dz) in tile[start..start + GROUPS].iter_mut().zip(&registers) {
            s.store(s.mul_add(x, dz, s.load(sum)), sum);
        }
        walked += 1;
    }
    walked
}
