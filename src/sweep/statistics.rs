//! What repeated runs say: means with what is known of them, and whether two differ.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// How sure the interval of a mean is.
const CONFIDENCE: f64 = 0.95;

/// A sample of numbers, summed up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// How many there are.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, of the sample (by n − 1); none of a single number.
    pub standard_deviation: Option<f64>,
    /// Half the width of the 95 % confidence interval of the mean, by Student's t with n − 1 degrees
    /// of freedom; none of a single number.
    pub half_width: Option<f64>,
    /// The least of them.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Statistics {
    /// Those of `numbers`; none of no numbers.
    #[must_use]
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let count = numbers.len();
        let least = numbers.iter().copied().reduce(f64::min)?;
        let greatest = numbers.iter().copied().reduce(f64::max)?;
        // Rounding makes no difference where there is none: equal numbers have their mean exactly.
        let mean = (numbers.iter().sum::<f64>() / count as f64).max(least).min(greatest);
        let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
        let freedom = (count - 1) as f64;
        let standard_deviation = (count > 1).then(|| (squares / freedom).sqrt());
        let half_width = standard_deviation.and_then(|deviation| {
            let quantile = student(freedom)?.inverse_cdf(0.5 + CONFIDENCE / 2.0);
            Some(quantile * deviation / (count as f64).sqrt())
        });
        Some(Self { count, mean, standard_deviation, half_width, least, greatest })
    }
}

fn student(freedom: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom).ok()
}

/// How likely means at least so far apart are if both samples have the same mean: the two-sided
/// p-value of Welch's t-test (1947), which does not ask for equal variances. 1 where neither sample
/// varies and both are the same. None where a sample has but one number, or neither varies and they
/// differ: what varies nowhere says nothing of chance.
#[must_use]
pub fn welch(a: &Statistics, b: &Statistics) -> Option<f64> {
    let share = |sample: &Statistics| {
        let variance = sample.standard_deviation?.powi(2) / sample.count as f64;
        Some((variance, variance.powi(2) / (sample.count - 1) as f64))
    };
    let ((of_a, freedom_a), (of_b, freedom_b)) = (share(a)?, share(b)?);
    let variance = of_a + of_b;
    if variance == 0.0 {
        return (a.mean == b.mean).then_some(1.0);
    }
    let t = (a.mean - b.mean) / variance.sqrt();
    let freedom = variance.powi(2) / (freedom_a + freedom_b);
    Some((2.0 * student(freedom)?.cdf(-t.abs())).min(1.0))
}

/// The p-values of several comparisons, adjusted by Holm's method (1979): where those below 0.05 are
/// called significant, the chance that any of them is so by chance is at most 5 %.
#[must_use]
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p_values
        .iter()
        .enumerate()
        .filter_map(|(place, p_value)| Some((place, (*p_value)?)))
        .collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut adjusted = vec![None; p_values.len()];
    let mut least = 0.0_f64;
    let comparisons = order.len();
    for (rank, (place, p_value)) in order.into_iter().enumerate() {
        least = least.max((p_value * (comparisons - rank) as f64).min(1.0));
        adjusted[place] = Some(least);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [f64; 5] = [0.9741, 0.9735, 0.9752, 0.9729, 0.9748];
    const B: [f64; 4] = [0.9760, 0.9771, 0.9755, 0.9768];
    const C: [f64; 2] = [0.97405, 0.97402];

    #[track_caller]
    fn assert_close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found}, not {expected}");
    }

    /// What SciPy 1.15 says: `mean`, `std(ddof=1)`, `t.ppf(0.975, n - 1) * std / sqrt(n)`.
    #[test]
    fn means_and_intervals_are_those_of_scipy() {
        let expected = [
            (&A[..], 0.9741, 0.0009354143466934713, 0.0011614703176925775),
            (&B, 0.97635, 0.0007325753658611769, 0.0011656908832133814),
            (&C, 0.974035, 2.121320343557839e-05, 0.00019059307104245834),
        ];
        for (numbers, mean, deviation, half_width) in expected {
            let found = Statistics::of(numbers).unwrap();
            assert_eq!(found.count, numbers.len());
            assert_close(found.mean, mean);
            // Differences of numbers that are near to each other have fewer digits.
            assert_close(found.standard_deviation.unwrap(), deviation);
            assert_close(found.half_width.unwrap(), half_width);
        }
        let one = Statistics::of(&[0.5]).unwrap();
        assert_eq!((one.mean, one.standard_deviation, one.half_width), (0.5, None, None));
        assert_eq!((one.least, one.greatest), (0.5, 0.5));
        assert_eq!(Statistics::of(&[]), None);
    }

    /// The usual table of Student's t: the quantile of 0.975 by degrees of freedom.
    #[test]
    fn quantiles_are_those_of_the_table() {
        let table = [
            (1.0, 12.706204736174694),
            (2.0, 4.302652729749462),
            (5.0, 2.5705818356363146),
            (10.0, 2.228138851986274),
            (30.0, 2.0422724563012378),
            (99.0, 1.9842169515864174),
            (999.0, 1.9623414611334493),
        ];
        for (freedom, quantile) in table {
            assert_close(student(freedom).unwrap().inverse_cdf(0.975), quantile);
        }
    }

    /// What SciPy's `ttest_ind(…, equal_var=False)` says.
    #[test]
    fn p_values_are_those_of_scipy() {
        let [a, b, c] = [&A[..], &B, &C].map(|numbers| Statistics::of(numbers).unwrap());
        assert_close(welch(&a, &b).unwrap(), 0.004893260710609857);
        assert_close(welch(&a, &c).unwrap(), 0.8841030729876499);
        assert_close(welch(&c, &b).unwrap(), 0.007946176908203198);
        let one = Statistics::of(&[0.9]).unwrap();
        assert_eq!(welch(&a, &one), None);
        let same = Statistics::of(&[0.9, 0.9]).unwrap();
        assert_eq!(welch(&same, &one), None);
    }

    /// Sums of equal numbers are rounded, and their mean must not be another number for it.
    #[test]
    fn what_does_not_vary_has_no_deviation_and_is_not_told_apart() {
        for count in 2..200 {
            for number in [0.1, 0.9741, 1.0 / 3.0, 0.98375, 0.0] {
                let found = Statistics::of(&vec![number; count]).unwrap();
                assert_eq!((found.mean, found.standard_deviation), (number, Some(0.0)));
                assert_eq!(found.half_width, Some(0.0));
                let other = Statistics::of(&vec![number; count + 1]).unwrap();
                assert_eq!(welch(&found, &other), Some(1.0));
                let higher = Statistics::of(&vec![number + 1e-4; count]).unwrap();
                assert_eq!(welch(&found, &higher), None);
            }
        }
        let one_varies = Statistics::of(&[0.5, 0.7]).unwrap();
        let other = Statistics::of(&[0.6, 0.6]).unwrap();
        assert!(welch(&one_varies, &other).is_some());
    }

    #[test]
    fn several_comparisons_are_adjusted_for_by_holms_method() {
        let adjusted = holm(&[Some(0.01), Some(0.04), None, Some(0.03), Some(0.005)]);
        let expected = [Some(0.03), Some(0.06), None, Some(0.06), Some(0.02)];
        for (found, expected) in adjusted.into_iter().zip(expected) {
            match (found, expected) {
                (Some(found), Some(expected)) => assert_close(found, expected),
                (found, expected) => assert_eq!(found, expected),
            }
        }
        assert_eq!(holm(&[Some(0.8), Some(0.9)]), [Some(1.0), Some(1.0)]);
    }
}
