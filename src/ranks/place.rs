//! Where the ranks of a job run: which of them share cores.

use std::num::NonZero;
use std::thread::available_parallelism;

use super::Ranks;

/// The cores of one rank, and who else has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// How many cores it may use.
    pub(crate) cores: usize,
    /// How many ranks may use these, itself among them.
    pub(crate) sharing: usize,
}

impl Place {
    /// That of this rank. All call it.
    pub(crate) fn of(ranks: &Ranks) -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        // Ranks that are bound to cores of their own differ in these; those on other machines in the
        // machine. Where the system does not tell, each is taken for alone.
        let Some(own) = machine().zip(affinity()).map(|(machine, cores)| machine + &cores) else {
            ranks.all_gather_bytes(&[]);
            return Self { cores, sharing: 1 };
        };
        let all = ranks.all_gather_bytes(own.as_bytes());
        let sharing = all.iter().filter(|place| **place == own.as_bytes()).count();
        Self { cores, sharing }
    }

    /// How many threads it has where nobody says how many: its part of the cores.
    pub(crate) fn threads(self) -> usize {
        (self.cores / self.sharing).max(1)
    }

    /// Whether there are more threads than cores where each rank has so many.
    pub(crate) fn is_oversubscribed_by(self, threads: usize) -> bool {
        threads.saturating_mul(self.sharing) > self.cores
    }
}

/// What tells this machine, as long as it runs, from others; of containers on it too.
fn machine() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()
}

/// Which cores this process may use.
fn affinity() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find(|line| line.starts_with("Cpus_allowed_list:")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::in_process::on_each_rank;

    #[test]
    #[cfg(target_os = "linux")]
    fn ranks_of_one_machine_part_its_cores() {
        for place in on_each_rank(3, |ranks| Place::of(&ranks)) {
            assert_eq!(place.sharing, 3);
        }
    }

    #[test]
    fn threads_are_a_part_of_the_cores() {
        let place = Place { cores: 8, sharing: 2 };
        assert_eq!(place.threads(), 4);
        assert!(!place.is_oversubscribed_by(4));
        assert!(place.is_oversubscribed_by(5));
        assert_eq!(Place { cores: 2, sharing: 3 }.threads(), 1);
    }
}
