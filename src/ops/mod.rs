//! Element-wise and row-wise operations, each written once for every instruction set.

pub(crate) mod activation;
pub(crate) mod exp;
pub(crate) mod ln;
pub(crate) mod softmax;

#[cfg(test)]
mod tests;
