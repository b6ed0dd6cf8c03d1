//! What a plan tries of a setting: some values, or any of a range.

use std::fmt;
use std::str::FromStr;

use super::error::{Error, Result};
use crate::rng::Rng;

/// What a plan tries of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Each of these, as the arguments of a training have them.
    List(Vec<String>),
    /// Any number of a range: for plans that draw at random.
    Range(Range),
}

/// Numbers from one to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least.
    pub from: f64,
    /// The greatest.
    pub to: f64,
    /// Whether each factor is as likely as any other, in place of each difference.
    pub log: bool,
    /// Whether only whole numbers are meant.
    pub whole: bool,
}

/// Digits of a number that is drawn. All of them would differ from one mathematical library to
/// another, whose logarithms are not the same to the last bit.
const DIGITS: usize = 4;

impl Range {
    /// Refuses a range that has nothing in it, or no logarithm.
    pub(super) fn check(&self, setting: &str) -> Result<()> {
        let Self { from, to, log, .. } = *self;
        let is_sound = from.is_finite() && to.is_finite() && from < to && !(log && from <= 0.0);
        if is_sound { Ok(()) } else { Err(Error::Range { setting: setting.into(), range: *self }) }
    }

    /// A number of the range, as an argument has it.
    fn draw(&self, rng: &mut Rng) -> String {
        let Self { from, to, log, whole } = *self;
        let unit = (rng.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        // Each whole number has a length of one.
        let (low, high) = if whole { (from - 0.5, to + 0.5) } else { (from, to) };
        let number = match log {
            true => low * (high / low).powf(unit),
            false => low + (high - low) * unit,
        };
        if whole {
            return (number.round().clamp(from, to) as i64).to_string();
        }
        let rounded = format!("{number:.*e}", DIGITS - 1).parse().unwrap_or(number);
        rounded.clamp(from, to).to_string()
    }
}

impl Values {
    /// How many there are, if a number can say it.
    pub(super) fn count(&self) -> Option<usize> {
        match self {
            Self::List(values) => Some(values.len()),
            Self::Range(Range { from, to, whole: true, .. }) => {
                let count = to - from + 1.0;
                (count < u32::MAX.into()).then_some(count as usize)
            }
            Self::Range(_) => None,
        }
    }

    /// That of this number, from 0: of fewer than [there are](Self::count).
    pub(super) fn value(&self, number: usize) -> String {
        match self {
            Self::List(values) => values[number].clone(),
            Self::Range(range) => ((range.from + number as f64) as i64).to_string(),
        }
    }

    /// One of the values, each as likely as any other.
    pub(super) fn draw(&self, rng: &mut Rng) -> String {
        match self {
            Self::List(values) => values[rng.below(values.len() as u32) as usize].clone(),
            Self::Range(range) => range.draw(rng),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, log, .. } = self;
        write!(f, "{from}..{to}{}", if *log { ":log" } else { "" })
    }
}

/// As arguments have them.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = match self {
            Self::Range(range) => return range.fmt(f),
            Self::List(values) => values,
        };
        let mut separator = "";
        for value in values {
            match value.contains(',') {
                true => write!(f, "{separator}[{value}]")?,
                false => write!(f, "{separator}{value}")?,
            }
            separator = ",";
        }
        Ok(())
    }
}

/// As arguments have them: `50,100,200`, `[50],[200,100]` where values have commas themselves, or a
/// range, `1e-4..1e-2` or `1e-4..1e-2:log`.
impl FromStr for Values {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        // What begins otherwise is a path.
        let range =
            text.split_once("..").and_then(|(from, rest)| Some((from, number(from)?, rest)));
        if let Some((from, low, rest)) = range {
            let (to, log) = match rest.split_once(':') {
                Some((to, "log")) => (to, true),
                Some(_) => return Err("after a range there may be `:log`, and nothing else".into()),
                None => (rest, false),
            };
            let high = number(to).ok_or("a range is two numbers, such as 1e-4..1e-2")?;
            let is_whole = |text: &str| text.trim().parse::<i64>().is_ok();
            let whole = is_whole(from) && is_whole(to);
            return Ok(Self::Range(Range { from: low, to: high, log, whole }));
        }
        let mut values = Vec::new();
        let mut rest = text;
        loop {
            let (value, after) = match rest.strip_prefix('[') {
                Some(inside) => inside.split_once(']').ok_or("a `[` without its `]`")?,
                None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
            };
            let value = value.trim();
            if value.is_empty() {
                return Err("a value is empty".into());
            }
            values.push(value.to_owned());
            if after.is_empty() {
                return Ok(Self::List(values));
            }
            rest = after.strip_prefix(',').ok_or("after a `]` comes a comma, or nothing")?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn list(values: &[&str]) -> Values {
        Values::List(values.iter().map(|&value| value.into()).collect())
    }

    #[test]
    fn values_are_read_as_a_person_writes_them() {
        let read = |text: &str| text.parse::<Values>();
        assert_eq!(read("50,100"), Ok(list(&["50", "100"])));
        assert_eq!(read("50,[200,100],7"), Ok(list(&["50", "200,100", "7"])));
        assert_eq!(read("[1]"), Ok(list(&["1"])));
        for text in ["50,100", "50,[200,100],7", "16..512", "0.1..0.5:log"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        let range = Range { from: 1e-4, to: 1e-2, log: true, whole: false };
        assert_eq!(read("1e-4..1e-2:log"), Ok(Values::Range(range)));
        let range = Range { from: 16.0, to: 512.0, log: false, whole: true };
        assert_eq!(read("16..512"), Ok(Values::Range(range)));
        assert_eq!(read("../a.toml,../b.toml"), Ok(list(&["../a.toml", "../b.toml"])));
        for wrong in ["", "1,,2", "1,", "[1", "[1]2", "1..", "1..b", "1..2:linear"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_drawn_lies_in_its_range_and_has_few_digits() {
        let mut rng = Rng::stream(0, Stream::Sweep, 0);
        let range = |log, whole, from, to| Range { from, to, log, whole };
        for log in [false, true] {
            for _ in 0..1000 {
                let text = range(log, false, 1e-4, 1e-2).draw(&mut rng);
                let number: f64 = text.parse().unwrap();
                assert!((1e-4..=1e-2).contains(&number), "{text}");
                let digits = text.trim_start_matches(['0', '.']).replace('.', "");
                assert!(digits.len() <= DIGITS, "{text}");
                let whole: i64 = range(log, true, 1.0, 3.0).draw(&mut rng).parse().unwrap();
                assert!((1..=3).contains(&whole));
            }
        }
    }

    #[test]
    fn by_logarithms_each_factor_is_as_likely_as_any_other() {
        let range = Range { from: 1e-4, to: 1.0, log: true, whole: false };
        let mut rng = Rng::stream(1, Stream::Sweep, 0);
        let draws = (0..4000).map(|_| range.draw(&mut rng).parse::<f64>().unwrap());
        let below = draws.filter(|&number| number < 1e-2).count();
        // Half of them, within six standard deviations of a binomial distribution.
        assert!(below.abs_diff(2000) < 6 * 32, "{below}");
    }
}
