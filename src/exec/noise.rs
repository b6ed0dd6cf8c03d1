//! What is random in a pass over the samples.
//!
//! Each sample draws from streams of its own in each epoch, so that nothing depends on who works
//! on it, or with whom it shares a minibatch.

use crate::rng::{Rng, Stream};

/// The epoch of a run, for what is random in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SampleStreams {
    pub(crate) seed: u64,
    pub(crate) epoch: usize,
}

impl SampleStreams {
    /// The stream of `sample` for `purpose`; a network has several `places` for some.
    pub(crate) fn stream(&self, purpose: Stream, place: usize, sample: u32) -> Rng {
        let index = (place as u64) << 56 | (self.epoch as u64) << 32 | u64::from(sample);
        Rng::stream(self.seed, purpose, index)
    }
}
