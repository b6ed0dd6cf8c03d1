//! The threads: begun here alone, so that a system that refuses them is met with fewer, or with an
//! error.

use std::panic::resume_unwind;
use std::sync::mpsc::sync_channel;
use std::thread::{self, Builder, JoinHandle};

use memmap2::MmapOptions;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::Cores;

/// The stack of a thread, whatever the environment sets for others: none of ours needs more.
const STACK: usize = 2 << 20;

/// What a thread needs besides, as it begins.
const BESIDE_STACK: usize = 64 << 10;

/// Why threads cannot be had.
pub(crate) type Refusal = Box<dyn std::error::Error + Send + Sync>;

/// A pool of `threads` threads.
///
/// # Errors
/// When the system refuses some of them.
pub(crate) fn pool_of(threads: usize) -> Result<ThreadPool, Refusal> {
    // A thread that is granted its stack and nothing more has the C library end the process, so there must
    // be room for all of them before the first one begins.
    let room = threads.saturating_mul(STACK + BESIDE_STACK);
    drop(MmapOptions::new().len(room).no_reserve_swap().map_anon()?);
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK)
        .thread_name(|index| format!("mnistry-{index}"));
    Ok(pool.build()?)
}

/// A pool of a thread a core, or of as many as the system grants.
///
/// # Errors
/// When it refuses even one.
pub(crate) fn pool_of_all_cores() -> Result<ThreadPool, Refusal> {
    let mut threads = Cores::usable().logical;
    loop {
        match pool_of(threads) {
            Err(_) if threads > 1 => threads /= 2,
            built => return built,
        }
    }
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

/// Has each of `works` done by a thread of its own, while this one does `lead`, whose result is given
/// when all are done.
///
/// # Errors
/// When the system refuses a thread. The works that have one are waited for, and `lead` is not done.
///
/// # Panics
/// As one of the works.
pub(crate) fn lead_threads<Work: FnOnce() + Send, R>(
    works: Vec<Work>,
    lead: impl FnOnce() -> R,
) -> std::io::Result<R> {
    thread::scope(|scope| {
        for work in works {
            let thread = Builder::new().name("mnistry-worker".into()).stack_size(STACK);
            thread.spawn_scoped(scope, work)?;
        }
        Ok(lead())
    })
}

/// Work that another thread does meanwhile.
#[derive(Debug)]
pub(crate) enum Background<T> {
    Begun(JoinHandle<T>),
    Done(T),
}

impl<T: Send + 'static> Background<T> {
    /// Begins `work`, or does it at once where the system grants no thread.
    pub(crate) fn begin<Work>(work: Work) -> Self
    where
        Work: FnOnce() -> T + Send + 'static,
    {
        // A system that grants no thread does not give back what the thread was to do, so it gets
        // that later.
        let (give, take) = sync_channel::<Work>(1);
        let theirs = move || match take.recv() {
            Ok(work) => work(),
            Err(_) => unreachable!("the work is given as soon as there is a thread"),
        };
        match Builder::new().name("mnistry-background".into()).stack_size(STACK).spawn(theirs) {
            Ok(thread) => {
                let _ = give.send(work);
                Self::Begun(thread)
            }
            Err(_) => Self::Done(work()),
        }
    }

    /// What the work gave, once it is done.
    ///
    /// # Panics
    /// As the work did.
    pub(crate) fn wait(self) -> T {
        match self {
            Self::Begun(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Self::Done(done) => done,
        }
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

    #[test]
    fn works_are_done_while_their_leader_listens() {
        let (tell, told) = sync_channel(0);
        let works = (0..5).map(|number| {
            let tell = tell.clone();
            move || tell.send(number).unwrap()
        });
        let works = works.collect();
        drop(tell);
        let mut heard = lead_threads(works, || told.iter().collect::<Vec<_>>()).unwrap();
        heard.sort_unstable();
        assert_eq!(heard, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn background_work_is_waited_for() {
        let works = [0, 1, 2].map(|number| Background::begin(move || 10 * number));
        assert_eq!(works.map(Background::wait), [0, 10, 20]);
    }
}
