//! How many cases the properties of kernels are tried on.

use proptest::test_runner::Config;

/// So many cases, times what `MNISTRY_KERNEL_CASES` says: less than one where all takes longer.
pub(crate) fn with_cases(usual: u32) -> Config {
    let asked = std::env::var("MNISTRY_KERNEL_CASES");
    let times: f64 = asked.map_or(1.0, |times| times.parse().expect("a number of times"));
    let cases = (f64::from(usual) * times).ceil() as u32;
    Config { cases, failure_persistence: None, ..Config::default() }
}
