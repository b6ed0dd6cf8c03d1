//! GemmBackend of matrices: C = A · B with any operand transposed, in the loops of BLIS (Van Zee and
//! van de Geijn, 2015; but A is never packed, and B only where it pays), and an epilogue that
//! finishes each sum while it is in a register.
//!
//! Each element of C is one sum over k ascending, one fused multiply-add at a time, from what the
//! epilogue gives it to start from. However the loops around it are cut, the bits are the same.

mod epilogue;
mod kernel;
mod matrix;
mod matrixmultiply;
mod operand;
mod pack;
mod product;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use epilogue::Epilogue;
pub(crate) use operand::{AxisLayout, Lhs, Rhs};
pub(crate) use product::OutputRange;

pub use matrix::{Gemm, MatrixMut, MatrixRef, Start};
pub use product::GemmBackend;
