//! What changed from one build, or one day, to another.

mod ratio;
mod text;

pub use ratio::Interval;

use std::path::Path;

use serde::Serialize;

use self::ratio::{Ratio, fewest_pairs, fewest_samples, of_pairs, of_samples};
use super::error::{Error, Result};
use super::measurements::{Measurements, Rate, TrainingImages, Work};
use super::rounds::median_of;
use super::{Effort, Host, Machine};
use crate::files::OneLine;

/// How likely it is at most that any of the intervals of a comparison misses the truth.
const RISK: f64 = 0.05;

/// What changed, rate by rate; it displays as a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// By which method.
    pub method: Method,
    /// How sure it is that all intervals together hold the truth, from 0 to 1: each has its part of
    /// the risk (Bonferroni's inequality), so that many rates make no difference by chance.
    pub confidence: f64,
    /// How many times as fast or as slow, at most, what no change of the engine touches has become: the
    /// FMA peak, and products by `matrixmultiply`. Each interval is widened by this factor, from 1 up.
    /// `None` where builds took turns, and where nothing tells.
    pub drift: Option<f64>,
    /// What tells that.
    pub controls: Vec<&'static str>,
    /// What else is not the same.
    pub notes: Vec<String>,
    /// The rates that both have.
    pub rates: Vec<RateChange>,
}

/// How ratios are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// Rounds of two measurements: Wilcoxon's rank sum.
    RankSum,
    /// Rounds that took turns, in pairs: Wilcoxon's signed ranks.
    SignedRanks,
}

/// How one rate changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RateChange {
    /// What was done.
    pub what: String,
    /// What the rates are counted in.
    pub unit: &'static str,
    /// The median of before.
    pub old: f64,
    /// That of now.
    pub new: f64,
    /// How many times as fast: the estimate by Hodges and Lehmann.
    pub ratio: f64,
    /// Its interval; `None` where there are too few rounds for one.
    pub interval: Option<Interval>,
    /// What that says.
    pub verdict: Verdict,
}

/// What an interval says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// All of it lies above 1.
    Faster,
    /// All of it lies below 1.
    Slower,
    /// 1 lies in it: if there is a difference, the noise hides it.
    NoDifference,
    /// There are too few rounds for an interval.
    TooFewRounds,
}

impl Measurements {
    /// Whether what is measured on this machine can be compared with these, which were read from `path`:
    /// before the work for it is done.
    ///
    /// # Errors
    /// When they are of another machine.
    pub fn check_host(&self, path: impl AsRef<Path>) -> Result<()> {
        check_hosts(&self.host, &Host::this(), path.as_ref())
    }

    /// Whether what is measured at `work` can be compared with these, which were read from `path`: before
    /// it is done.
    ///
    /// # Errors
    /// When they are of other work, or of nothing that is measured.
    pub fn check_work(&self, work: &Work<'_>, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let images = work.images.map(TrainingImages::of);
        check_same_work([self.effort, work.effort], [self.images, images], path)?;
        let has = |rates: usize, is_measured: bool| rates > 0 && is_measured;
        let gemm = has(self.gemm.as_ref().map_or(0, Vec::len), work.gemm);
        match gemm || has(self.train.as_ref().map_or(0, Vec::len), work.images.is_some()) {
            true => Ok(()),
            false => Err(Error::NothingInCommon(path.to_owned())),
        }
    }
}

impl Comparison {
    /// What changed from `old`, which was read from `path`, to `new`.
    ///
    /// # Errors
    /// When they are of different machines, or of different work.
    pub fn of_files(
        old: &Measurements,
        new: &Measurements,
        path: impl AsRef<Path>,
    ) -> Result<Self> {
        let path = path.as_ref();
        check_comparable(old, new, path)?;
        let (old_rates, new_rates) = (old.rates(), new.rates());
        let (controls, rates): (Vec<_>, Vec<_>) =
            both(&old_rates, &new_rates).partition(|(old, _)| old.is_control);
        let tells = |(_, rate): &&(&Rate<'_>, &Rate<'_>)| !rate.is_peak || has_same_peak(old, new);
        let estimate = |(old, new): &(&Rate<'_>, &Rate<'_>)| {
            of_samples(old.rounds, new.rounds, RISK).estimate.ln().abs()
        };
        let drift = controls.iter().filter(tells).map(estimate).fold(0.0, f64::max).exp();
        let mut told_by: Vec<_> =
            controls.iter().filter(tells).map(|(_, of)| of.control()).collect();
        told_by.dedup();
        let risk = RISK / rates.len().max(1) as f64;
        let change = |(old, new): &(&Rate<'_>, &Rate<'_>)| {
            let ratio = of_samples(old.rounds, new.rounds, risk);
            let interval = ratio.interval.map(|interval| interval.widened(drift));
            RateChange::new(
                new,
                [old.rounds, new.rounds].map(median_of),
                Ratio { interval, ..ratio },
            )
        };
        let rates: Vec<_> = rates.iter().map(change).collect();
        let mut notes = differences(old, new);
        if !has_same_peak(old, new) {
            notes.push(
                "so the FMA peak is another, and does not tell how much the machine itself changed"
                    .into(),
            );
        }
        if told_by.is_empty() {
            notes.push(
                "nothing tells how much the machine itself changed: intervals know nothing of it"
                    .into(),
            );
        }
        for (when, measurements) in [("then", old), ("now", new)] {
            let disturbances = measurements.conditions.disturbances().into_iter();
            notes.extend(disturbances.map(|disturbance| format!("{when}, {disturbance}")));
        }
        let drift = (!told_by.is_empty()).then_some(drift);
        let told = Self::told(Method::RankSum, notes, rates, path)?;
        Ok(Self { drift, controls: told_by, ..told })
    }

    /// What changed from `old` to `new`, each of which took turns with the other at the same place of
    /// the list; `path` is the program of `old`.
    ///
    /// # Errors
    /// As [`of_files`](Self::of_files).
    pub(super) fn of_turns(
        old: &[Measurements],
        new: &[Measurements],
        path: &Path,
    ) -> Result<Self> {
        let mut pairs: Vec<Paired> = Vec::new();
        for (old, new) in old.iter().zip(new) {
            check_comparable(old, new, path)?;
            for (old, new) in both(&old.rates(), &new.rates()).filter(|(old, _)| !old.is_control) {
                let rounds = (median_of(old.rounds), median_of(new.rounds));
                match pairs.iter_mut().find(|paired| paired.rate.what == new.what) {
                    Some(paired) => paired.rounds.push(rounds),
                    None => {
                        let rate = Rate { rounds: &[], ..new.clone() };
                        pairs.push(Paired { rate, rounds: vec![rounds] });
                    }
                }
            }
        }
        let risk = RISK / pairs.len().max(1) as f64;
        let change = |Paired { rate, rounds }: Paired| {
            let (old, new): (Vec<f64>, Vec<f64>) = rounds.iter().copied().unzip();
            let medians = [&old, &new].map(|rounds| median_of(rounds));
            RateChange::new(&rate, medians, of_pairs(&rounds, risk))
        };
        let rates = pairs.into_iter().map(change).collect();
        let notes = old.first().zip(new.first()).map(|(old, new)| differences(old, new));
        Self::told(Method::SignedRanks, notes.unwrap_or_default(), rates, path)
    }

    fn told(
        method: Method,
        notes: Vec<String>,
        rates: Vec<RateChange>,
        path: &Path,
    ) -> Result<Self> {
        if rates.is_empty() {
            return Err(Error::NothingInCommon(path.to_owned()));
        }
        let (drift, controls) = (None, Vec::new());
        Ok(Self { method, confidence: 1.0 - RISK, drift, controls, notes, rates })
    }

    /// The rates whose ratio is certainly less than `least`: the whole interval lies below.
    pub fn below(&self, least: f64) -> impl Iterator<Item = &RateChange> {
        let is_below = move |change: &&RateChange| {
            change.interval.is_some_and(|interval| interval.high < least)
        };
        self.rates.iter().filter(is_below)
    }

    /// The rates of which nothing is certain, however they differ: those with too few rounds.
    pub fn undecided(&self) -> impl Iterator<Item = &RateChange> {
        self.rates.iter().filter(|change| change.interval.is_none())
    }

    /// How many rounds of both there must be at least, so that something can be certain of each of so
    /// many rates.
    #[must_use]
    pub fn rounds_needed(&self) -> usize {
        let risk = RISK / self.rates.len().max(1) as f64;
        match self.method {
            Method::RankSum => fewest_samples(risk),
            Method::SignedRanks => fewest_pairs(risk),
        }
    }
}

/// Rounds of a rate that took turns.
struct Paired {
    rate: Rate<'static>,
    rounds: Vec<(f64, f64)>,
}

impl RateChange {
    fn new(rate: &Rate<'_>, [old, new]: [f64; 2], ratio: Ratio) -> Self {
        let verdict = match ratio.interval {
            None => Verdict::TooFewRounds,
            Some(interval) if interval.low > 1.0 => Verdict::Faster,
            Some(interval) if interval.high < 1.0 => Verdict::Slower,
            Some(_) => Verdict::NoDifference,
        };
        let (what, unit) = (rate.what.clone(), rate.unit);
        let Ratio { estimate, interval } = ratio;
        Self { what, unit, old, new, ratio: estimate, interval, verdict }
    }
}

/// The rates that are in both lists, in the order of the second.
fn both<'a, 'r>(
    old: &'a [Rate<'r>],
    new: &'a [Rate<'r>],
) -> impl Iterator<Item = (&'a Rate<'r>, &'a Rate<'r>)> {
    new.iter().filter_map(|new| Some((old.iter().find(|old| old.what == new.what)?, new)))
}

/// Refuses measurements whose rates say nothing of each other: of other machines, or of other work.
fn check_comparable(old: &Measurements, new: &Measurements, path: &Path) -> Result<()> {
    check_hosts(&old.host, &new.host, path)?;
    check_same_work([old.effort, new.effort], [old.images, new.images], path)
}

/// Refuses rates of other work.
fn check_same_work(
    efforts: [Effort; 2],
    images: [Option<TrainingImages>; 2],
    path: &Path,
) -> Result<()> {
    let efforts = efforts.map(|effort| format!("{effort:?}").to_lowercase());
    check_same("the effort", efforts, MEASURE_ALIKE, path)?;
    match images {
        [Some(old), Some(new)] => {
            let said = [old, new].map(|images| images.to_string());
            check_same("what was trained on", said, TRAIN_ALIKE, path)
        }
        // What only one of them has measured is compared with nothing.
        _ => Ok(()),
    }
}

const MEASURE_BOTH: &str = "measure both builds on one machine";
const MEASURE_ALIKE: &str = "measure both in the same way";
const TRAIN_ALIKE: &str = "name the data of then with --data";

/// Refuses to compare what was measured on another machine.
fn check_hosts(old: &Host, new: &Host, path: &Path) -> Result<()> {
    let of = |host: &Host| {
        let Machine { cpu, logical_cpus, architecture, os } = &host.machine;
        let cpu = cpu.clone().unwrap_or_else(|| "not known".into());
        let caches: Vec<_> = host.caches.iter().map(|of| format!("{} KiB", of.kib)).collect();
        [
            ("the CPU", cpu),
            ("the architecture", architecture.clone()),
            ("the operating system", os.clone()),
            ("the number of threads at once", logical_cpus.to_string()),
            ("the number of cores", host.physical_cores.to_string()),
            ("the size of caches", caches.join(", ")),
        ]
    };
    for ((what, old), (_, new)) in of(old).into_iter().zip(of(new)) {
        check_same(what, [old, new], MEASURE_BOTH, path)?;
    }
    Ok(())
}

fn check_same(
    what: &'static str,
    [old, new]: [String; 2],
    advice: &'static str,
    path: &Path,
) -> Result<()> {
    match old == new {
        true => Ok(()),
        false => Err(Error::Incomparable { path: path.to_owned(), what, old, new, advice }),
    }
}

/// Whether the FMA peak of both is that of the same instructions: another then is of the machine.
fn has_same_peak(old: &Measurements, new: &Measurements) -> bool {
    old.isa == new.isa && old.build.is_optimised == new.build.is_optimised
}

/// What differs besides the builds, and may be meant.
fn differences(old: &Measurements, new: &Measurements) -> Vec<String> {
    let of = |measurements: &Measurements| {
        let is_optimised = measurements.build.is_optimised;
        [
            ("the instruction set", measurements.isa.clone()),
            ("the number of threads", measurements.threads.to_string()),
            (
                "what computes matrix products",
                format!("{:?}", measurements.gemm_backend).to_lowercase(),
            ),
            ("the build", if is_optimised { "optimised" } else { "for debugging" }.into()),
        ]
    };
    let mut notes = Vec::new();
    for ((what, old), (_, new)) in of(old).into_iter().zip(of(new)) {
        if old != new {
            notes.push(format!("{what} was {} there and is {} here", OneLine(old), OneLine(new)));
        }
    }
    if old.build.program.is_some() && old.build == new.build {
        notes.push("both were measured by the same build".into());
    }
    notes
}

#[cfg(test)]
mod tests;
