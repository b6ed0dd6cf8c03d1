//! What a run takes of a data set, and by what it knows it again.

use crate::data::{Dataset, Split};
use crate::exec::engine::Engine;
use crate::report::error::{Error, Result};

/// The training images of a run that takes the first `limit` of `dataset`.
pub(super) fn taken(dataset: &Dataset, limit: Option<usize>) -> Result<Split> {
    let train = &dataset.train;
    limit
        .map_or(Ok(train.clone()), |limit| train.take(limit))
        .map_err(|problem| Error::Train(problem.into()))
}

/// The checksum of `dataset`, by all threads.
pub(super) fn checksum(engine: &Engine, dataset: &Dataset) -> String {
    engine.install(|| dataset.checksum())
}
