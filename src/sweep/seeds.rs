//! The seeds that each configuration is trained by.

use std::fmt;
use std::str::FromStr;

/// The most runs that a plan may have.
pub(super) const MOST_RUNS: usize = 1_000_000;

/// Seeds, each once, in the order in which they were named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(Vec<u64>);

impl Seeds {
    /// These seeds.
    ///
    /// # Errors
    /// When there is none, one is named twice, or there are more than a million; the text says so.
    pub fn new(seeds: Vec<u64>) -> Result<Self, String> {
        let mut sorted = seeds.clone();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("seed {} is named twice", twice[0]));
        }
        match seeds.len() {
            0 => Err("no seed is named".into()),
            1..=MOST_RUNS => Ok(Self(seeds)),
            _ => Err(format!("more than {MOST_RUNS} seeds")),
        }
    }

    /// Each of them.
    #[must_use]
    pub fn list(&self) -> &[u64] {
        &self.0
    }
}

impl Default for Seeds {
    /// Seed 0 alone, as a training has it.
    fn default() -> Self {
        Self(vec![0])
    }
}

/// As arguments have them: `0-99`, `0-9,100,200-209`.
impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("give numbers and ranges such as 0-9,42, in place of `{text}`");
        let mut seeds = Vec::new();
        for part in text.split(',') {
            let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(part)?, number(part)?),
            };
            if last < first {
                return Err(wrong());
            }
            if last - first >= (MOST_RUNS - seeds.len().min(MOST_RUNS)) as u64 {
                return Err(format!("more than {MOST_RUNS} seeds"));
            }
            seeds.extend(first..=last);
        }
        Self::new(seeds)
    }
}

impl fmt::Display for Seeds {
    /// As arguments have them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_ranges(&self.0))
    }
}

/// Numbers as ranges of those that follow each other: `0-9,12`.
#[must_use]
pub fn in_ranges(numbers: &[u64]) -> String {
    let follows = |pair: &[u64]| pair[0].checked_add(1) == Some(pair[1]);
    let mut ranges = Vec::new();
    let mut rest = numbers;
    while let Some(&first) = rest.first() {
        let run = 1 + rest.windows(2).take_while(|pair| follows(pair)).count();
        ranges.push(match run {
            1 => first.to_string(),
            _ => format!("{first}-{}", rest[run - 1]),
        });
        rest = &rest[run..];
    }
    ranges.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_read_and_written_as_ranges() {
        for (text, seeds) in
            [("0-3", vec![0, 1, 2, 3]), ("7", vec![7]), ("9,2-4,0", vec![9, 2, 3, 4, 0])]
        {
            let read: Seeds = text.parse().unwrap();
            assert_eq!(read.list(), seeds);
            assert_eq!(read.to_string(), text);
        }
        let last: Seeds = "18446744073709551615".parse().unwrap();
        assert_eq!(last.to_string(), "18446744073709551615");
        for wrong in
            ["", "a", "3-1", "1,1", "0-3,2", "-1", "1-", "0-1000000", "0-18446744073709551615"]
        {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
    }
}
