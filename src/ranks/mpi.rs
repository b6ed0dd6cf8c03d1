//! Ranks by MPI, the messages that clusters have.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use mpi::Threading;
use mpi::datatype::PartitionMut;
use mpi::environment::{Universe, initialize_with_threading};
use mpi::point_to_point::{Destination, Source};
use mpi::request::{Request, Scope, scope};
use mpi::topology::{Communicator as _, SimpleCommunicator};
use mpi::traits::{CommunicatorCollectives, Equivalence};

use super::{Communicator, Error};

/// How long a rank asks for an answer without a pause: about as long as one of its machine takes.
const SPINNING: Duration = Duration::from_micros(50);

/// How long it gives its core to others between two questions, before it sleeps.
const YIELDING: Duration = Duration::from_millis(2);

/// How long it sleeps between two questions then.
const SLEEP: Duration = Duration::from_micros(100);

/// How long the end of the job may take, where machines cannot be reached.
const ENDING: Duration = Duration::from_secs(5);

/// The ranks of `MPI_COMM_WORLD`.
pub(super) struct Mpi {
    rank: usize,
    size: usize,
    patience: Duration,
    /// Messages that came while another one was sent. Locked while MPI is called.
    received: Mutex<VecDeque<(usize, Vec<u8>)>>,
    /// Ends MPI when it is dropped.
    _universe: Universe,
}

impl Mpi {
    /// Starts MPI.
    pub(super) fn start(patience: Duration) -> Result<Self, Error> {
        let begin = || initialize_with_threading(Threading::Serialized);
        let (universe, threading) = within(patience, begin)?.ok_or(Error::Started)?;
        if threading < Threading::Serialized {
            return Err(Error::Threads);
        }
        let number = |number| usize::try_from(number).unwrap_or(0);
        let (rank, size) = (number(world().rank()), number(world().size()));
        Ok(Self { rank, size, patience, received: Mutex::default(), _universe: universe })
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(usize, Vec<u8>)>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `request`, and does `meanwhile` again and again.
    fn wait<'a, D: ?Sized, S: Scope<'a>>(
        &self,
        mut request: Request<'a, D, S>,
        mut meanwhile: impl FnMut(),
    ) {
        let since = Instant::now();
        loop {
            match request.test() {
                Ok(_) => return,
                Err(unfinished) => request = unfinished,
            }
            meanwhile();
            match since.elapsed() {
                waited if waited < SPINNING => std::hint::spin_loop(),
                waited if waited < YIELDING => thread::yield_now(),
                waited if waited < self.patience => thread::sleep(SLEEP),
                _ => self.end("another rank"),
            }
        }
    }

    /// Takes what is there.
    fn take_messages(&self, received: &mut VecDeque<(usize, Vec<u8>)>) {
        while let Some((found, status)) = world().any_process().immediate_matched_probe() {
            let from = usize::try_from(status.source_rank()).unwrap_or(0);
            let length = usize::try_from(status.count(u8::equivalent_datatype())).unwrap_or(0);
            let mut message = vec![0_u8; length];
            scope(|scope| {
                let request = found.immediate_matched_receive_into(scope, &mut message[..]);
                self.wait(request, || ());
            });
            received.push_back((from, message));
        }
    }

    /// Ends the job, as `who` does not answer: MPI cannot go on without it.
    fn end(&self, who: &str) -> ! {
        say(&format!(
            "error: rank {}: {who} has not answered for {} s, so the job ends; what is complete is kept\n",
            self.rank,
            self.patience.as_secs(),
        ));
        // What cannot be reached cannot be told.
        let watch = thread::Builder::new().spawn(|| {
            thread::sleep(ENDING);
            std::process::exit(1);
        });
        if watch.is_err() {
            std::process::exit(1);
        }
        world().abort(1)
    }
}

/// What `begin` comes to, which waits for all ranks and cannot be asked to give up: where one does not
/// come within `patience`, this process ends.
fn within<T>(patience: Duration, begin: impl FnOnce() -> T) -> Result<T, Error> {
    let (begun, watched) = mpsc::channel::<()>();
    let watch = move || {
        if watched.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            say(&format!(
                "error: another rank has not come to the start of MPI for {} s, so the job ends\n",
                patience.as_secs()
            ));
            std::process::exit(1);
        }
    };
    thread::Builder::new().spawn(watch).map_err(Error::Thread)?;
    let found = begin();
    drop(begun);
    Ok(found)
}

/// Writes a line to stderr at once: in pieces, those of ranks that share it would come between.
fn say(line: &str) {
    let _ = io::stderr().write_all(line.as_bytes());
}

/// All ranks.
fn world() -> SimpleCommunicator {
    SimpleCommunicator::world()
}

/// A number as MPI has it, which are those of ranks and of words of a message.
fn count(number: usize) -> i32 {
    i32::try_from(number).expect("a message has no more than 8 GiB")
}

impl Communicator for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn all_gather(&self, own: &[u32], lengths: &[usize], all: &mut [u32]) {
        let _one_at_a_time = self.lock();
        let counts: Vec<i32> = lengths.iter().map(|&length| count(length)).collect();
        let mut place = 0;
        let displacement = |length| {
            let here = count(place);
            place += length;
            here
        };
        let displacements: Vec<i32> = lengths.iter().map(displacement).collect();
        let mut all = PartitionMut::new(all, counts, displacements);
        scope(|scope| {
            let request = world().immediate_all_gather_varcount_into(scope, own, &mut all);
            self.wait(request, || ());
        });
    }

    fn send(&self, to: usize, message: &[u8]) {
        let mut received = self.lock();
        scope(|scope| {
            let request = world().process_at_rank(count(to)).immediate_send(scope, message);
            // Whoever it is for may be sending too, and waits for this rank.
            self.wait(request, || self.take_messages(&mut received));
        });
    }

    fn receive(&self) -> Option<(usize, Vec<u8>)> {
        let mut received = self.lock();
        self.take_messages(&mut received);
        received.pop_front()
    }

    fn check_silence(&self, rank: usize, silence: Duration) {
        if silence > self.patience {
            let _one_at_a_time = self.lock();
            self.end(&format!("rank {rank}"));
        }
    }
}

impl std::fmt::Debug for Mpi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mpi").field("rank", &self.rank).field("size", &self.size).finish()
    }
}

impl Drop for Mpi {
    fn drop(&mut self) {
        // The others wait for this rank, which comes no more.
        if thread::panicking() {
            world().abort(101);
        }
    }
}
