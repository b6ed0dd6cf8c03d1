//! How a number of things is divided among the workers of a team.

use std::ops::Range;

use crate::simd::{LANES, vectors_for};

/// The share of `total` things that falls to `rank`: as equal as can be, the first ones larger.
pub(crate) fn share_of(total: usize, rank: usize, workers: usize) -> Range<usize> {
    let edge = |rank: usize| (total * rank).div_ceil(workers);
    edge(rank)..edge(rank + 1)
}

/// The share of the samples of a minibatch of up to `batch` that falls to `rank`: whole sixteens,
/// but for the last, as what is done with samples is done with sixteen at a time.
pub(crate) fn share_of_samples(batch: usize, rank: usize, workers: usize) -> Range<usize> {
    let sixteens = share_of(vectors_for(batch), rank, workers);
    (sixteens.start * LANES).min(batch)..(sixteens.end * LANES).min(batch)
}
