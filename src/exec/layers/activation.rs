//! What an activation does to a layer's sums, and backward to their gradient.

use crate::kernels::ops::activation::{relu, relu_backward, sigmoid, sigmoid_backward};
use crate::model::Activation;
use crate::simd::{F32x16, Kernel, Simd};

impl Activation {
    /// y = activation(z); a softmax is left to the loss.
    #[inline(always)]
    pub(super) fn forward<S: Simd>(self, s: S, z: S::F32) -> S::F32 {
        match self {
            Self::Relu => relu(s, z),
            Self::Sigmoid => sigmoid(s, z),
            Self::Linear | Self::Softmax => z,
        }
    }

    /// dz = dy · activation′, from the output y.
    #[inline(always)]
    pub(super) fn backward<S: Simd>(self, s: S, y: S::F32, dy: S::F32) -> S::F32 {
        match self {
            Self::Relu => relu_backward(s, y, dy),
            Self::Sigmoid => sigmoid_backward(s, y, dy),
            Self::Linear | Self::Softmax => dy,
        }
    }
}

/// Applies `activation` to each number of a row, in place; a softmax is left out.
pub(crate) struct Activate<'a> {
    pub(crate) activation: Activation,
    pub(crate) row: &'a mut [F32x16],
}

impl Kernel for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for vector in self.row {
            s.store(self.activation.forward(s, s.load(vector)), vector);
        }
    }
}
