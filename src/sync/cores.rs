//! How many cores there are for this process.

use std::sync::OnceLock;
use std::thread::available_parallelism;

/// How many cores this process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cores {
    /// Those that share no arithmetic units.
    pub(crate) physical: usize,
    /// Those of them that are the soonest done with work in even parts: all, or the faster ones where the
    /// others would be waited for.
    pub(crate) fast: usize,
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
            let capacities = capacities().filter(|cores| !cores.is_empty());
            let mut capacities = capacities.unwrap_or_else(|| vec![1; logical]);
            capacities.truncate(logical);
            Self { physical: capacities.len(), fast: soonest_done(&capacities), logical }
        })
    }

    /// The same where there are no more than `threads` to use them.
    pub(crate) fn up_to(self, threads: usize) -> Self {
        let Self { physical, fast, logical } = self;
        let [physical, fast, logical] = [physical, fast, logical].map(|cores| cores.min(threads));
        Self { physical, fast, logical }
    }
}

/// Of cores with these capacities, the greatest first, how many are the soonest done with work in even
/// parts, for which the slowest of them is waited for.
fn soonest_done(capacities: &[usize]) -> usize {
    let rates = (1..).zip(capacities).map(|(count, slowest)| (count * slowest, count));
    rates.max().map_or(1, |(_, count)| count)
}

/// How much each of the physical cores that this process may run on gets done, the greatest first, where
/// the system tells how many there are; all the same where it does not tell them apart.
#[cfg(target_os = "linux")]
fn capacities() -> Option<Vec<usize>> {
    use std::collections::BTreeMap;
    use std::fs::read_to_string;

    use rustix::thread::{CpuSet, sched_getaffinity};

    let set = sched_getaffinity(None).ok()?;
    let usable = (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu));
    // The threads of a core name the same ones.
    let core = |cpu| {
        let folder = format!("/sys/devices/system/cpu/cpu{cpu}");
        let siblings = read_to_string(format!("{folder}/topology/thread_siblings_list")).ok()?;
        let capacity = read_to_string(format!("{folder}/cpu_capacity")).ok();
        Some((siblings, capacity.and_then(|text| text.trim().parse().ok()).unwrap_or(1)))
    };
    let cores: Option<BTreeMap<String, usize>> = usable.map(core).collect();
    let mut capacities: Vec<_> = cores?.into_values().collect();
    capacities.sort_unstable_by(|one, other| other.cmp(one));
    Some(capacities)
}

/// The same, where the system tells.
#[cfg(not(target_os = "linux"))]
fn capacities() -> Option<Vec<usize>> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    use super::*;

    #[test]
    fn slow_cores_are_left_out_where_they_would_be_waited_for() {
        let [big, middle, little] = [1024, 870, 250];
        for (capacities, expected) in [
            (vec![1; 8], 8),
            (vec![big, middle, middle, middle, little, little, little, little], 4),
            (vec![big, big, little], 2),
            (vec![big, 600, 600], 3),
            (vec![big], 1),
        ] {
            assert_eq!(soonest_done(&capacities), expected, "{capacities:?}");
        }
    }

    #[test]
    fn no_more_cores_are_used_than_there_are_threads() {
        let cores = Cores { physical: 4, fast: 3, logical: 8 };
        assert_eq!(cores.up_to(2), Cores { physical: 2, fast: 2, logical: 2 });
        assert_eq!(cores.up_to(6), Cores { physical: 4, fast: 3, logical: 6 });
    }

    /// A thread that may run on one core only has one, however many the machine has.
    #[test]
    fn affinity_counts() {
        let usable = Cores::usable();
        let Cores { physical, fast, logical } = usable;
        assert!(1 <= fast && fast <= physical && physical <= logical, "{usable:?}");
        std::thread::spawn(|| {
            let all = sched_getaffinity(None).expect("the system tells");
            let first = (0..CpuSet::MAX_CPU).find(|&cpu| all.is_set(cpu)).expect("there is one");
            let mut one = CpuSet::new();
            one.set(first);
            sched_setaffinity(None, &one).expect("it is one of those that we may use");
            // Where the system does not tell which cores are siblings, nothing is said.
            assert!(capacities().is_none_or(|cores| cores.len() == 1));
        })
        .join()
        .expect("the thread ends");
    }
}
