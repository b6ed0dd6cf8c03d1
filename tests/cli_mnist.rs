//! The program's main job on the real MNIST, within its memory.
#![cfg(feature = "cli")]

use program::Desk;
use serde_json::Value;

mod program;

#[test]
#[ignore = "needs MNISTRY_DATA_DIR"]
fn five_epochs_take_little_memory_and_evaluate_agrees() {
    let desk = Desk::new();
    let mnist = std::env::var("MNISTRY_DATA_DIR").expect("MNISTRY_DATA_DIR holds MNIST");
    let json = |arguments: &str| -> Value {
        let text = desk.succeed(&format!("{arguments} --data {mnist} --json"));
        serde_json::from_str(&text).unwrap()
    };
    let report = json("train --run-dir run");
    assert_eq!(report["parameters"], 79_510);
    if let Some(bytes) = report["peak_memory_bytes"].as_u64() {
        assert!(bytes < 150_000_000, "{report}");
    }
    assert_eq!(json("evaluate run")["test"], report["test"]);
}
