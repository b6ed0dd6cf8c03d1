//! A part of a sweep's runs, for one machine of several that know nothing of each other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which of a sweep's runs are done here: those whose number leaves a remainder by that of all shards.
/// So each shard has some of each configuration's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    /// From 1.
    number: usize,
    /// How many there are.
    of: usize,
}

impl Shard {
    /// Its number, from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// How many there are.
    #[must_use]
    pub fn of(&self) -> usize {
        self.of
    }

    /// Whether run `number`, from 1, belongs to it.
    #[must_use]
    pub fn has(&self, number: usize) -> bool {
        number % self.of == self.number % self.of
    }
}

impl Default for Shard {
    /// All runs.
    fn default() -> Self {
        Self { number: 1, of: 1 }
    }
}

/// As arguments have it: `3/16`.
impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let parts = parts.and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err("give its number, from 1, and how many there are, such as 3/16".into()),
        }
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_belongs_to_one_shard() {
        let shards = [1, 2, 3].map(|number| format!("{number}/3").parse::<Shard>().unwrap());
        for number in 1..100 {
            assert_eq!(shards.iter().filter(|shard| shard.has(number)).count(), 1);
            assert!(Shard::default().has(number));
        }
        assert!(shards[0].has(1) && shards[2].has(3));
        for wrong in ["", "3", "0/3", "4/3", "1/0", "a/b", "1/2/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
