//! Runs of real Keras, replayed: from its initial weights, on the real MNIST, in order.
//!
//! `MNISTRY_GOLDEN_DIR` holds the folders `short` and `seed`, each with `init.safetensors`,
//! `final.safetensors` and `expected.json`.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use mnistry::image::ImageShape;
use mnistry::train::{History, Observer, Progress};
use mnistry::{Activation, Dataset, Engine, EngineOptions, FitOptions, Network, Sequential};
use serde::Deserialize;

#[cfg(feature = "cli")]
mod program;

/// What Keras found.
#[derive(Deserialize)]
struct Expected {
    hidden: Vec<usize>,
    output: Activation,
    batch_size: usize,
    epochs: usize,
    train_limit: usize,
    loss: Vec<f64>,
    first_step_losses: Vec<f64>,
    test_accuracy: f64,
}

/// The file `name` of the golden run `run`.
fn golden_file(run: &str, name: &str) -> PathBuf {
    let folder = std::env::var_os("MNISTRY_GOLDEN_DIR").expect("MNISTRY_GOLDEN_DIR is set");
    PathBuf::from(folder).join(run).join(name)
}

fn expected(run: &str) -> Expected {
    let text = fs::read(golden_file(run, "expected.json")).expect("the golden run is there");
    serde_json::from_slice(&text).expect("it is as described")
}

/// The network of the golden run `run`, with the tensors of its file `name`.
fn golden_network(run: &str, name: &str) -> Network {
    let Expected { hidden, output, .. } = expected(run);
    let input = Sequential::new(ImageShape { height: 28, width: 28 });
    let add = |network: Sequential, units: usize| network.dense(units, Activation::Relu);
    let layers = hidden.into_iter().fold(input, add).dense(10, output);
    let architecture = layers.try_into().expect("layers that fit");
    Network::load_weights(golden_file(run, name), architecture).expect("Keras's tensors fit")
}

fn mnist() -> Dataset {
    let folder = std::env::var_os("MNISTRY_DATA_DIR").expect("MNISTRY_DATA_DIR is set");
    Dataset::open(folder).expect("it holds MNIST")
}

fn engine() -> Engine {
    Engine::new(EngineOptions::default()).expect("threads")
}

#[derive(Default)]
struct StepLosses(Vec<f64>);

impl Observer for StepLosses {
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.0.push(f64::from(progress.loss));
        ControlFlow::Continue(())
    }
}

/// The golden run `run` done again: the network, its history and the loss of each step.
fn replay(run: &str) -> (Network, History, Vec<f64>) {
    let Expected { batch_size, epochs, train_limit, .. } = expected(run);
    let split = mnist().train.take(train_limit).expect("the limit is not zero");
    let mut network = golden_network(run, "init.safetensors");
    let options = FitOptions { epochs, batch_size, shuffle: false, ..FitOptions::default() };
    let mut losses = StepLosses::default();
    let history = engine().fit(&mut network, &split, &options, &mut losses).expect("a sound run");
    (network, history, losses.0)
}

fn assert_step_losses(run: &str, found: &[f64]) {
    let expected = expected(run).first_step_losses;
    assert!(expected.len() == 20 && found.len() >= 20, "{} steps", found.len());
    for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 1e-5, "step {}: {found}, not {expected}", step + 1);
    }
}

/// Each tensor differs from Keras's by less than 1e-4 of its norm.
fn assert_final_weights(run: &str, network: &Network) {
    let expected = golden_network(run, "final.safetensors");
    for (found, expected) in network.tensors().iter().zip(expected.tensors()) {
        let pairs = || found.values.iter().zip(&expected.values);
        let square = |x: f32| f64::from(x).powi(2);
        let difference: f64 = pairs().map(|(found, expected)| square(found - expected)).sum();
        let norm: f64 = pairs().map(|(_, expected)| square(*expected)).sum();
        let relative = (difference / norm).sqrt();
        assert!(relative < 1e-4, "{} differs by {relative:e}", found.name);
    }
}

#[test]
#[ignore = "needs MNISTRY_DATA_DIR and MNISTRY_GOLDEN_DIR"]
fn a_short_run_ends_with_the_weights_of_keras() {
    let (network, history, losses) = replay("short");
    assert_step_losses("short", &losses);
    assert_final_weights("short", &network);
    let expected = expected("short").loss[0];
    assert!((history.epochs[0].loss - expected).abs() < 1e-5, "{history:?}, not {expected}");
}

/// Rounding grows: after the first epoch the weights go ways of their own.
#[test]
#[ignore = "needs MNISTRY_DATA_DIR and MNISTRY_GOLDEN_DIR"]
fn two_epochs_learn_as_much_as_those_of_keras() {
    let (network, history, losses) = replay("seed");
    let expected = expected("seed");
    assert_step_losses("seed", &losses);
    for ((epoch, loss), tolerance) in history.epochs.iter().zip(expected.loss).zip([1e-5, 1e-4]) {
        assert!((epoch.loss - loss).abs() < tolerance, "{epoch:?}, not {loss}");
    }
    let accuracy = engine().evaluate(&network, &mnist().test).expect("it fits").accuracy();
    assert!((accuracy - expected.test_accuracy).abs() < 0.003, "{accuracy}");
}

#[cfg(feature = "cli")]
#[test]
#[ignore = "needs MNISTRY_DATA_DIR and MNISTRY_GOLDEN_DIR"]
fn the_program_replays_a_short_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (run, steps) = (folder.path().join("run"), folder.path().join("steps.csv"));
    let output = std::process::Command::new(program::path())
        .args(["train", "--no-shuffle", "--epochs", "1", "--train-limit", "3210"])
        .arg("--init")
        .arg(golden_file("short", "init.safetensors"))
        .arg("--log-steps")
        .arg(&steps)
        .arg("--run-dir")
        .arg(&run)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let mut table = csv::Reader::from_path(steps).expect("the steps are logged");
    assert_eq!(table.headers().expect("a header"), vec!["step", "loss"]);
    let rows: Vec<(usize, f64)> =
        table.deserialize().map(|row| row.expect("a step and its loss")).collect();
    assert!(rows.iter().map(|(step, _)| *step).eq(1..=101), "{rows:?}");
    let losses: Vec<f64> = rows.iter().map(|(_, loss)| *loss).collect();
    assert_step_losses("short", &losses);
    let network = Network::load(run.join("model.safetensors")).expect("the model is saved");
    assert_final_weights("short", &network);
}
