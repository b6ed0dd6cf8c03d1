//! How well networks read the real MNIST, by the program: `MNISTRY_PROGRAM` names a release build, which
//! trains in seconds what takes that of the tests minutes.
#![cfg(feature = "cli")]

use program::Desk;
use serde_json::Value;

mod program;

/// What the program says on the real MNIST.
fn json(desk: &Desk, arguments: &str) -> Value {
    let mnist = std::env::var("MNISTRY_DATA_DIR").expect("MNISTRY_DATA_DIR holds MNIST");
    let text = desk.succeed(&format!("{arguments} --data {mnist} --json --quiet"));
    serde_json::from_str(&text).unwrap()
}

#[test]
#[ignore = "needs MNISTRY_DATA_DIR"]
fn five_epochs_read_974_of_1000_test_images() {
    let desk = Desk::new();
    let summary = json(&desk, "sweep --seeds 0-9");
    let accuracy = &summary["configurations"][0]["test_accuracy"];
    assert_eq!(accuracy["count"], 10);
    assert!(accuracy["mean"].as_f64().unwrap() >= 0.974, "{accuracy}");
    assert!(accuracy["least"].as_f64().unwrap() >= 0.967, "{accuracy}");
}

/// Two epochs of one cycle, of ten seeds: 0.9903 in the mean. By another rounding that would differ by
/// some 0.0002, as of a single seed the accuracy has a standard deviation of 0.0005; so a little less than
/// 0.99 is asked for.
#[test]
#[ignore = "needs MNISTRY_DATA_DIR"]
fn two_epochs_of_the_quick_network_read_99_of_100_test_images() {
    let desk = Desk::new();
    let network = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/networks/quick.toml");
    let cycle = "--grid epochs=2 --grid schedule=one-cycle --grid learning-rate=0.007";
    let summary = json(&desk, &format!("sweep --seeds 0-9 --grid model={network} {cycle}"));
    let accuracy = &summary["configurations"][0]["test_accuracy"];
    assert_eq!(accuracy["count"], 10);
    assert!(accuracy["mean"].as_f64().unwrap() >= 0.9898, "{accuracy}");
    assert!(accuracy["least"].as_f64().unwrap() >= 0.988, "{accuracy}");
}
