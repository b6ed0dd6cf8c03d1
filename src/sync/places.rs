//! Cores that the threads of a team have for themselves as they begin.
//!
//! A system that wakes several threads at once may wake them on one core, and take a tenth of a second
//! and more to part them: a whole epoch, of which each step takes as long as with one thread, or longer.
//! So each thread of a team that has a core for each is held on one of its own for that time. After it,
//! they are the system's to place again, which knows what else there is to run.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use self::affinity::Held;
use super::cores::{PhysicalCore, usable_cores};

/// How long a thread is held: about as long as systems were seen to leave two threads on one core.
const HELD: Duration = Duration::from_millis(150);

/// The cores of a team, of which each of its threads [takes](Self::take) one.
#[derive(Debug)]
pub(crate) struct Places {
    free: Mutex<Vec<PhysicalCore>>,
}

/// A thread held on a core of its own for as long as this lives; to be dropped by that thread.
#[derive(Debug)]
pub(crate) struct Place {
    until: Instant,
    _held: Held,
}

impl Places {
    /// Those of a team of `threads` threads: none where there are not as many cores, or nobody tells which.
    pub(crate) fn of_team(threads: usize) -> Self {
        let cores = if threads > 1 { usable_cores() } else { &[] };
        Self { free: among(cores.to_vec(), threads).into() }
    }

    /// Holds this thread on the core that it is on, or on another one where that is taken; not at all where
    /// there is none, or the system does not want it.
    pub(crate) fn take(&self) -> Option<Place> {
        let held = Held::on_one_of(&mut *self.free.lock().ok()?)?;
        Some(Place { until: Instant::now() + HELD, _held: held })
    }
}

impl Place {
    /// Whether the thread has been held for long enough.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }
}

/// Of `cores`, those that get the most done first, those among which `threads` choose: such as get no less
/// done than the last of as many.
fn among(mut cores: Vec<PhysicalCore>, threads: usize) -> Vec<PhysicalCore> {
    let least = threads.checked_sub(1).and_then(|last| cores.get(last)).map(|core| core.capacity);
    cores.retain(|core| least.is_some_and(|least| core.capacity >= least));
    cores
}

#[cfg(target_os = "linux")]
mod affinity {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

    use super::PhysicalCore;

    /// A thread that runs on one core alone, as long as this lives.
    #[derive(Debug)]
    pub(super) struct Held {
        /// Where it might run before.
        before: CpuSet,
    }

    impl Held {
        /// This thread, on one of the `free` cores, which it takes from there.
        pub(super) fn on_one_of(free: &mut Vec<PhysicalCore>) -> Option<Self> {
            let core = free.swap_remove(nearest(free, sched_getcpu())?);
            let before = sched_getaffinity(None).ok()?;
            let mut set = CpuSet::new();
            core.cpus.into_iter().filter(|&cpu| before.is_set(cpu)).for_each(|cpu| set.set(cpu));
            sched_setaffinity(None, &set).ok()?;
            Some(Self { before })
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            // Where the system does not want it, the thread has a core all the same.
            let _ = sched_setaffinity(None, &self.before);
        }
    }

    /// Which of the `free` cores is the one of `cpu`, or the next one after it by number: so teams of several
    /// processes take others.
    pub(super) fn nearest(free: &[PhysicalCore], cpu: usize) -> Option<usize> {
        let is_of = |core: &PhysicalCore| core.cpus.contains(&cpu);
        let order = |core: &PhysicalCore| (!is_of(core), core.cpus[0] < cpu, core.cpus[0]);
        (0..free.len()).min_by_key(|&index| order(&free[index]))
    }
}

#[cfg(not(target_os = "linux"))]
mod affinity {
    use super::PhysicalCore;

    /// No thread can be held.
    #[derive(Debug)]
    pub(super) enum Held {}

    impl Held {
        pub(super) fn on_one_of(_: &mut Vec<PhysicalCore>) -> Option<Self> {
            None
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use rustix::thread::{CpuSet, sched_getaffinity};

    use super::affinity::nearest;
    use super::*;

    fn core(capacity: usize, cpus: &[usize]) -> PhysicalCore {
        PhysicalCore { capacity, cpus: cpus.to_vec() }
    }

    #[test]
    fn fast_cores_are_taken_where_they_are_enough() {
        let cores = [core(9, &[4]), core(9, &[5]), core(3, &[0]), core(3, &[1]), core(1, &[2])];
        for (threads, expected) in [(0, 0), (1, 2), (2, 2), (3, 4), (5, 5), (6, 0)] {
            let found = among(cores.to_vec(), threads);
            assert_eq!(found, cores[..expected], "of {threads} threads");
        }
    }

    #[test]
    fn a_thread_stays_or_takes_the_next_core() {
        let free = [core(1, &[1, 9]), core(1, &[3, 11]), core(1, &[6, 14])];
        for (cpu, expected) in [(1, 0), (9, 0), (11, 1), (2, 1), (4, 2), (7, 0), (15, 0)] {
            assert_eq!(nearest(&free, cpu), Some(expected), "from {cpu}");
        }
        assert_eq!(nearest(&[], 0), None);
    }

    /// What this thread may run on.
    fn affinity() -> Vec<usize> {
        let set = sched_getaffinity(None).expect("the system tells");
        (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
    }

    /// Each has a core of its own as long as it is held, and may then run where it might before.
    #[test]
    fn no_two_threads_have_the_same_core() {
        let cores = usable_cores();
        let before = affinity();
        let (places, meet) = (Places::of_team(cores.len()), Barrier::new(cores.len()));
        let hold = || {
            let place = places.take();
            let held = affinity();
            meet.wait();
            assert_eq!(place.is_some(), cores.len() > 1);
            drop(place);
            assert_eq!(affinity(), before);
            held
        };
        let mut held: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = cores.iter().map(|_| scope.spawn(hold)).collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
        });
        held.sort_unstable();
        let mut expected: Vec<_> = cores.iter().map(|core| core.cpus.clone()).collect();
        expected.sort_unstable();
        assert_eq!(held, expected);
    }

    /// More threads than cores are placed by the system.
    #[test]
    fn a_large_team_is_not_held() {
        let cores = usable_cores();
        assert!(Places::of_team(cores.len() + 1).take().is_none());
        assert!(Places::of_team(1).take().is_none());
    }
}
