//! Matrix products: C = A · B with any operand transposed, in the loops of BLIS (Van Zee and van de
//! Geijn, 2015), with an epilogue that finishes each sum while it is in a register.
//!
//! A is m × k, B is k × n, C is m × n; their numbers are A\[i, p\], B\[p, j\] and C\[i, j\]. Five
//! loops surround the micro-kernel:
//!
//! | loop | over | in steps of | in |
//! | ---: | --- | --- | --- |
//! | 5 | j, columns of B and C | NC | `blocked` |
//! | 4 | p, the sums' terms | KC | `blocked` |
//! | 3 | i, rows of A and C | MC | `blocked` |
//! | 2 | j, a panel of B | NR | `blocked`, or `macro_kernel` where B is not packed |
//! | 1 | i, rows of the panel's product | MR | `macro_kernel` |
//!
//! NC, KC and MC follow the caches of the machine (`blocking`), NR and MR the registers (`tile`).
//! Unlike BLIS's, A and B are packed only where that pays. The last columns of C, where one register of a
//! vector holds them, are computed in tiles of that register alone. The layers of a network, whose
//! operands already stand as the micro-kernel reads them, begin at loop 2.
//!
//! Each element of C is one sum over p ascending, one fused multiply-add at a time, from what the
//! epilogue gives it to start from. However the loops around it are cut, the bits are the same.

mod backend;
mod blocked;
mod blocking;
mod macro_kernel;
mod matrix;
mod matrixmultiply;
mod micro_kernel;
mod operand;
mod pack;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use matrixmultiply::sgemm;
pub(crate) use operand::{AxisLayout, Lhs, OutputRange, Product, Rhs};

pub use backend::GemmBackend;
pub use blocked::{Gemm, Start};
pub use matrix::{MatrixMut, MatrixRef};
