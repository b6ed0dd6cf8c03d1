//! Loops 2 and 1 around the micro-kernel: C cut into tiles.

#![allow(unsafe_code, reason = "calls the micro-kernel")]

use std::ops::Range;

use super::micro_kernel::{Panel, micro_kernel, narrow_micro_kernel};
use super::operand::Product;
use super::tile::MicroTile;
use crate::kernels::Epilogue;
use crate::simd::{F32x16, LANES, Simd};

/// Computes `product` tile by tile: for NR columns, which are all that stays of B in the cache, all
/// rows of A.
#[inline(always)]
pub(super) fn macro_kernel<S: Simd, E: Epilogue<S>>(s: S, product: &Product<'_>, epilogue: &mut E) {
    const { assert!(matches!(S::MR, 2 | 6 | 8) && S::NR_BLOCKS <= 3, "see `rows`") };
    let Product { lhs, rhs, k, output } = product;
    lhs.check(&output.rows, *k);
    rhs.check(*k, &output.blocks);
    // Loop 2: NR columns at a time.
    let mut block = output.blocks.start;
    while block < output.blocks.end {
        // SAFETY: the checks above cover the whole output, and the blocks lie within it.
        block += unsafe {
            match output.blocks.end - block {
                3.. if S::NR_BLOCKS >= 3 => rows::<S, E, 3, false>(s, product, block, epilogue),
                2.. if S::NR_BLOCKS >= 2 => rows::<S, E, 2, false>(s, product, block, epilogue),
                _ if S::is_narrow(rhs.columns.saturating_sub(block * LANES)) => {
                    rows::<S, E, 1, true>(s, product, block, epilogue)
                }
                _ => rows::<S, E, 1, false>(s, product, block, epilogue),
            }
        };
    }
}

/// Computes the first MR rows of `product`, which has more, of its one column block, and packs B into
/// `panel` meanwhile: k vectors. Gives the rows that are left.
#[inline(always)]
pub(super) fn pack_with_first_tile<S: Simd, E: Epilogue<S>>(
    s: S,
    product: &Product<'_>,
    epilogue: &mut E,
    panel: &mut [F32x16],
) -> Range<usize> {
    let Product { lhs, rhs, k, output } = product;
    let (start, block) = (output.rows.start, output.blocks.start);
    let tile = start..start + S::MR;
    lhs.check(&tile, *k);
    rhs.check(*k, &(block..block + 1));
    let panel = &mut Panel(panel.iter_mut());
    // SAFETY: the checks above cover the tile.
    unsafe {
        match S::MR {
            2 => micro_kernel::<S, E, 2, 1>(s, product, start, block, epilogue, panel),
            6 => micro_kernel::<S, E, 6, 1>(s, product, start, block, epilogue, panel),
            _ => micro_kernel::<S, E, 8, 1>(s, product, start, block, epilogue, panel),
        }
    };
    tile.end..output.rows.end
}

/// Computes all rows of `BLOCKS` column blocks from `block` on, in tiles of MR rows and a few lower
/// ones for what is left over; returns `BLOCKS`. Of one that is `NARROW`, one register has all columns.
///
/// # Safety
/// As for [`micro_kernel`], for all rows of the output.
#[inline(always)]
unsafe fn rows<S: Simd, E: Epilogue<S>, const BLOCKS: usize, const NARROW: bool>(
    s: S,
    product: &Product<'_>,
    block: usize,
    epilogue: &mut E,
) -> usize {
    // Loop 1: MR rows at a time.
    let mut row = product.output.rows.start;
    while row < product.output.rows.end {
        // SAFETY: no tile is higher than what is left over, and the caller vouches for that.
        row += unsafe {
            match product.output.rows.end - row {
                // More rows would need more addresses than there are registers for.
                8.. if NARROW => narrow_micro_kernel::<S, E, 8>(s, product, row, block, epilogue),
                4.. if NARROW => narrow_micro_kernel::<S, E, 4>(s, product, row, block, epilogue),
                _ if NARROW => narrow_micro_kernel::<S, E, 1>(s, product, row, block, epilogue),
                8.. if S::MR == 8 => {
                    micro_kernel::<S, E, 8, BLOCKS>(s, product, row, block, epilogue, &mut ())
                }
                // Eight are better halved than left with two.
                left @ 6.. if S::MR == 6 && left != 7 && left != 8 => {
                    micro_kernel::<S, E, 6, BLOCKS>(s, product, row, block, epilogue, &mut ())
                }
                4.. if S::MR > 4 => {
                    micro_kernel::<S, E, 4, BLOCKS>(s, product, row, block, epilogue, &mut ())
                }
                2.. if S::MR == 2 => {
                    micro_kernel::<S, E, 2, BLOCKS>(s, product, row, block, epilogue, &mut ())
                }
                _ => micro_kernel::<S, E, 1, BLOCKS>(s, product, row, block, epilogue, &mut ()),
            }
        };
    }
    BLOCKS
}
