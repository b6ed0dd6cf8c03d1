//! The threads: begun here alone, so that a system that refuses them is met with fewer, or with an
//! error.

use std::thread::available_parallelism;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// The stack of a thread, whatever the environment sets for others: none of ours needs more.
const STACK: usize = 2 << 20;

/// A pool of `threads` threads.
///
/// # Errors
/// When the system refuses some of them.
pub(crate) fn pool_of(threads: usize) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK)
        .thread_name(|index| format!("mnistry-{index}"))
        .build()
}

/// A pool of a thread a core, or of as many as the system grants.
///
/// # Errors
/// When it refuses even one.
pub(crate) fn pool_of_all_cores() -> Result<ThreadPool, ThreadPoolBuildError> {
    let mut threads = cores();
    loop {
        match pool_of(threads) {
            Err(_) if threads > 1 => threads /= 2,
            built => return built,
        }
    }
}

/// The number of cores that this process may use.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// What `each` makes of `things`, in their order: by the pool that this thread belongs to, else by
/// one of its own, else, where the system grants no threads, by this thread alone.
pub(crate) fn map_in_parallel<T: Send, R: Send>(
    things: Vec<T>,
    each: impl Fn(T) -> R + Send + Sync,
) -> Vec<R> {
    if rayon::current_thread_index().is_some() {
        return things.into_par_iter().map(each).collect();
    }
    match pool_of_all_cores() {
        Ok(pool) => pool.install(|| things.into_par_iter().map(each).collect()),
        Err(_) => things.into_iter().map(each).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_on_whatever_threads() {
        let squares = || map_in_parallel((0..1000).collect(), |number: u32| number * number);
        let expected: Vec<_> = (0..1000).map(|number| number * number).collect();
        assert_eq!(squares(), expected);
        assert_eq!(pool_of(3).unwrap().install(squares), expected);
    }
}
