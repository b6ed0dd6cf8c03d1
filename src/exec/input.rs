//! What a layer reads in one minibatch, sample by sample and input by input.

use crate::kernels::sparse::{Columns, Lists};
use crate::sync::{Reader, TurnBuffer};

/// Numbers in panels: block g of sixteen columns of sample i at `g · batch + i`.
pub(crate) struct Panels<'a> {
    pub(crate) lanes: Reader<'a>,
    /// How many samples make the minibatch.
    pub(crate) samples: usize,
}

impl<'a> Panels<'a> {
    /// Those of a minibatch of `samples` samples, once all workers have written them.
    pub(crate) fn read(seat: &'a TurnBuffer, samples: usize) -> Self {
        Self { lanes: seat.read(), samples }
    }
}

/// The inputs of a layer, sample by sample: x.
pub(crate) enum Input<'a> {
    /// Images as lists of their non-zero pixels.
    Sparse(&'a Lists),
    /// Numbers in panels.
    Dense(Panels<'a>),
}

/// The inputs of a layer, input by input: xᵀ.
pub(crate) enum Transposed<'a> {
    /// For each pixel, the images where it is not zero.
    Sparse(&'a Columns),
    /// Numbers in panels, which are read either way.
    Dense(Panels<'a>),
}

impl Input<'_> {
    /// How many samples make the minibatch.
    pub(crate) fn samples(&self) -> usize {
        match self {
            Self::Sparse(images) => images.len(),
            Self::Dense(panels) => panels.samples,
        }
    }
}

impl Transposed<'_> {
    /// How many samples make the minibatch.
    pub(crate) fn samples(&self) -> usize {
        match self {
            Self::Sparse(images) => images.images(),
            Self::Dense(panels) => panels.samples,
        }
    }
}
