//! Arithmetic, written once for every instruction set.

pub(crate) mod conv;
mod epilogue;
pub(crate) mod gemm;
pub(crate) mod ops;
pub mod optim;
pub(crate) mod sparse;
#[cfg(test)]
mod testing;

pub(crate) use epilogue::Epilogue;
