//! How many threads a run works with: it may change between two steps, as the bits do not depend on it.

mod auto;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::auto::AutoSize;
use crate::sync::Cores;

/// How many threads a run works with.
#[derive(Debug)]
pub(super) enum TeamSize {
    /// Always the same.
    Fixed(usize),
    /// As many as turn out to be the fastest.
    Auto(Box<AutoSize>),
    /// One of the list after the other, another one after each step.
    #[cfg(test)]
    Changing(Vec<usize>),
}

impl TeamSize {
    /// The fastest of 1, 2, 4 … `cores`, for work of so many parts, in a run of so many steps.
    pub(super) fn auto(cores: Cores, parts: usize, steps: usize) -> Self {
        Self::Auto(Box::new(AutoSize::new(cores, parts, steps)))
    }

    /// The size that the team shall have.
    pub(super) fn threads(&self) -> usize {
        match self {
            Self::Fixed(threads) => *threads,
            Self::Auto(size) => size.threads(),
            #[cfg(test)]
            Self::Changing(sizes) => sizes.last().copied().unwrap_or(1),
        }
    }

    /// The team has changed to the size that was asked for, which took `duration`.
    pub(super) fn changed(&mut self, duration: Duration) {
        if let Self::Auto(size) = self {
            size.changed(duration.as_secs_f64());
        }
    }

    /// A step took `duration` with the size that was asked for.
    pub(super) fn step_took(&mut self, duration: Duration) {
        match self {
            Self::Fixed(_) => {}
            Self::Auto(size) => size.step_took(duration.as_secs_f64()),
            #[cfg(test)]
            Self::Changing(sizes) => sizes.truncate(1.max(sizes.len() - 1)),
        }
    }
}
