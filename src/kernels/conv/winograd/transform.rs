//! The transforms of F(2 × 2, 3 × 3): along one side a product with a small constant matrix, and of
//! a square of numbers that down its columns, then along its rows.
//!
//! For three weights w and four inputs x, with the matrices of Lavin and Gray,
//!
//! ```text
//!      1   0   0          1   0  −1   0
//! G =  ½   ½   ½     Bᵀ = 0   1   1   0     Aᵀ = 1   1   1   0
//!      ½  −½   ½          0  −1   1   0          0   1  −1  −1
//!      0   0   1          0   1   0  −1
//! ```
//!
//! y = Aᵀ (G w ⊙ Bᵀ x) are the two sums y₀ = Σ wᵢ xᵢ and y₁ = Σ wᵢ xᵢ₊₁: four multiplications in
//! place of six. So the gradient of w is Gᵀ (A dy ⊙ Bᵀ x).

#![allow(unsafe_code, reason = "the innermost loop goes without bounds checks")]

use crate::simd::{F32x16, Lanes, Simd};

/// A transform along one side, of `N` numbers to `M`.
pub(super) trait Side<const N: usize, const M: usize> {
    fn along<L: Lanes>(lanes: L, x: [L::F32; N]) -> [L::F32; M];
}

/// Bᵀ: inputs to the points where they are multiplied.
pub(super) struct InputSide;

impl Side<4, 4> for InputSide {
    #[inline(always)]
    fn along<L: Lanes>(lanes: L, x: [L::F32; 4]) -> [L::F32; 4] {
        [lanes.sub(x[0], x[2]), lanes.add(x[1], x[2]), lanes.sub(x[2], x[1]), lanes.sub(x[1], x[3])]
    }
}

/// G: weights to the points.
pub(super) struct WeightSide;

impl Side<3, 4> for WeightSide {
    #[inline(always)]
    fn along<L: Lanes>(lanes: L, w: [L::F32; 3]) -> [L::F32; 4] {
        let half = lanes.splat(0.5);
        let (ends, middle) = (lanes.add(w[0], w[2]), w[1]);
        [
            w[0],
            lanes.mul(half, lanes.add(ends, middle)),
            lanes.mul(half, lanes.sub(ends, middle)),
            w[2],
        ]
    }
}

/// Gᵀ: from the points to the gradient of weights.
pub(super) struct WeightGradientSide;

impl Side<4, 3> for WeightGradientSide {
    #[inline(always)]
    fn along<L: Lanes>(lanes: L, u: [L::F32; 4]) -> [L::F32; 3] {
        let half = lanes.splat(0.5);
        let (even, odd) =
            (lanes.mul(half, lanes.add(u[1], u[2])), lanes.mul(half, lanes.sub(u[1], u[2])));
        [lanes.add(u[0], even), odd, lanes.add(even, u[3])]
    }
}

/// Aᵀ: from the points to sums.
pub(super) struct SumSide;

impl Side<4, 2> for SumSide {
    #[inline(always)]
    fn along<L: Lanes>(lanes: L, m: [L::F32; 4]) -> [L::F32; 2] {
        [lanes.add(m[0], lanes.add(m[1], m[2])), lanes.sub(lanes.sub(m[1], m[2]), m[3])]
    }
}

/// A: the gradient of sums to the points.
pub(super) struct SumGradientSide;

impl Side<2, 4> for SumGradientSide {
    #[inline(always)]
    fn along<L: Lanes>(lanes: L, dy: [L::F32; 2]) -> [L::F32; 4] {
        [dy[0], lanes.add(dy[0], dy[1]), lanes.sub(dy[0], dy[1]), lanes.sub(lanes.zero(), dy[1])]
    }
}

/// Vectors in rows and columns, so many of them from one to the next.
#[derive(Clone, Copy)]
pub(super) struct Grid<'a> {
    pub(super) vectors: &'a [F32x16],
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Grid<'_> {
    /// Transforms the `N` × `N` first of the vectors down their columns, then along their rows.
    #[inline(always)]
    pub(super) fn transformed<L: Lanes, T: Side<N, M>, const N: usize, const M: usize>(
        self,
        lanes: L,
    ) -> [[L::F32; M]; M] {
        let Self { vectors, row, column } = self;
        assert!((N - 1) * (row + column) < vectors.len(), "a patch leaves its image");
        let mut columns = [[lanes.zero(); M]; N];
        for (x, down) in columns.iter_mut().enumerate() {
            let mut numbers = [lanes.zero(); N];
            for (y, number) in numbers.iter_mut().enumerate() {
                // SAFETY: just checked of the last row and the last column.
                *number = lanes.load(unsafe { vectors.get_unchecked(y * row + x * column) });
            }
            *down = T::along(lanes, numbers);
        }
        let mut rows = [[lanes.zero(); M]; M];
        for (y, row) in rows.iter_mut().enumerate() {
            let mut numbers = [lanes.zero(); N];
            for (number, column) in numbers.iter_mut().zip(&columns) {
                *number = column[y];
            }
            *row = T::along(lanes, numbers);
        }
        rows
    }
}

/// Transforms the first of `from` to vectors that stand `stride` apart in `into`, row by row. A register
/// of each at a time: few CPUs have registers for whole vectors of a patch.
#[inline(always)]
pub(super) fn transform<S: Simd, T: Side<N, M>, const N: usize, const M: usize>(
    s: S,
    from: Grid<'_>,
    into: &mut [F32x16],
    stride: usize,
) {
    assert!((M * M - 1) * stride < into.len(), "a transformed square leaves its room");
    for index in 0..S::REGISTERS_PER_VECTOR {
        let lanes = s.register(index);
        let rows = from.transformed::<S::Register, T, N, M>(lanes);
        for (place, &number) in rows.as_flattened().iter().enumerate() {
            // SAFETY: just checked of the last place.
            lanes.store(number, unsafe { into.get_unchecked_mut(place * stride) });
        }
    }
}
