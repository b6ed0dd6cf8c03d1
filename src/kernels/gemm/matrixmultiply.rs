//! The same products by the crate `matrixmultiply`.

#![allow(unsafe_code, reason = "the crate's interface is one of raw pointers")]

use crate::kernels::gemm::epilogue::Epilogue;
use crate::kernels::gemm::operand::{Lhs, Rhs};
use crate::kernels::gemm::product::OutputRange;
use crate::simd::Simd;
use crate::simd::{F32x16, LANES, zeroed};

/// Computes the `area` of C = `left` · `right` over `depth`, on copies of the operands in plain
/// rows.
#[inline(always)]
pub(super) fn matrixmultiply<S: Simd, E: Epilogue<S>>(
    s: S,
    left: &Lhs<'_>,
    right: &Rhs<'_>,
    depth: usize,
    area: OutputRange,
    epilogue: &mut E,
) {
    let OutputRange { rows, blocks } = area;
    let places = rows.clone().flat_map(|row| (0..depth).map(move |p| (row, p)));
    let a: Vec<f32> =
        places.map(|(row, p)| left.values[left.rows.offset(row) + left.depth.offset(p)]).collect();
    let places = (0..depth).flat_map(|p| blocks.clone().map(move |block| (p, block)));
    let b: Vec<f32> = places.flat_map(|(p, block)| right.at(p, block)).copied().collect();
    let products = multiply((rows.len(), blocks.len() * LANES, depth), &a, &b);
    for (row, products) in rows.zip(products.chunks_exact(blocks.len().max(1))) {
        for (block, product) in blocks.clone().zip(products) {
            let sums = s.add(epilogue.start(s, row, block), s.load(product));
            epilogue.finish(s, row, block, [sums]);
        }
    }
}

/// The product of contiguous row-major matrices, m × k by k × n, n being whole blocks of lanes.
fn multiply((m, n, k): (usize, usize, usize), a: &[f32], b: &[f32]) -> Vec<F32x16> {
    let mut c = zeroed(m * n / LANES);
    assert!(a.len() == m * k && b.len() == k * n && c.len() * LANES == m * n);
    let (row_a, row_b) = (k as isize, n as isize);
    let into = c.as_mut_ptr().cast::<f32>();
    // SAFETY: the slices hold m × k, k × n and m × n numbers, as just checked, and the strides are
    // those of contiguous rows.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            row_a,
            1,
            b.as_ptr(),
            row_b,
            1,
            0.0,
            into,
            row_b,
            1,
        )
    };
    c
}
