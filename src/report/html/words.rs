//! Numbers as pages say them.

use std::borrow::Borrow;

use crate::report::text;

/// A share from 0 to 1 as per cent, with two digits behind the point.
pub(super) fn percent(share: impl Borrow<f64>) -> String {
    format!("{:.2} %", 100.0 * share.borrow())
}

/// With four digits behind the point.
pub(super) fn four(number: impl Borrow<f64>) -> String {
    format!("{:.4}", number.borrow())
}

/// Digits in groups of three.
pub(super) fn grouped(number: impl Borrow<u64>) -> String {
    text::grouped(*number.borrow())
}

/// The same of what is counted in memory.
pub(super) fn counted(number: impl Borrow<usize>) -> String {
    text::grouped(*number.borrow() as u64)
}

/// A rate, rounded to a whole number.
pub(super) fn rate(per_second: impl Borrow<f64>) -> String {
    // A cast keeps within the range.
    text::grouped(per_second.borrow().round() as u64)
}

/// A span of time.
pub(super) fn seconds(seconds: impl Borrow<f64>) -> String {
    match *seconds.borrow() {
        long if long >= 3600.0 => format!("{:.2} h", long / 3600.0),
        long if long >= 120.0 => format!("{:.1} min", long / 60.0),
        short => format!("{short:.2} s"),
    }
}

/// Millions of bytes.
pub(super) fn megabytes(bytes: impl Borrow<u64>) -> String {
    format!("{} MB", text::grouped(bytes.borrow() / 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_in_short() {
        let said = [
            percent(0.975),
            four(0.08025),
            grouped(79_510),
            rate(123_456.7),
            megabytes(93_100_000),
        ];
        assert_eq!(said, ["97.50 %", "0.0803", "79,510", "123,457", "93 MB"]);
        assert_eq!([0.456, 150.0, 9000.0].map(seconds), ["0.46 s", "2.5 min", "2.50 h"]);
    }
}
