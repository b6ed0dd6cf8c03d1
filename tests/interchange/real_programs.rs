//! What is exported, read by the programs that it is for: by ONNX's checker and ONNX Runtime, by NumPy,
//! and by the C compiler of the system.

use std::fs;
use std::path::Path;
use std::process::Command;

use mnistry::data::Bytes;
use mnistry::{Network, Prediction, Split};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::any_network;
use super::generated::{engine, images};
use mnistry::interchange::int8::quantised;
use mnistry::interchange::{self, ExportOptions};

/// How far a probability may be from ours.
const TOLERANCE: f32 = 1e-6;

/// Images that each network reads.
const IMAGES: usize = 1000;

/// As many random networks, always the same.
fn networks(count: usize) -> Vec<Network> {
    let mut runner = TestRunner::deterministic();
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

/// Checks that each label is that of the greatest probability. Where two classes are as probable as
/// that, either may be said.
fn assert_labels(name: &str, labels: &[u8], ours: &[Prediction]) {
    assert_eq!(labels.len(), ours.len(), "{name}");
    for (ours, &label) in ours.iter().zip(labels) {
        let behind = ours.probability() - ours.probabilities[usize::from(label)];
        assert!(behind <= 2.0 * TOLERANCE, "{name}: {label} in place of {}", ours.class);
    }
}

/// What the engine reads in the images for `network`.
fn predictions(network: &Network) -> Vec<Prediction> {
    let pixels: Bytes = images_for(network).pixels().to_vec().into();
    engine(1).predict_batch(network, pixels).unwrap()
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
        for ending in ["onnx", "npz"] {
            interchange::export(network, at(ending), ExportOptions::default()).unwrap();
        }
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

    for (number, network) in networks.iter().enumerate() {
        let ours = predictions(network);
        let at = |ending: &str| folder.path().join(format!("{number}.{ending}"));
        let name = format!("{number}: {}", network.architecture());
        let probabilities: Vec<f32> =
            ours.iter().flat_map(|ours| ours.probabilities.clone()).collect();
        assert_close(&name, &floats(&at("probabilities")), &probabilities);
        if network.architecture().output() == mnistry::Activation::Sigmoid {
            let sigmoid: Vec<f32> = ours.iter().flat_map(|ours| ours.outputs.clone()).collect();
            assert_close(&name, &floats(&at("sigmoid")), &sigmoid);
        }
        assert_labels(&name, &fs::read(at("labels")).unwrap(), &ours);
    }
}

/// The program that reads images with a header: one file predicts, another one only includes it too.
const PROGRAM: [(&str, &str); 2] = [
    (
        "program.c",
        r#"#include <stdio.h>
#include "model.h"

int main(void)
{
    unsigned char pixels[PIXELS];
    float probabilities[CLASSES];
    while (fread(pixels, 1, sizeof pixels, stdin) == sizeof pixels) {
        const int label = model_predict(pixels, probabilities);
        if (label != model_predict(pixels, NULL)) {
            return 1;
        }
        fwrite(probabilities, sizeof *probabilities, CLASSES, stdout);
        fputc(label, stderr);
    }
    return 0;
}
"#,
    ),
    ("other.c", "#include \"model.h\"\n\nint other(void);\n\nint other(void) { return 0; }\n"),
];

/// What a program in C reads in the images for `network`, by its header: all probabilities, and labels.
fn by_c(network: &Network, options: ExportOptions) -> (Vec<f32>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    interchange::export(network, at("model.h"), options).unwrap();
    PROGRAM.iter().for_each(|(name, text)| fs::write(at(name), text).unwrap());
    let architecture = network.architecture();
    let compiled = Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2"])
        .arg(format!("-DPIXELS={}", architecture.input_shape().numbers()))
        .arg(format!("-DCLASSES={}", architecture.classes()))
        .args(PROGRAM.map(|(name, _)| name))
        .args(["-o", "program", "-lm"])
        .current_dir(folder.path())
        .output()
        .expect("a C compiler is there");
    let said = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success() && said.is_empty(), "{architecture}: {said}");
    fs::write(at("images"), images_for(network).pixels()).unwrap();
    let images = fs::File::open(at("images")).unwrap();
    let run = Command::new(at("program")).stdin(images).output().unwrap();
    assert!(run.status.success(), "{architecture}");
    fs::write(at("probabilities"), &run.stdout).unwrap();
    (floats(&at("probabilities")), run.stderr)
}

#[test]
#[ignore = "needs a C compiler"]
fn a_program_in_c_reads_what_the_engine_reads() {
    for network in networks(60) {
        for int8 in [false, true] {
            let name = format!("{}, int8 {int8}", network.architecture());
            let (probabilities, labels) = by_c(&network, ExportOptions::default().int8(int8));
            let ours = if int8 { quantised(&network).unwrap() } else { network.clone() };
            let ours = predictions(&ours);
            let expected: Vec<f32> =
                ours.iter().flat_map(|ours| ours.probabilities.clone()).collect();
            assert_close(&name, &probabilities, &expected);
            assert_labels(&name, &labels, &ours);
        }
    }
}
