//! The program on the real MNIST: what the README promises, and runs of Keras replayed.

use std::path::{Path, PathBuf};

use mnistry::Network;
use program::Desk;
use serde_json::Value;

mod program;

/// The folder that an environment variable names.
fn folder(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set")).into()
}

/// A desk where `train` finds the real MNIST.
fn train(desk: &Desk, arguments: &str) -> Value {
    let mut command = desk.command(&format!("train --json {arguments}"));
    let output = command.env("MNISTRY_DATA_DIR", folder("MNISTRY_DATA_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs MNISTRY_DATA_DIR, a folder with MNIST, and some time"]
fn ten_seeds_learn_as_well_as_keras() {
    let desk = Desk::new();
    let reports: Vec<_> = (0..10).map(|seed| train(&desk, &format!("--seed {seed}"))).collect();
    let accuracies: Vec<_> =
        reports.iter().map(|report| report["test"]["accuracy"].as_f64().unwrap()).collect();
    let mean = accuracies.iter().sum::<f64>() / 10.0;
    println!("test accuracies of ten seeds: {accuracies:?}, mean {mean:.4}");
    assert!(mean >= 0.974, "{accuracies:?}");
    assert!(accuracies.iter().all(|&accuracy| accuracy >= 0.967), "{accuracies:?}");

    let seconds = reports.iter().map(|report| report["train_seconds"].as_f64().unwrap());
    let fastest = seconds.fold(f64::INFINITY, f64::min);
    println!("the fastest run of five epochs took {fastest:.2} s");
    assert!(fastest < 10.0);
    for peak in reports.iter().filter_map(|report| report["peak_memory_bytes"].as_u64()) {
        assert!(peak < 150_000_000, "{peak} bytes");
    }
}

/// A run of Keras: what it was told, and what came of it.
struct Golden {
    folder: PathBuf,
    expected: Value,
}

impl Golden {
    fn open(name: &str) -> Self {
        let folder = folder("MNISTRY_GOLDEN_DIR").join(name);
        let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
        Self { folder, expected: serde_json::from_str(&text).unwrap() }
    }

    /// The same run in this program, kept in `run`, its steps in `steps.csv`.
    fn replay(&self, desk: &Desk) -> Value {
        let of = |name: &str| &self.expected[name];
        let hidden: Vec<_> = numbers(of("hidden")).iter().map(f64::to_string).collect();
        let init = self.folder.join("init.safetensors");
        train(
            desk,
            &format!(
                "--no-shuffle --run-dir run --log-steps steps.csv --init {} --hidden {} --output \
                 {} --batch-size {} --epochs {} --train-limit {} --learning-rate {}",
                init.display(),
                hidden.join(","),
                of("output").as_str().unwrap(),
                of("batch_size"),
                of("epochs"),
                of("train_limit"),
                of("learning_rate"),
            ),
        )
    }
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The norm of the difference of all weights over the norm of `expected`.
fn distance(network: &Path, expected: &Path) -> f64 {
    let network = Network::load(network).unwrap();
    let expected = Network::with_tensors_of(expected, network.architecture().clone()).unwrap();
    let values = |network: &Network| {
        let tensors = network.tensors().iter();
        tensors.flat_map(|tensor| tensor.values.clone()).map(f64::from).collect::<Vec<_>>()
    };
    let (found, expected) = (values(&network), values(&expected));
    let difference: f64 = found.iter().zip(&expected).map(|(a, b)| (a - b).powi(2)).sum();
    (difference / expected.iter().map(|b| b * b).sum::<f64>()).sqrt()
}

#[test]
#[ignore = "needs MNISTRY_DATA_DIR and MNISTRY_GOLDEN_DIR, a folder of Keras's runs"]
fn a_short_run_of_keras_is_replayed() {
    let (desk, golden) = (Desk::new(), Golden::open("short"));
    golden.replay(&desk);
    let steps = desk.read("steps.csv");
    let losses = steps.lines().skip(1).map(|line| line.split_once(',').unwrap().1);
    let expected = numbers(&golden.expected["first_step_losses"]);
    for (step, (loss, expected)) in losses.zip(&expected).enumerate() {
        let loss: f64 = loss.parse().unwrap();
        assert!((loss - expected).abs() < 1e-5, "step {}: {loss}, not {expected}", step + 1);
    }
    assert_eq!(expected.len(), 20);
    let distance =
        distance(&desk.path("run/model.safetensors"), &golden.folder.join("final.safetensors"));
    println!("the final weights are {distance:.1e} from Keras's");
    assert!(distance < 1e-4, "{distance}");
}

#[test]
#[ignore = "needs MNISTRY_DATA_DIR and MNISTRY_GOLDEN_DIR, a folder of Keras's runs"]
fn two_epochs_of_keras_are_replayed() {
    let (desk, golden) = (Desk::new(), Golden::open("seed"));
    let report = golden.replay(&desk);
    for (epoch, tolerance) in [1e-5, 1e-4].into_iter().enumerate() {
        let loss = report["history"][epoch]["loss"].as_f64().unwrap();
        let expected = golden.expected["loss"][epoch].as_f64().unwrap();
        println!("epoch {}: {loss}, Keras's {expected}", epoch + 1);
        assert!((loss - expected).abs() < tolerance, "epoch {}: {loss}", epoch + 1);
    }
    let accuracy = report["test"]["accuracy"].as_f64().unwrap();
    let expected = golden.expected["test_accuracy"].as_f64().unwrap();
    assert!((accuracy - expected).abs() < 0.003, "{accuracy}, not {expected}");
}
