//! Memory: what work needs of it, told before any is asked for, and what the system has left.
//!
//! Systems grant more memory than they have, and end the process that makes use of it. So what
//! may be large is first compared with what is free, and refused in words where it is more.

mod caches;
mod free;

use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;

pub use caches::Cache;
pub(crate) use caches::caches;

/// What some work needs, part by part, in bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Need {
    parts: Vec<(Cow<'static, str>, u128)>,
}

/// Up to so many bytes nobody is asked: it would take longer than small work does.
const SMALL: u128 = 1 << 24;

impl Need {
    /// The same and `bytes` more for `what`.
    #[must_use]
    pub(crate) fn and(mut self, what: impl Into<Cow<'static, str>>, bytes: u128) -> Self {
        self.parts.push((what.into(), bytes));
        self
    }

    /// The same and what `other` needs.
    #[must_use]
    pub(crate) fn and_all_of(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> u128 {
        self.parts.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Checks that there is as much for `task`; `advice` says how to need less.
    ///
    /// # Errors
    /// When there is less, or the system refuses as much.
    pub(crate) fn check(&self, task: &'static str, advice: &'static str) -> Result<(), Shortage> {
        let needed = self.bytes();
        if needed <= SMALL {
            return Ok(());
        }
        let free = free::bytes();
        if free.is_none_or(|free| needed <= u128::from(free)) && is_granted(needed) {
            return Ok(());
        }
        let (largest, bytes) =
            self.parts.iter().max_by_key(|(_, bytes)| *bytes).cloned().unwrap_or_default();
        Err(Shortage(Box::new(Lack { task, needed, largest, bytes, free, advice })))
    }
}

/// Whether the system would grant so many bytes in one piece. It is not had for long: this only
/// asks, so that a refusal is met here and not where it would end the process.
fn is_granted(bytes: u128) -> bool {
    let mut asked = Vec::<u8>::new();
    let is_granted =
        usize::try_from(bytes).is_ok_and(|bytes| asked.try_reserve_exact(bytes).is_ok());
    // Or the compiler leaves out what nobody uses.
    black_box(&asked);
    is_granted
}

/// Work that needs more memory than there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage(Box<Lack>);

/// Who lacks how much memory for what. In a box, so that results that may say so stay small.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lack {
    task: &'static str,
    needed: u128,
    largest: Cow<'static, str>,
    bytes: u128,
    free: Option<u64>,
    advice: &'static str,
}

impl Shortage {
    /// That of `bytes` for `what`, which the system refused to `task`.
    pub(crate) fn refused(task: &'static str, what: &'static str, bytes: usize) -> Self {
        let bytes = bytes as u128;
        let advice = "end other programs, or allow this one more";
        let (needed, largest) = (bytes, what.into());
        Self(Box::new(Lack { task, needed, largest, bytes, free: None, advice }))
    }

    /// How many bytes are needed.
    #[must_use]
    pub fn needed(&self) -> u128 {
        self.0.needed
    }

    /// How many bytes are free, where the system tells.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        self.0.free
    }
}

impl std::error::Error for Shortage {}

/// `training needs about 18.2 GB (of that 17.9 GB for …), and 12.1 GB are free: fewer units …`
impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lack { task, needed, largest, bytes, free, advice } = &*self.0;
        let (needed, bytes) = (Amount(*needed), Amount(*bytes));
        write!(f, "{task} needs about {needed} of memory (of that {bytes} for {largest}), ")?;
        match free {
            Some(free) if u128::from(*free) < self.needed() => {
                write!(f, "and {} are free", Amount(u128::from(*free)))?;
            }
            _ => f.write_str("which the system refuses")?,
        }
        write!(f, ": {advice}")
    }
}

/// A number of bytes as a person reads it: `18.2 GB`.
struct Amount(u128);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, f64); 3] = [("MB", 1e6), ("GB", 1e9), ("TB", 1e12)];
        let bytes = self.0 as f64;
        let [smallest, ..] = UNITS;
        // What is rounded up to a thousand of a unit is one of the next.
        let fits = |(_, size): &&(&str, f64)| bytes >= 0.999_95 * size;
        let (unit, size) = UNITS.iter().rev().find(fits).copied().unwrap_or(smallest);
        write!(f, "{:.1} {unit}", bytes / size)
    }
}

/// Room for `count` things more in `list`.
///
/// # Errors
/// When the system refuses it, to `task` for `what`.
pub(crate) fn reserve<T>(
    list: &mut Vec<T>,
    count: usize,
    (task, what): (&'static str, &'static str),
) -> Result<(), Shortage> {
    let bytes = count.saturating_mul(size_of::<T>());
    list.try_reserve_exact(count).map_err(|_| Shortage::refused(task, what, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_is_is_refused_in_a_line() {
        let need = Need::default().and("weights", 3 << 60).and("activations", 1 << 70);
        let said = need.check("training", "fewer units").unwrap_err();
        assert_eq!(said.needed(), (3 << 60) + (1 << 70));
        let said = said.to_string();
        let start = "training needs about 1184050385.2 TB of memory (of that 1180591620.7 TB for \
                     activations), ";
        assert!(said.starts_with(start) && said.ends_with(": fewer units"), "{said}");
        assert!(need.and("", 0).check("", "").is_err());
        assert_eq!(Need::default().and("a page", 4096).check("reading", ""), Ok(()));
    }

    #[test]
    fn what_the_system_refuses_is_an_error() {
        let mut list = Vec::<u64>::new();
        let said = reserve(&mut list, usize::MAX / 64, ("reading", "lists")).unwrap_err();
        assert!(said.to_string().contains("which the system refuses"), "{said}");
        reserve(&mut list, 3, ("reading", "lists")).unwrap();
    }

    #[test]
    fn amounts_are_rounded_to_a_tenth() {
        for (bytes, text) in [
            (0, "0.0 MB"),
            (12_345_678, "12.3 MB"),
            (999_949_999, "999.9 MB"),
            (999_950_000, "1.0 GB"),
            (18_249_000_000, "18.2 GB"),
            (7_000_000_000_000, "7.0 TB"),
        ] {
            assert_eq!(Amount(bytes).to_string(), text);
        }
    }
}
