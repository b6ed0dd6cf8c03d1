//! Which of several configurations is the better one.

use std::cmp::Ordering;

use super::statistics::Statistics;

/// How a configuration stands among others: the one rule by which a halving chooses those that go on, and
/// a summary puts them in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// How many of its runs came to no network.
    pub(super) failed: usize,
    /// Of the accuracies of the others.
    pub(super) accuracy: Option<Statistics>,
}

impl Standing {
    /// Of a configuration whose runs have these accuracies; those that failed have none.
    pub(super) fn of(runs: &[Option<f64>]) -> Self {
        let accuracies: Vec<f64> = runs.iter().flatten().copied().collect();
        Self { failed: runs.len() - accuracies.len(), accuracy: Statistics::of(&accuracies) }
    }

    /// The better one first: that of the highest mean; but behind all others those of which a run
    /// failed, as the mean of what is left says too much of them.
    pub(super) fn better_first(&self, other: &Self) -> Ordering {
        let has_failed = |of: &Self| of.failed > 0;
        let mean = |of: &Self| of.accuracy.map_or(f64::NEG_INFINITY, |of| of.mean);
        let by_mean = mean(other).total_cmp(&mean(self));
        has_failed(self).cmp(&has_failed(other)).then(by_mean)
    }
}
