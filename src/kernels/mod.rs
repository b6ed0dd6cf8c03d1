//! Arithmetic, written once for every instruction set.

pub(crate) mod conv;
pub mod gemm;
pub(crate) mod ops;
pub mod optim;
pub(crate) mod sparse;
