//! Intervals of how many times as fast one thing is as another, by ranks: they hold whatever the
//! distribution of the noise is, and a few rounds that something disturbed do not move them far.
//!
//! The estimates are those of Hodges and Lehmann ("Estimates of location based on rank tests", 1963),
//! of logarithms of rates, so that a difference is a ratio. The intervals hold what the rank test of
//! the same name would not reject at the level asked for, by its exact distribution: Wilcoxon's test
//! of the rank sum for rounds of two measurements, his test of signed ranks for pairs (Hollander, Wolfe
//! and Chicken, "Nonparametric Statistical Methods", 2014, sections 4.3 and 3.3).

use serde::{Deserialize, Serialize};

/// An interval of a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Interval {
    /// The least ratio in it.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

impl Interval {
    /// The same, widened on either side by the factor `by`, from 1 up.
    pub(super) fn widened(self, by: f64) -> Self {
        Self { low: self.low / by, high: self.high * by }
    }
}

/// How many times as fast, and what is known of that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ratio {
    pub(super) estimate: f64,
    /// `None` where so few rounds cannot be as sure as was asked for, whatever they say.
    pub(super) interval: Option<Interval>,
}

/// How many times as fast `new` is as `old`, rates of rounds that have nothing to do with each other;
/// the interval misses the truth with a probability of at most `risk`.
pub(super) fn of_samples(old: &[f64], new: &[f64], risk: f64) -> Ratio {
    let differences =
        new.iter().flat_map(|new| old.iter().map(move |old| new.ln() - old.ln())).collect();
    ratio(differences, &rank_sums(old.len(), new.len()), risk)
}

/// How many times as fast the second of each pair is as the first, rates of rounds that took turns;
/// as [`of_samples`].
pub(super) fn of_pairs(pairs: &[(f64, f64)], risk: f64) -> Ratio {
    let logs: Vec<f64> = pairs.iter().map(|(old, new)| new.ln() - old.ln()).collect();
    // Walsh's averages, each of two differences or of one with itself.
    let averages = (0..logs.len())
        .flat_map(|i| (i..logs.len()).map(move |j| (i, j)))
        .map(|(i, j)| (logs[i] + logs[j]) / 2.0)
        .collect();
    ratio(averages, &signed_ranks(pairs.len()), risk)
}

/// How many rounds of either [`of_samples`] needs at least for an interval.
pub(super) fn fewest_samples(risk: f64) -> usize {
    fewest(|rounds| rank_sums(rounds, rounds), risk)
}

/// How many pairs [`of_pairs`] needs at least for an interval.
pub(super) fn fewest_pairs(risk: f64) -> usize {
    fewest(signed_ranks, risk)
}

fn fewest(distribution: impl Fn(usize) -> Vec<f64>, risk: f64) -> usize {
    let is_enough = |rounds: &usize| critical(&distribution(*rounds), risk).is_some();
    (1..).find(is_enough).unwrap_or(usize::MAX)
}

/// The ratio whose logarithm is the median of `values`, with the interval between those of them that
/// are as far from either end as the distribution of the test says.
fn ratio(mut values: Vec<f64>, distribution: &[f64], risk: f64) -> Ratio {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    let Some(last) = count.checked_sub(1) else {
        return Ratio { estimate: 1.0, interval: None };
    };
    let estimate = f64::midpoint(values[last / 2], values[count / 2]).exp();
    let left_out = critical(distribution, risk);
    let interval = left_out.filter(|&left_out| left_out <= last / 2).map(|left_out| Interval {
        low: values[left_out].exp(),
        high: values[last - left_out].exp(),
    });
    Ratio { estimate, interval }
}

/// The greatest value of a statistic that it, or less, and the mirror image of that have together with a
/// probability of at most `risk`; `distribution` has the probability of each value from 0.
fn critical(distribution: &[f64], risk: f64) -> Option<usize> {
    let mut both_ends = 0.0;
    let within = distribution.iter().take_while(|&probability| {
        both_ends += 2.0 * probability;
        both_ends <= risk
    });
    within.count().checked_sub(1)
}

/// The distribution of the rank-sum statistic U (Mann and Whitney, 1947) of samples of `m` and `n`
/// numbers that do not differ: by which of the m + n ranks are those of the first.
fn rank_sums(m: usize, n: usize) -> Vec<f64> {
    let values = m * n + 1;
    // Of the ranks so far, the probability that `chosen` are of the first sample, by the sum of how many
    // of the second sample lie below each.
    let mut by_chosen = vec![vec![0.0; values]; m + 1];
    by_chosen[0][0] = 1.0;
    for ranks in 0..m + n {
        let left = (m + n - ranks) as f64;
        for chosen in (0..=m.min(ranks)).rev() {
            let Some(below) = ranks.checked_sub(chosen).filter(|&below| below <= n) else {
                continue;
            };
            let is_first = (m - chosen) as f64 / left;
            let row = std::mem::replace(&mut by_chosen[chosen], vec![0.0; values]);
            for (sum, probability) in row.into_iter().enumerate().filter(|(_, p)| *p > 0.0) {
                by_chosen[chosen][sum] += probability * (1.0 - is_first);
                if chosen < m {
                    by_chosen[chosen + 1][sum + below] += probability * is_first;
                }
            }
        }
    }
    by_chosen.swap_remove(m)
}

/// The distribution of the sum of those of the ranks 1 to `n` whose differences are positive (Wilcoxon,
/// 1945), where each is so with a probability of one half.
fn signed_ranks(n: usize) -> Vec<f64> {
    let mut sums = vec![0.0; n * (n + 1) / 2 + 1];
    sums[0] = 1.0;
    for rank in 1..=n {
        for sum in (0..sums.len()).rev() {
            let without = if sum >= rank { sums[sum - rank] } else { 0.0 };
            sums[sum] = f64::midpoint(sums[sum], without);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The usual tables of critical values, two-sided.
    #[test]
    fn critical_values_are_those_of_the_tables() {
        for (m, n, risk, value) in [
            (5, 5, 0.05, Some(2)),
            (8, 8, 0.05, Some(13)),
            (10, 10, 0.05, Some(23)),
            (10, 10, 0.01, Some(16)),
            (5, 9, 0.05, Some(7)),
            (9, 5, 0.05, Some(7)),
            (3, 3, 0.05, None),
        ] {
            assert_eq!(critical(&rank_sums(m, n), risk), value, "{m} and {n} at {risk}");
        }
        for (n, risk, value) in [
            (5, 0.05, None),
            (6, 0.05, Some(0)),
            (10, 0.05, Some(8)),
            (10, 0.01, Some(3)),
            (15, 0.05, Some(25)),
        ] {
            assert_eq!(critical(&signed_ranks(n), risk), value, "{n} at {risk}");
        }
    }

    #[test]
    fn fewer_rounds_than_are_needed_have_no_interval() {
        let rates = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0];
        for risk in [0.05, 0.05 / 40.0] {
            let (samples, pairs) = (fewest_samples(risk), fewest_pairs(risk));
            let of_both = |count: usize| of_samples(&rates[..count], &rates[..count], risk);
            let in_turns = |count: usize| of_pairs(&vec![(1.0, 2.0); count], risk);
            assert!(of_both(samples).interval.is_some() && of_both(samples - 1).interval.is_none());
            assert!(in_turns(pairs).interval.is_some() && in_turns(pairs - 1).interval.is_none());
        }
        assert_eq!((fewest_samples(0.05), fewest_pairs(0.05 / 40.0)), (4, 11));
    }

    /// All ways in which eight different rates are those of two samples of four that do not differ.
    #[test]
    fn intervals_of_samples_miss_no_difference_as_seldom_as_they_say() {
        let risk = 0.05;
        let (mut missed, mut all) = (0, 0);
        for choice in (0_u32..256).filter(|choice| choice.count_ones() == 4) {
            let of = |is_old| -> Vec<f64> {
                let ranks = (0..8).filter(|rank| (choice >> rank & 1 == 1) == is_old);
                ranks.map(|rank| 1.5_f64.powi(rank)).collect()
            };
            let interval = of_samples(&of(true), &of(false), risk).interval.unwrap();
            missed += usize::from(interval.low > 1.0 || interval.high < 1.0);
            all += 1;
        }
        // P(U = 0), at either end: 2 of 70.
        assert_eq!((missed, all), (2, 70));
    }

    /// All signs of eight differences of which no two are equal.
    #[test]
    fn intervals_of_pairs_miss_no_difference_as_seldom_as_they_say() {
        let missed = (0_u32..256).filter(|signs| {
            let pair = |rank: u32| {
                let size = 1.0 + f64::from(1 << rank) / 1000.0;
                if signs >> rank & 1 == 1 { (1.0, size) } else { (size, 1.0) }
            };
            let pairs: Vec<_> = (0..8).map(pair).collect();
            let Interval { low, high } = of_pairs(&pairs, 0.05).interval.unwrap();
            low > 1.0 || high < 1.0
        });
        // Sums of ranks up to 3, of which there are 5 sets, and their mirror images.
        assert_eq!(missed.count(), 10);
    }

    #[test]
    fn a_ratio_is_estimated_whatever_single_rounds_say() {
        let old = [100.0, 101.0, 99.0, 100.5, 20.0, 99.5, 100.2, 99.8];
        let new: Vec<f64> = old.iter().map(|rate| rate * 1.25).collect();
        let pairs: Vec<_> = old.into_iter().zip(new.iter().copied()).collect();
        for ratio in [of_samples(&old, &new, 0.05), of_pairs(&pairs, 0.05)] {
            let Interval { low, high } = ratio.interval.unwrap();
            assert!((ratio.estimate / 1.25 - 1.0).abs() < 0.01, "{ratio:?}");
            assert!(low > 1.2 && high < 1.3, "{ratio:?}");
        }
        assert_eq!(of_pairs(&[], 0.05), Ratio { estimate: 1.0, interval: None });
        assert_eq!(of_samples(&[2.0], &[4.0], 0.05), Ratio { estimate: 2.0, interval: None });
    }
}
