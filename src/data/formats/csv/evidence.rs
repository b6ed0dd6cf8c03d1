//! What the values of a column speak for: labels, ids, or pixels.

use std::collections::BTreeMap;

use super::number;

/// More different values than any set of classes has that people give numbers.
const MOST_CLASSES: usize = 100;

/// A larger share of all rows is rather that of the ground at the border of images.
const MOST_OF_ONE: f64 = 0.8;

/// What was seen of a column, row by row.
#[derive(Debug, Default)]
pub(super) struct Facts {
    rows: usize,
    /// How often each value came; not complete where there are many.
    counts: BTreeMap<Vec<u8>, usize>,
    last: Option<f64>,
    /// Whether each number is one more than the one before.
    is_broken: bool,
    /// Whether some value is no number.
    has_text: bool,
    /// Whether some number has a fraction, or is below 0.
    has_others: bool,
}

/// What a column may be, by its values alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Each row has the number after that of the row before.
    CountsUp,
    /// Few values, each several times, and none of them nearly always: as labels are.
    Labels,
    /// Few values, but too few rows, or too uneven, to tell.
    Few,
    /// One value: as pixels at the border are.
    Constant,
    /// Anything else.
    Many,
}

impl Facts {
    /// Looks at the value of the next row.
    pub(super) fn add(&mut self, field: &[u8]) {
        let field = field.trim_ascii();
        self.rows += 1;
        let value = number(field);
        self.has_text |= value.is_none();
        self.has_others |= value.is_some_and(|value| value < 0.0 || value.fract() != 0.0);
        self.is_broken |= match (self.last, value) {
            (Some(last), Some(value)) => value != last + 1.0,
            (None, Some(value)) => value != 0.0 && value != 1.0 || self.rows > 1,
            _ => true,
        };
        self.last = value;
        if let Some(count) = self.counts.get_mut(field) {
            *count += 1;
        } else if self.counts.len() <= MOST_CLASSES {
            self.counts.insert(field.to_owned(), 1);
        }
    }

    /// What all that was seen speaks for.
    pub(super) fn kind(&self) -> Kind {
        let values = self.counts.len();
        if !self.is_broken && self.rows > 2 {
            return Kind::CountsUp;
        }
        if values > MOST_CLASSES || self.has_others {
            return Kind::Many;
        }
        if values < 2 {
            return Kind::Constant;
        }
        let most = self.counts.values().max().copied().unwrap_or(0);
        let is_even = (most as f64) <= MOST_OF_ONE * self.rows as f64;
        let is_repeated = self.rows > values;
        match is_even && is_repeated && (self.has_text || self.is_dense()) {
            true => Kind::Labels,
            false => Kind::Few,
        }
    }

    /// Whether the values are nearly all the whole numbers between the least and the greatest, from
    /// 0 or 1 on.
    fn is_dense(&self) -> bool {
        let numbers = || self.counts.keys().filter_map(|field| number(field));
        let least = numbers().fold(f64::INFINITY, f64::min);
        let greatest = numbers().fold(0.0, f64::max);
        least <= 1.0 && greatest - least < 1.25 * self.counts.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(values: &[&str]) -> Kind {
        let mut facts = Facts::default();
        values.iter().for_each(|value| facts.add(value.as_bytes()));
        facts.kind()
    }

    #[test]
    fn values_speak_for_what_they_are() {
        let cases: [(&[&str], Kind); 12] = [
            (&["0", "1", "2", "3"], Kind::CountsUp),
            (&["1", "2", "3", "4"], Kind::CountsUp),
            (&["7", "8", "9"], Kind::Few),
            (&["1", "0", "2", "1", "0"], Kind::Labels),
            (&["1", "0", "24", "1", "0"], Kind::Few),
            (&["A", "B", "A"], Kind::Labels),
            (&["A", "B"], Kind::Few),
            (&["0", "0", "0"], Kind::Constant),
            (&["0", "0", "0", "0", "0", "1"], Kind::Few),
            (&["0", "0.5", "0"], Kind::Many),
            (&["-1", "1", "-1"], Kind::Many),
            (&["1.0", "0.0", "1.0"], Kind::Labels),
        ];
        for (values, expected) in cases {
            assert_eq!(kind(values), expected, "{values:?}");
        }
        let many: Vec<String> = (0..300).map(|n| (n * 7 % 150).to_string()).collect();
        assert_eq!(kind(&many.iter().map(String::as_str).collect::<Vec<_>>()), Kind::Many);
    }
}
