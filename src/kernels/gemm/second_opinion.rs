//! The same products by the crate `matrixmultiply`.

#![allow(unsafe_code, reason = "the crate's interface is one of raw pointers")]

use crate::kernels::gemm::epilogue::Epilogue;
use crate::kernels::gemm::operand::{Left, Right};
use crate::kernels::gemm::product::Area;
use crate::simd::Simd;
use crate::simd::{LANES, Lanes, zeroed};

/// Computes the `area` of C = `left` · `right` over `depth`, on copies of the operands in plain
/// rows.
#[inline(always)]
pub(super) fn second_opinion<S: Simd, E: Epilogue<S>>(
    s: S,
    left: &Left<'_>,
    right: &Right<'_>,
    depth: usize,
    area: Area,
    epilogue: &mut E,
) {
    let Area { rows, groups } = area;
    let places = rows.clone().flat_map(|row| (0..depth).map(move |p| (row, p)));
    let a: Vec<f32> =
        places.map(|(row, p)| left.values[left.rows.offset(row) + left.depth.offset(p)]).collect();
    let places = (0..depth).flat_map(|p| groups.clone().map(move |group| (p, group)));
    let b: Vec<f32> = places.flat_map(|(p, group)| right.at(p, group)).copied().collect();
    let products = multiply((rows.len(), groups.len() * LANES, depth), &a, &b);
    for (row, products) in rows.zip(products.chunks_exact(groups.len().max(1))) {
        for (group, product) in groups.clone().zip(products) {
            let sums = s.add(epilogue.start(s, row, group), s.load(product));
            epilogue.finish(s, row, group, [sums]);
        }
    }
}

/// The product of contiguous row-major matrices, m × k by k × n, n being whole groups of lanes.
fn multiply((m, n, k): (usize, usize, usize), a: &[f32], b: &[f32]) -> Vec<Lanes> {
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
