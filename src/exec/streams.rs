//! What is random in a pass over the samples.
//!
//! Each sample draws from streams of its own in each epoch, so that nothing depends on who works
//! on it, or with whom it shares a minibatch.

use crate::rng::{Rng, Stream};

/// The streams of one epoch of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SampleStreams {
    pub(crate) seed: u64,
    /// Counted from 1.
    pub(crate) epoch: usize,
}

impl SampleStreams {
    /// The stream of `sample` for `stream`; for dropout, each `layer` has its own.
    pub(crate) fn of(&self, stream: Stream, layer: usize, sample: u32) -> Rng {
        let index = (layer as u64) << 56 | (self.epoch as u64) << 32 | u64::from(sample);
        Rng::stream(self.seed, stream, index)
    }
}
