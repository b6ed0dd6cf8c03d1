//! What can go wrong between ranks.

/// Why the ranks of a job cannot work together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something failed on another rank, which says it in its words.
    #[error("{}{problem}", prefix(*rank, problem))]
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
    /// The system grants no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
}

/// What is put before the `problem` of rank `rank`, unless that names the rank already.
fn prefix(rank: usize, problem: &str) -> String {
    let name = format!("rank {rank}");
    let rest = problem.strip_prefix(&name);
    let names_it = rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()));
    if names_it { String::new() } else { format!("{name}: ") }
}
