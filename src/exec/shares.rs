//! How a number of things is divided among the members of a team.

use std::ops::Range;

use crate::simd::{LANES, groups};

/// The share of `total` things that falls to `member`: as equal as can be, the first ones larger.
pub(crate) fn share_of(total: usize, member: usize, members: usize) -> Range<usize> {
    let edge = |member: usize| (total * member).div_ceil(members);
    edge(member)..edge(member + 1)
}

/// The share of the samples of a minibatch of up to `batch` that falls to `member`: whole sixteens,
/// but for the last, as what is done with samples is done with sixteen at a time.
pub(crate) fn share_of_samples(batch: usize, member: usize, members: usize) -> Range<usize> {
    let sixteens = share_of(groups(batch), member, members);
    (sixteens.start * LANES).min(batch)..(sixteens.end * LANES).min(batch)
}
