//! A from-scratch, SIMD-optimised engine that trains small networks on CPUs to read handwritten
//! digits.

pub mod data;
pub mod error;

pub use data::{Dataset, Split};
pub use error::{Error, Result};
