//! Who computes the matrix products of the layers.

use serde::{Deserialize, Serialize};

use super::macro_kernel::macro_kernel;
use super::matrixmultiply::multiply_copies;
use super::operand::Product;
use crate::kernels::Epilogue;
use crate::simd::Simd;

/// Who computes the dense products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GemmBackend {
    /// The engine's own kernels.
    #[default]
    Engine,
    /// The crate `matrixmultiply`, for comparison: outside the promise of equal bits.
    Matrixmultiply,
}

impl GemmBackend {
    /// Computes `product`.
    ///
    /// # Panics
    /// When an operand is shorter than the product needs.
    #[inline(always)]
    pub(crate) fn multiply<S: Simd, E: Epilogue<S>>(
        self,
        s: S,
        product: &Product<'_>,
        epilogue: &mut E,
    ) {
        match self {
            Self::Engine => macro_kernel(s, product, epilogue),
            Self::Matrixmultiply => multiply_copies(s, product, epilogue),
        }
    }
}
