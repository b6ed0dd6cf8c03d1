//! What can go wrong between ranks.

/// Why the ranks of a job cannot work together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something failed on another rank, which says it in its words.
    #[error("rank {rank}: {problem}")]
    Rank {
        /// Which one.
        rank: usize,
        /// What went wrong there.
        problem: String,
    },
    /// Something failed on this rank.
    #[error("{0}")]
    Local(String),
    /// MPI was begun already, or has ended.
    #[error("MPI cannot be started in this process: it was before")]
    Started,
    /// MPI cannot be called from several threads, one at a time.
    #[error("this MPI allows but one thread to call it: build it with support of threads")]
    Threads,
}
