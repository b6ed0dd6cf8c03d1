//! What is exported, read by the programs that it is for: by ONNX's checker and ONNX Runtime, by NumPy,
//! and by the C compiler of the system.

use std::fs;
use std::path::Path;
use std::process::Command;

use mnistry::data::Bytes;
use mnistry::{Network, Split};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::any_network;
use super::generated::{engine, images};
use mnistry::interchange;

/// How far a probability may be from ours.
const TOLERANCE: f32 = 1e-6;

/// Images that each network reads.
const IMAGES: usize = 1000;

/// As many random networks, always the same.
fn networks(count: usize) -> Vec<Network> {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let network = || any_network().new_tree(&mut runner).unwrap().current();
    std::iter::repeat_with(network).take(count).collect()
}

/// Random images for `network`.
fn images_for(network: &Network) -> Split {
    images(network.architecture().input(), IMAGES, network.architecture().classes(), 7)
}

/// Checks that each of `found` is within the tolerance of ours, or less.
fn assert_close(name: &str, found: &[f32], ours: &[f32]) {
    assert_eq!(found.len(), ours.len(), "{name}");
    let differences = found.iter().zip(ours).map(|(found, ours)| (found - ours).abs());
    let greatest = differences.fold(0.0, f32::max);
    assert!(greatest <= TOLERANCE, "{name}: a probability differs by {greatest}");
}

/// The numbers of the little-endian file at `path`.
fn floats(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).unwrap();
    let (numbers, rest) = bytes.as_chunks::<4>();
    assert!(rest.is_empty());
    numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[test]
#[ignore = "needs MNISTRY_ONNX_PYTHON"]
fn onnx_runtime_and_numpy_read_what_is_exported() {
    let python = std::env::var_os("MNISTRY_ONNX_PYTHON").expect("it names a Python");
    let folder = tempfile::tempdir().unwrap();
    let networks = networks(60);
    let mut models = Vec::new();
    for (number, network) in networks.iter().enumerate() {
        let at = |ending: &str| folder.path().join(format!("{number}.{ending}"));
        interchange::export(network, at("onnx")).unwrap();
        interchange::export(network, at("npz")).unwrap();
        fs::write(at("images"), images_for(network).pixels()).unwrap();
        let input = network.architecture().input();
        let tensors = network.tensors().iter().map(|tensor| {
            let sum: f64 = tensor.values.iter().map(|&value| f64::from(value)).sum();
            json!({ "name": tensor.name, "shape": tensor.shape, "sum": sum })
        });
        models.push(json!({
            "input": [input.height, input.width],
            "classes": network.architecture().classes(),
            "tensors": tensors.collect::<Vec<Value>>(),
        }));
    }
    fs::write(folder.path().join("models.json"), json!(models).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interchange/check_models.py");
    let output = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let engine = engine(1);
    for (number, network) in networks.iter().enumerate() {
        let pixels: Bytes = images_for(network).pixels().to_vec().into();
        let ours = engine.predict_batch(network, pixels).unwrap();
        let at = |ending: &str| folder.path().join(format!("{number}.{ending}"));
        let name = format!("{number}: {}", network.architecture());
        let probabilities: Vec<f32> =
            ours.iter().flat_map(|ours| ours.probabilities.clone()).collect();
        assert_close(&name, &floats(&at("probabilities")), &probabilities);
        if network.architecture().output() == mnistry::Activation::Sigmoid {
            let sigmoid: Vec<f32> = ours.iter().flat_map(|ours| ours.outputs.clone()).collect();
            assert_close(&name, &floats(&at("sigmoid")), &sigmoid);
        }
        // Where two classes are as probable as that, either may be said.
        let labels = fs::read(at("labels")).unwrap();
        for (ours, &label) in ours.iter().zip(&labels) {
            let behind = ours.probability() - ours.probabilities[usize::from(label)];
            assert!(behind <= 2.0 * TOLERANCE, "{name}: {label} in place of {}", ours.class);
        }
    }
}
