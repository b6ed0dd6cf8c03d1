//! How many cores there are for this process.

use std::sync::OnceLock;
use std::thread::available_parallelism;

/// How many cores this process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cores {
    /// Those that share no arithmetic units.
    pub(crate) physical: usize,
    /// Those that the system knows: several a physical one where that runs several threads at once.
    pub(crate) logical: usize,
}

impl Cores {
    /// Those that the affinity and the quota of this process leave it.
    pub(crate) fn usable() -> Self {
        // The system is asked once: it answers by way of several files.
        static USABLE: OnceLock<Cores> = OnceLock::new();
        *USABLE.get_or_init(|| {
            let logical = available_parallelism().map_or(1, usize::from);
            Self { physical: physical().map_or(logical, |cores| cores.clamp(1, logical)), logical }
        })
    }

    /// The same where there are no more than `threads` to use them.
    pub(crate) fn up_to(self, threads: usize) -> Self {
        Self { physical: self.physical.min(threads), logical: self.logical.min(threads) }
    }
}

/// The physical cores that this process may run on, where the system tells.
#[cfg(target_os = "linux")]
fn physical() -> Option<usize> {
    use std::collections::BTreeSet;

    use rustix::thread::{CpuSet, sched_getaffinity};

    let set = sched_getaffinity(None).ok()?;
    let usable = (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu));
    // The threads of a core name the same ones.
    let siblings = |cpu| {
        let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
        std::fs::read_to_string(path).ok()
    };
    let cores: Option<BTreeSet<String>> = usable.map(siblings).collect();
    cores.map(|cores| cores.len())
}

/// The physical cores that this process may run on, where the system tells.
#[cfg(not(target_os = "linux"))]
fn physical() -> Option<usize> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    use super::*;

    #[test]
    fn no_more_cores_are_used_than_there_are_threads() {
        let cores = Cores { physical: 4, logical: 8 };
        assert_eq!(cores.up_to(2), Cores { physical: 2, logical: 2 });
        assert_eq!(cores.up_to(6), Cores { physical: 4, logical: 6 });
    }

    /// A thread that may run on one core only has one, however many the machine has.
    #[test]
    fn affinity_counts() {
        let usable = Cores::usable();
        assert!((1..=usable.logical).contains(&usable.physical), "{usable:?}");
        std::thread::spawn(|| {
            let all = sched_getaffinity(None).expect("the system tells");
            let first = (0..CpuSet::MAX_CPU).find(|&cpu| all.is_set(cpu)).expect("there is one");
            let mut one = CpuSet::new();
            one.set(first);
            sched_setaffinity(None, &one).expect("it is one of those that we may use");
            // Where the system does not tell which cores are siblings, nothing is said.
            assert!(physical().is_none_or(|cores| cores == 1));
        })
        .join()
        .expect("the thread ends");
    }
}
