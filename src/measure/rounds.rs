//! What rounds of the same work say together.

/// The middle one of `values`, or 0 where there are none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// The same of values that stay in their order.
pub(crate) fn median_of(values: &[f64]) -> f64 {
    median(&mut values.to_vec())
}

/// The interquartile range of `rates` relative to their median: `None` of fewer than four.
pub(super) fn spread(rates: &[f64]) -> Option<f64> {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quarter = sorted.len() / 4;
    let (low, high) = (sorted.get(quarter)?, sorted.get(sorted.len() - 1 - quarter)?);
    (quarter > 0).then(|| (high - low) / median_of(rates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_that_are_apart_spread() {
        assert_eq!(spread(&[1.0, 2.0, 3.0]), None);
        assert_eq!(spread(&[4.0, 4.0, 4.0, 4.0]), Some(0.0));
        assert_eq!(spread(&[100.0, 5.0, 4.0, 3.0, 4.0, 4.0, 0.5, 5.0]), Some(0.25));
        assert_eq!(median_of(&[3.0, 1.0, 2.0]), 2.0);
    }
}
