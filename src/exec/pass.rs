//! What every stage is told of the minibatch that is worked on.

use super::samples::Samples;
use super::streams::SampleStreams;
use crate::kernels::gemm::GemmBackend;
use crate::simd::Isa;

/// A pass over one minibatch, forward and, in training, back.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub(crate) isa: Isa,
    pub(crate) gemm: GemmBackend,
    pub(crate) data: &'a Samples<'a>,
    /// Which samples of the data make the minibatch.
    pub(crate) samples: &'a [u32],
    /// What is random in the epoch; `None` where nothing is.
    pub(crate) streams: Option<SampleStreams>,
}
