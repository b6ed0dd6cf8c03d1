//! Matrix products by the crate `matrixmultiply`, for comparison.

#![allow(unsafe_code, reason = "the crate's interface is one of raw pointers")]

use super::matrix::{MatrixMut, MatrixRef};
use super::operand::Product;
use crate::kernels::Epilogue;
use crate::simd::{LANES, Simd, as_numbers_mut, zeroed};

/// C = A · B by the crate `matrixmultiply`: `a` is m × k, `b` is k × n, `c` is m × n.
///
/// # Panics
/// When the shapes do not fit.
pub(crate) fn sgemm(a: MatrixRef<'_>, b: MatrixRef<'_>, c: &mut MatrixMut<'_>) {
    c.check_shapes(a, b);
    let (m, k, n) = (a.rows, a.columns, b.columns);
    let stride = |stride: usize| isize::try_from(stride).expect("a matrix within memory");
    let [row_a, column_a] = [a.row_stride, a.column_stride].map(stride);
    let [row_b, column_b] = [b.row_stride, b.column_stride].map(stride);
    let (a, b, row_c, c) =
        (a.values.as_ptr(), b.values.as_ptr(), stride(c.row_stride), c.values.as_mut_ptr());
    // SAFETY: matrices hold all their elements, at the strides that they say (as their constructors
    // check), and these have m × k, k × n and m × n of them (as was checked above). C is borrowed
    // exclusively, and its elements stand apart.
    unsafe {
        ::matrixmultiply::sgemm(
            m, k, n, 1.0, a, row_a, column_a, b, row_b, column_b, 0.0, c, row_c, 1,
        );
    }
}

/// Computes `product` on copies of its operands in plain rows.
#[inline(always)]
pub(super) fn multiply_copies<S: Simd, E: Epilogue<S>>(
    s: S,
    Product { lhs, rhs, k, output }: &Product<'_>,
    epilogue: &mut E,
) {
    let (k, rows, blocks) = (*k, output.rows.clone(), output.blocks.clone());
    let (m, n) = (rows.len(), blocks.len() * LANES);
    let elements = rows.clone().flat_map(|row| (0..k).map(move |p| (row, p)));
    let a: Vec<f32> = elements.map(|(row, p)| lhs.at(row, p)).collect();
    let elements = (0..k).flat_map(|p| blocks.clone().map(move |block| (p, block)));
    let b: Vec<f32> = elements.flat_map(|(p, block)| rhs.at(p, block)).copied().collect();
    let mut c = zeroed(m * blocks.len());
    sgemm(
        MatrixRef::new(&a, m, k, k),
        MatrixRef::new(&b, k, n, n),
        &mut MatrixMut::new(as_numbers_mut(&mut c), m, n, n),
    );
    for (row, sums) in rows.zip(c.chunks_exact(blocks.len().max(1))) {
        for (block, sum) in blocks.clone().zip(sums) {
            let sum = s.add(epilogue.start(s, row, block), s.load(sum));
            epilogue.finish(s, row, block, [sum]);
        }
    }
}
