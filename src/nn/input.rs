//! What a layer reads in one minibatch.

use crate::buffers::Reader;
use crate::sparse::Minibatch;

/// The inputs of a layer.
pub(crate) enum Input<'a> {
    /// Images as lists of their non-zero pixels.
    Sparse(Minibatch<'a>),
    /// Numbers in panels.
    Dense {
        /// Group g of sixteen columns of sample i at `g · batch + i`.
        panels: Reader<'a>,
        /// How many samples make the minibatch.
        samples: usize,
    },
}

impl Input<'_> {
    /// How many samples make the minibatch.
    pub(crate) fn samples(&self) -> usize {
        match self {
            Self::Sparse(images) => images.samples.len(),
            Self::Dense { samples, .. } => *samples,
        }
    }
}
