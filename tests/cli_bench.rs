//! `mnistry bench`: what it measures and how it says so.
#![cfg(feature = "cli")]

use serde_json::Value;

use program::Desk;

mod program;

/// The number called `name` of `rate`, which must be above zero.
fn positive(rate: &Value, name: &str) -> f64 {
    let number = rate[name].as_f64().unwrap_or_else(|| panic!("{name} in {rate}"));
    assert!(number > 0.0 && number.is_finite(), "{name} in {rate}");
    number
}

#[test]
fn everything_is_measured() {
    let desk = Desk::new();
    let stdout = desk.succeed("bench --quick --json --threads 2 --data data");
    let bench: Value = serde_json::from_str(&stdout).unwrap();
    let peak = &bench["fma_peak_gflops"];
    let peaks = [positive(peak, "one_thread"), positive(peak, "all_threads")];

    let gemm = bench["gemm"].as_array().unwrap();
    for rate in gemm {
        assert_eq!(rate["threads"], 1);
        positive(rate, "gflops");
        positive(rate, "matrixmultiply_gflops");
    }
    let has = |m, n, k, operands| {
        gemm.iter().any(|rate| {
            rate["m"] == m && rate["n"] == n && rate["k"] == k && rate["operands"] == operands
        })
    };
    assert!(has(32, 100, 784, "A·B") && has(784, 100, 32, "Aᵀ·B") && has(32, 100, 10, "A·Bᵀ"));

    let train = bench["train"].as_array().unwrap();
    let mut seen = Vec::new();
    for rate in train {
        let threads = rate["threads"].as_u64().unwrap();
        let hidden: u64 = rate["model"].as_str().unwrap()["mlp-".len()..].parse().unwrap();
        // The data set has images of 8 × 8 and three classes: too small for LeNet-5.
        let operations = (4 * 64 * hidden + 6 * hidden * 3) as f64;
        let gflops = positive(rate, "samples_per_second") * operations / 1e9;
        assert!((positive(rate, "dense_gflops") / gflops - 1.0).abs() < 1e-9, "{rate}");
        let share = gflops / peaks[threads as usize - 1];
        assert!((positive(rate, "of_peak") / share - 1.0).abs() < 1e-9, "{rate}");
        seen.push((hidden, rate["batch_size"].as_u64().unwrap(), threads));
    }
    let mut expected = Vec::new();
    for hidden in [100, 512] {
        for batch_size in [32, 128, 512] {
            expected.extend([1, 2].map(|threads| (hidden, batch_size, threads)));
        }
    }
    assert_eq!(seen, expected);
}

#[test]
fn a_part_is_measured_alone_on_generated_digits() {
    let desk = Desk::new();
    let stdout = desk.succeed("bench --quick --only train --threads 1 --isa portable");
    let lines: Vec<_> = stdout.lines().collect();
    assert!(lines[0].starts_with("FMA peak, portable: "), "{stdout}");
    assert!(!stdout.contains("matrixmultiply"), "{stdout}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("mlp-")).count(), 6, "{stdout}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("lenet5")).count(), 3, "{stdout}");

    let stdout = desk.succeed("bench --quick --only peak --json");
    let bench: Value = serde_json::from_str(&stdout).unwrap();
    positive(&bench["fma_peak_gflops"], "one_thread");
    assert!(bench["gemm"].is_null() && bench["train"].is_null());
    assert_eq!(desk.succeed("bench --quick --only peak --quiet"), "");
}

#[test]
fn a_data_set_that_is_not_there_is_one_line_of_error() {
    let desk = Desk::new();
    let ended = desk.run("bench --quick --data nowhere");
    assert_eq!(ended.code, Some(1));
    assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1), "{}", ended.stderr);
    assert!(ended.stderr.contains("nowhere"), "{}", ended.stderr);
}
