//! A comparison as a person reads it.

use std::fmt;

use super::{Comparison, Method, RateChange, Verdict};

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.rates.iter().map(|change| change.what.chars().count());
        let width = longest.max().unwrap_or(0);
        let (what, unit) = ("what", "unit");
        let (old, new, ratio, interval) = ("old", "new", "ratio", "interval");
        writeln!(f, "{what:<width$}  {old:>9}  {new:>9}  {unit:<9}  {ratio:>5}  {interval:<14}")?;
        self.rates.iter().try_for_each(|change| write_change(f, change, width))?;
        let method = match self.method {
            Method::RankSum => "rank sums of the rounds (Wilcoxon)",
            Method::SignedRanks => "signed ranks of rounds that took turns (Wilcoxon)",
        };
        writeln!(
            f,
            "ratio: new by old, above 1 is faster: the median of ratios of rounds (Hodges and Lehmann), \
             not\nthe ratio of the two medians beside it; intervals by {method},"
        )?;
        writeln!(f, "which all hold together with {:.0} %", 100.0 * self.confidence)?;
        if let Some(drift) = self.drift {
            writeln!(
                f,
                "what no change of the engine touches ({}) changed by up to {:.1} %: intervals are wider \
                 by that",
                self.controls.join(", "),
                100.0 * (drift - 1.0)
            )?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

fn write_change(f: &mut fmt::Formatter<'_>, change: &RateChange, width: usize) -> fmt::Result {
    let RateChange { what, unit, old, new, ratio, interval, verdict } = change;
    let interval =
        interval.map_or_else(String::new, |of| format!("{:.3} to {:.3}", of.low, of.high));
    let verdict = match verdict {
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::NoDifference => "no difference to be seen",
        Verdict::TooFewRounds => "too few rounds",
    };
    // Large rates need no digits behind the point.
    let digits = |rate: f64| if rate < 1e4 { 1 } else { 0 };
    writeln!(
        f,
        "{what:<width$}  {old:>9.*}  {new:>9.*}  {unit:<9}  {ratio:>5.3}  {interval:<14}  {verdict}",
        digits(*old),
        digits(*new),
    )
}
