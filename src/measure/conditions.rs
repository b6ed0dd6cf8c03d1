//! What else the machine did while something was measured. Linux tells, in `/proc`; elsewhere only
//! the rounds themselves do.

use std::collections::HashMap;
use std::fs;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::clock::clock_ghz;

/// The conditions that something was measured in. What the system does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Conditions {
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The clock of a core in GHz, as measured before and after.
    pub clock_ghz: Option<[f64; 2]>,
    /// Programs that ran or waited to run, on the average of the minute before.
    pub load_before: Option<f64>,
    /// The share of the time of all CPUs that other processes took meanwhile, from 0 to 1.
    pub other_processes: Option<f64>,
    /// The share that a hypervisor gave to other machines, from 0 to 1.
    pub stolen: Option<f64>,
    /// How often a thread of ours had to leave its core to another one.
    pub involuntary_switches: Option<u64>,
    /// How far rounds of the same work differ: the interquartile range relative to the median, in the
    /// median of all that was measured.
    pub spread: Option<f64>,
}

/// More of any of these is called a disturbance.
const MOST_OTHERS: f64 = 0.05;
const MOST_STOLEN: f64 = 0.02;
const MOST_SPREAD: f64 = 0.10;

impl Conditions {
    /// What disturbed the measurement, if anything did.
    #[must_use]
    pub fn disturbances(&self) -> Vec<String> {
        let share = |of: Option<f64>, most: f64, what: &str| {
            let share = of.filter(|&share| share > most)?;
            Some(format!("{what} {:.0} %", 100.0 * share))
        };
        let said = [
            share(self.other_processes, MOST_OTHERS, "other processes took"),
            share(self.stolen, MOST_STOLEN, "other machines of the hypervisor took"),
            share(self.spread, MOST_SPREAD, "rounds differ by"),
        ];
        said.into_iter().flatten().collect()
    }
}

/// Watches the machine from its making to [`conditions`](Self::conditions).
pub(crate) struct Watch {
    start: Instant,
    clock: Option<f64>,
    load: Option<f64>,
    times: Option<Times>,
    /// How often each thread had to leave its core, when it was last seen.
    switches: HashMap<String, u64>,
    /// How often those that are known now had to before.
    switches_before: u64,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        let mut watch = Self {
            start: Instant::now(),
            clock: clock_ghz(),
            load: read("loadavg").and_then(|text| text.split_whitespace().next()?.parse().ok()),
            times: Times::now(),
            switches: HashMap::new(),
            switches_before: 0,
        };
        watch.look();
        watch.switches_before = watch.switches.values().sum();
        watch
    }

    /// Looks at the threads of this process: what one that has ended did is forgotten otherwise.
    pub(crate) fn look(&mut self) {
        let Ok(threads) = fs::read_dir("/proc/self/task") else { return };
        for thread in threads.flatten() {
            let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            if let Some(switches) = involuntary_switches(&status) {
                let name = thread.file_name().to_string_lossy().into_owned();
                self.switches.insert(name, switches);
            }
        }
    }

    /// The conditions from the making of this to now; what rounds say is for who has them.
    pub(crate) fn conditions(mut self) -> Conditions {
        self.look();
        let shares = self.times.zip(Times::now()).and_then(|(from, to)| to.shares_since(&from));
        let switches = self.switches.values().sum::<u64>().saturating_sub(self.switches_before);
        Conditions {
            seconds: self.start.elapsed().as_secs_f64(),
            clock_ghz: self.clock.zip(clock_ghz()).map(|(before, after)| [before, after]),
            load_before: self.load,
            other_processes: shares.map(|shares| shares.others),
            stolen: shares.map(|shares| shares.stolen),
            involuntary_switches: (!self.switches.is_empty()).then_some(switches),
            spread: None,
        }
    }
}

fn read(name: &str) -> Option<String> {
    if cfg!(target_os = "linux") { fs::read_to_string(format!("/proc/{name}")).ok() } else { None }
}

fn involuntary_switches(status: &str) -> Option<u64> {
    let count = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"))?;
    count.trim().parse().ok()
}

/// Times of all CPUs since the machine was started, in the kernel's ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    all: u64,
    busy: u64,
    stolen: u64,
    /// Of this process, and of those that it started and that have ended.
    own: u64,
}

/// Shares of the time of all CPUs, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shares {
    others: f64,
    stolen: f64,
}

impl Times {
    fn now() -> Option<Self> {
        Self::parse(&read("stat")?, &read("self/stat")?)
    }

    /// From what the kernel says of the machine, and of a process.
    fn parse(machine: &str, process: &str) -> Option<Self> {
        let line = machine.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> =
            line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
        // What guests of this machine took is part of `user` and `nice` already.
        let [user, nice, system, idle, waiting, interrupts, soft_interrupts, stolen, ..] =
            ticks[..]
        else {
            return None;
        };
        let busy = user + nice + system + interrupts + soft_interrupts;
        // The program's name, in brackets, may have anything in it.
        let fields = process.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
        let own: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
        let all = busy + idle + waiting + stolen;
        (own.len() == 4).then(|| Self { all, busy, stolen, own: own.iter().sum() })
    }

    fn shares_since(&self, from: &Self) -> Option<Shares> {
        let all = self.all.checked_sub(from.all).filter(|&all| all > 0)? as f64;
        let own = self.own.saturating_sub(from.own);
        let others = self.busy.saturating_sub(from.busy).saturating_sub(own);
        let stolen = self.stolen.saturating_sub(from.stolen);
        Some(Shares { others: others as f64 / all, stolen: stolen as f64 / all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROCESS: &str = "7 (a) b) R 1 1 1 0 -1 0 0 0 0 0 30 10 5 5 20 0";

    #[test]
    fn what_others_took_is_what_is_busy_and_not_ours() {
        let before = Times::parse("cpu  100 10 40 800 20 5 5 20 7 0\ncpu0 1\n", PROCESS).unwrap();
        assert_eq!(before, Times { all: 1000, busy: 160, stolen: 20, own: 50 });
        let after = Times { all: 1200, busy: 300, stolen: 30, own: 90 };
        let shares = after.shares_since(&before).unwrap();
        assert_eq!(shares, Shares { others: 0.5, stolen: 0.05 });
        assert_eq!(before.shares_since(&before), None);
    }

    #[test]
    fn what_the_kernel_does_not_say_is_not_known() {
        assert_eq!(Times::parse("cpu  100 10 40\n", PROCESS), None);
        assert_eq!(Times::parse("cpu  1 1 1 1 1 1 1 1\n", "7 (a) R 1 1"), None);
        assert_eq!(involuntary_switches("voluntary_ctxt_switches:\t9\n"), None);
        assert_eq!(involuntary_switches("nonvoluntary_ctxt_switches:\t12\n"), Some(12));
    }

    #[test]
    fn disturbances_are_said_with_how_large_they_are() {
        let mut conditions = Watch::begin().conditions();
        (conditions.other_processes, conditions.stolen) = (Some(0.04), Some(0.031));
        conditions.spread = Some(0.25);
        let said = ["other machines of the hypervisor took 3 %", "rounds differ by 25 %"];
        assert_eq!(conditions.disturbances(), said);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_can_be_watched() {
        let watch = Watch::begin();
        let conditions = watch.conditions();
        assert!(conditions.involuntary_switches.is_some() && conditions.load_before.is_some());
    }
}
