//! Ranks that are threads of one process: for tests of all that needs several, but no MPI.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Communicator, Ranks};

/// How long a rank may be silent.
const PATIENCE: Duration = Duration::from_secs(100);

/// Has a thread be each of `size` ranks, and do `work`: what it comes to, by rank.
///
/// # Panics
/// When one does.
pub fn on_each_rank<T: Send>(size: usize, work: impl Fn(Ranks) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> =
            ranks(size).into_iter().map(|ranks| scope.spawn(move || work(ranks))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a rank panicked")).collect()
    })
}

/// `size` ranks, as each of them sees them.
pub(crate) fn ranks(size: usize) -> Vec<Ranks> {
    let hub = Arc::new(Hub {
        size,
        rooms: Mutex::new(Rooms {
            given: vec![None; size],
            taken: 0,
            messages: vec![VecDeque::new(); size],
        }),
        changed: Condvar::new(),
    });
    (0..size).map(|rank| Ranks(Arc::new(InProcess { rank, hub: Arc::clone(&hub) }))).collect()
}

/// One of the ranks.
#[derive(Debug)]
struct InProcess {
    rank: usize,
    hub: Arc<Hub>,
}

/// Where they meet.
#[derive(Debug)]
struct Hub {
    size: usize,
    rooms: Mutex<Rooms>,
    changed: Condvar,
}

#[derive(Debug)]
struct Rooms {
    /// What each rank gave in the present round.
    given: Vec<Option<Vec<u32>>>,
    /// How many have taken what all gave.
    taken: usize,
    /// What was sent to each rank, and by whom.
    messages: Vec<VecDeque<(usize, Vec<u8>)>>,
}

impl Hub {
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while `condition` holds.
    fn wait_while<'a>(
        &self,
        rooms: MutexGuard<'a, Rooms>,
        condition: impl Fn(&Rooms) -> bool,
    ) -> MutexGuard<'a, Rooms> {
        let waited = self.changed.wait_while(rooms, |rooms| condition(rooms));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Communicator for InProcess {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.hub.size
    }

    fn all_gather(&self, own: &[u32], lengths: &[usize], all: &mut [u32]) {
        assert_eq!(own.len(), lengths[self.rank], "a rank gives what all expect of it");
        let Self { rank, hub } = self;
        // Until all have taken what the round before gave.
        let mut rooms = hub.wait_while(hub.rooms(), |rooms| rooms.given[*rank].is_some());
        rooms.given[*rank] = Some(own.to_vec());
        hub.changed.notify_all();
        let mut rooms = hub.wait_while(rooms, |rooms| rooms.given.iter().any(Option::is_none));
        let mut rest = all;
        for (given, &length) in rooms.given.iter().flatten().zip(lengths) {
            let (into, others) = rest.split_at_mut(length);
            into.copy_from_slice(given);
            rest = others;
        }
        rooms.taken += 1;
        if rooms.taken == hub.size {
            rooms.taken = 0;
            rooms.given.fill(None);
            hub.changed.notify_all();
        }
        // Nobody takes twice: whoever comes again waits for the round's end above.
    }

    fn send(&self, to: usize, message: &[u8]) {
        self.hub.rooms().messages[to].push_back((self.rank, message.to_vec()));
    }

    fn receive(&self) -> Option<(usize, Vec<u8>)> {
        self.hub.rooms().messages[self.rank].pop_front()
    }

    fn check_silence(&self, rank: usize, silence: Duration) {
        assert!(silence < PATIENCE, "rank {rank} does not answer");
    }
}
