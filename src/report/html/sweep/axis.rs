//! The axes of parallel coordinates: where a value lies on one, and what is written beside it.

use crate::report::html::chart::rounded;

/// So many values at most are each named beside the axis.
const NAMED: usize = 8;
/// About so many marks has an axis where the values are more.
const MARKS: f64 = 6.0;
/// What a mark takes of an axis.
const ROOM: f64 = 0.06;
/// Values are laid out by their logarithms where those reach from one to this factor, and lie this
/// much more evenly.
const FACTOR: f64 = 4.0;
const MORE_EVENLY: f64 = 0.1;

/// An axis, from 0 to 1.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) name: String,
    scale: Scale,
    pub(super) marks: Vec<Mark>,
}

/// A value that is named beside the axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    /// From 0 to 1.
    pub(super) place: f64,
    pub(super) text: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Scale {
    /// Words, each as far from the next.
    Words(Vec<String>),
    Numbers(Numbers),
}

/// Numbers from the least to the greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Numbers {
    spacing: Spacing,
    least: f64,
    greatest: f64,
}

/// How numbers are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spacing {
    /// By themselves.
    Linear,
    /// By their logarithms.
    Log,
    /// By those of what they lack of 1: 90 %, 99 % and 99.9 % are as far from each other.
    Errors,
}

impl Spacing {
    fn of(self, number: f64) -> f64 {
        match self {
            Self::Linear => number,
            Self::Log => number.ln(),
            Self::Errors => -(1.0 - number).ln(),
        }
    }
}

impl Numbers {
    /// Those of `numbers`, by logarithms as `log` has them where that suits them better.
    fn new(numbers: &[f64], log: Spacing) -> Self {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.dedup();
        let (least, greatest) = (sorted[0], sorted[sorted.len() - 1]);
        let spaced = |spacing| Self { spacing, least, greatest };
        let uneven = |numbers: Self| {
            let middle = sorted.len() / 2;
            let median = match sorted.len() % 2 {
                0 => (numbers.place(sorted[middle - 1]) + numbers.place(sorted[middle])) / 2.0,
                _ => numbers.place(sorted[middle]),
            };
            (median - 0.5).abs()
        };
        let (linear, log) = (spaced(Spacing::Linear), spaced(log));
        let is_wide = log.span().is_finite() && log.span() >= FACTOR.ln();
        if is_wide && uneven(linear) - uneven(log) > MORE_EVENLY { log } else { linear }
    }

    /// From the least to the greatest as they are laid out; not finite where that cannot be.
    fn span(self) -> f64 {
        self.spacing.of(self.greatest) - self.spacing.of(self.least)
    }

    fn place(self, number: f64) -> f64 {
        let place = (self.spacing.of(number) - self.spacing.of(self.least)) / self.span();
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.5 }
    }

    /// Round numbers among them.
    fn round(self) -> Vec<f64> {
        let Self { spacing, least, greatest } = self;
        let within = |number: &f64| (least..=greatest).contains(number);
        let round: Vec<f64> = match spacing {
            Spacing::Linear => {
                let rough = (greatest - least) / MARKS;
                let power = 10_f64.powf(rough.log10().floor());
                let steps = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power);
                let step = steps.into_iter().find(|&step| step >= rough).unwrap_or(rough);
                let (first, last) = ((least / step).ceil(), (greatest / step).floor());
                (0..=(last - first) as i32).map(|nth| (first + f64::from(nth)) * step).collect()
            }
            Spacing::Log => decades(least, greatest).into_iter().filter(within).collect(),
            Spacing::Errors => {
                let errors = decades(1.0 - greatest, 1.0 - least).into_iter();
                errors.map(|error| 1.0 - error).filter(within).collect()
            }
        };
        if round.len() < 2 { vec![least, greatest] } else { round }
    }
}

/// Powers of ten from about `from` to about `to`, and where these are few their double and half.
fn decades(from: f64, to: f64) -> Vec<f64> {
    let powers = from.log10().floor() as i32..=to.log10().ceil() as i32;
    let digits: &[f64] = if powers.clone().count() > 4 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let decade = |power| digits.iter().map(move |digit| digit * 10_f64.powi(power));
    powers.flat_map(decade).collect()
}

impl Axis {
    /// That of the setting `name`, which has these values.
    pub(super) fn of_setting<'a>(name: &str, values: impl Iterator<Item = &'a str>) -> Self {
        let mut distinct: Vec<String> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        distinct.extend(values.filter(|value| seen.insert(*value)).map(str::to_owned));
        let numbers: Option<Vec<f64>> = distinct.iter().map(|value| number(value)).collect();
        let numbers = numbers.filter(|numbers| !numbers.is_empty());
        let scale = match numbers.map(|numbers| Numbers::new(&numbers, Spacing::Log)) {
            Some(numbers) if numbers.least < numbers.greatest => Scale::Numbers(numbers),
            _ => Scale::Words(distinct.clone()),
        };
        let mut axis = Self { name: name.into(), scale, marks: Vec::new() };
        axis.marks = match axis.scale {
            Scale::Numbers(numbers) if distinct.len() > NAMED => {
                let mark = |number| Mark { place: numbers.place(number), text: rounded(number) };
                numbers.round().into_iter().map(mark).collect()
            }
            _ => {
                let mark = |text: String| Mark { place: axis.place(&text), text };
                distinct.into_iter().map(mark).collect()
            }
        };
        axis.marks.sort_by(|a, b| a.place.total_cmp(&b.place));
        axis
    }

    /// That of accuracies, which it is given all of: at least one.
    pub(super) fn of_accuracies(name: String, accuracies: &[f64]) -> Self {
        let numbers = Numbers::new(accuracies, Spacing::Errors);
        let percent = |share: f64| format!("{} %", rounded(100.0 * share));
        let mark = |share| Mark { place: numbers.place(share), text: percent(share) };
        let mut marks: Vec<_> = numbers.round().into_iter().map(mark).collect();
        // The best has its name in any case, and others where they leave it room.
        marks.retain(|mark| mark.place < numbers.place(numbers.greatest) - ROOM);
        marks.push(mark(numbers.greatest));
        marks.sort_by(|a, b| a.place.total_cmp(&b.place));
        Self { name, scale: Scale::Numbers(numbers), marks }
    }

    /// Where `value` lies.
    pub(super) fn place(&self, value: &str) -> f64 {
        match &self.scale {
            Scale::Numbers(numbers) => numbers.place(number(value).unwrap_or(f64::NAN)),
            Scale::Words(words) => {
                let place = words.iter().position(|word| word == value).unwrap_or(0);
                // The first is at the top, as it is read.
                1.0 - (place as f64 + 0.5) / words.len().max(1) as f64
            }
        }
    }

    /// Where the accuracy `share` lies.
    pub(super) fn place_of(&self, share: f64) -> f64 {
        match &self.scale {
            Scale::Numbers(numbers) => numbers.place(share),
            Scale::Words(_) => 0.5,
        }
    }
}

/// The finite number that `value` is, if it is one.
fn number(value: &str) -> Option<f64> {
    value.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: &[&str]) -> Axis {
        Axis::of_setting("a", values.iter().copied())
    }

    fn places(values: &[&str]) -> Vec<f64> {
        let axis = axis(values);
        values.iter().map(|value| (1000.0 * axis.place(value)).round() / 1000.0).collect()
    }

    #[test]
    fn values_are_laid_out_as_they_suggest() {
        assert_eq!(places(&["20", "50", "100"]), [0.0, 0.375, 1.0]);
        assert_eq!(places(&["1e-4", "1e-3", "1e-2"]), [0.0, 0.5, 1.0]);
        assert_eq!(places(&["16", "32", "64", "128", "256"]), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(places(&["0", "0.1", "0.5"]), [0.0, 0.2, 1.0]);
        assert_eq!(places(&["adam", "sgd"]), [0.75, 0.25]);
        assert_eq!(places(&["100", "200,100"]), [0.75, 0.25]);
        // The same number, written in two ways, and what is no number of an axis.
        assert_eq!(places(&["1e-3", "0.001"]), [0.75, 0.25]);
        assert_eq!(places(&["inf", "1"]), [0.75, 0.25]);
    }

    #[test]
    fn few_values_are_named_as_they_were_written_and_many_by_round_numbers() {
        let texts = |axis: &Axis| -> Vec<String> {
            axis.marks.iter().map(|mark| mark.text.clone()).collect()
        };
        assert_eq!(texts(&axis(&["1e-2", "1e-4", "1e-3"])), ["1e-4", "1e-3", "1e-2"]);
        let many: Vec<String> = (16..116).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(texts(&axis(&many)), ["20", "40", "60", "80", "100"]);
        let rates: Vec<String> =
            (0..50).map(|n| 10_f64.powf(-4.0 + f64::from(n) / 24.5).to_string()).collect();
        let rates: Vec<&str> = rates.iter().map(String::as_str).collect();
        let marks = texts(&axis(&rates));
        assert!(marks.contains(&"0.001".into()) && marks.contains(&"0.005".into()), "{marks:?}");
    }

    #[test]
    fn accuracies_of_any_kind_have_an_axis() {
        let near = Axis::of_accuracies("test accuracy".into(), &[0.97, 0.975, 0.98]);
        assert!((near.place_of(0.975) - 0.5).abs() < 1e-9);
        let far = Axis::of_accuracies("test accuracy".into(), &[0.1, 0.9, 0.95, 0.97, 0.98]);
        assert!(far.place_of(0.95) < 0.8, "{}", far.place_of(0.95));
        assert!(far.marks.iter().any(|mark| mark.text == "90 %"), "{:?}", far.marks);
        for accuracies in [&[0.5][..], &[1.0, 1.0], &[0.0, 1.0], &[0.2, 1.0, 0.99]] {
            let axis = Axis::of_accuracies("test accuracy".into(), accuracies);
            let places = accuracies.iter().map(|&share| axis.place_of(share));
            let places = places.chain(axis.marks.iter().map(|mark| mark.place));
            places.for_each(|place| assert!((0.0..=1.0).contains(&place), "{place}"));
            assert!(!axis.marks.is_empty() && axis.marks.len() < 30, "{:?}", axis.marks);
        }
    }
}
