//! Twenty steps of LeNet-5 in real Keras, replayed on images made by the same recipe.
//!
//! `benches/peers/python/lenet5_golden.py` makes such a run, and `tests/fixtures/lenet5_golden`
//! holds one.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use mnistry::image::ImageShape;
use mnistry::train::{Observer, Progress};
use mnistry::{Dataset, Engine, EngineOptions, FitOptions, Network, Sequential, Split};
use serde::Deserialize;

const SHAPE: ImageShape = ImageShape { height: 28, width: 28 };

/// What Keras found.
#[derive(Deserialize)]
struct Expected {
    batch_size: usize,
    data: Data,
    first_step_losses: Vec<f64>,
    moved_l2: std::collections::HashMap<String, f64>,
    first_predictions: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    masks: Vec<u32>,
    samples: usize,
}

fn expected(run: &Path) -> Expected {
    let text = fs::read(run.join("expected.json")).expect("the golden run is there");
    serde_json::from_slice(&text).expect("it is as described")
}

/// The images of the recipe in `expected.json`.
fn generated(data: &Data) -> Split {
    let mut state = 0_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..data.samples {
        let label = next() % 10;
        labels.push(label);
        for (row, column) in (0..28).flat_map(|row| (0..28).map(move |column| (row, column))) {
            let byte = next();
            let is_lit = data.masks[usize::from(label)] >> (4 * (row / 7) + column / 7) & 1 == 1;
            pixels.push(match byte {
                _ if is_lit => 128 + byte / 2,
                224.. => byte,
                _ => 0,
            });
        }
    }
    Split::new(SHAPE, pixels.into(), labels.into()).expect("counts match")
}

#[derive(Default)]
struct StepLosses(Vec<f64>);

impl Observer for StepLosses {
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.0.push(f64::from(progress.loss));
        ControlFlow::Continue(())
    }
}

/// LeNet-5 with Keras's tensors in the file `path`.
fn lenet5(path: &Path) -> Network {
    let architecture = Sequential::lenet5(SHAPE, 10).try_into().expect("layers that fit");
    Network::load_weights(path, architecture).expect("Keras's tensors fit")
}

/// Replays the golden run in the folder `run` on `split`; returns the network.
fn replay(run: &Path, split: &Split) -> Network {
    let expected = expected(run);
    let init = || lenet5(&run.join("init.safetensors"));
    let (engine, mut network) = (Engine::new(EngineOptions::default()).expect("threads"), init());
    let options = FitOptions {
        epochs: 1,
        batch_size: expected.batch_size,
        shuffle: false,
        ..FitOptions::default()
    };
    let mut losses = StepLosses::default();
    engine.fit(&mut network, split, &options, &mut losses).expect("a sound run");

    assert_eq!(losses.0.len(), expected.first_step_losses.len());
    for (step, (found, loss)) in losses.0.iter().zip(&expected.first_step_losses).enumerate() {
        assert!((found - loss).abs() < 1e-5, "step {}: {found}, not {loss}", step + 1);
    }
    for (before, after) in init().tensors().iter().zip(network.tensors()) {
        let pairs = before.values.iter().zip(&after.values);
        let square: f64 = pairs.map(|(x, y)| f64::from(y - x).powi(2)).sum();
        let (found, moved) = (square.sqrt(), expected.moved_l2[&after.name]);
        assert!((found - moved).abs() < 1e-4 * moved, "{}: {found}, not {moved}", after.name);
    }
    // Of weights that moved as far but elsewhere, the outputs would differ.
    for (index, outputs) in expected.first_predictions.iter().enumerate() {
        let found = engine.predict(&network, split.image(index)).expect("it fits").outputs;
        assert_eq!(found.len(), outputs.len());
        for (found, output) in found.iter().zip(outputs) {
            assert!(
                (f64::from(*found) - output).abs() < 1e-5,
                "image {index}: {found}, not {output}"
            );
        }
    }
    network
}

/// Each tensor differs from Keras's in the file `path` by less than 1e-4 of its norm.
fn assert_weights(network: &Network, path: &Path) {
    for (found, expected) in network.tensors().iter().zip(lenet5(path).tensors()) {
        let pairs = || found.values.iter().zip(&expected.values);
        let square = |x: f32| f64::from(x).powi(2);
        let difference: f64 = pairs().map(|(found, expected)| square(found - expected)).sum();
        let norm: f64 = pairs().map(|(_, expected)| square(*expected)).sum();
        let relative = (difference / norm).sqrt();
        assert!(relative < 1e-4, "{} differs by {relative:e}", found.name);
    }
}

#[test]
fn twenty_steps_have_the_losses_of_keras() {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lenet5_golden");
    replay(&run, &generated(&expected(&run).data));
}

/// Has Keras, of the Python that `MNISTRY_KERAS_PYTHON` names, make such a run on MNIST.
#[test]
#[ignore = "needs MNISTRY_DATA_DIR and MNISTRY_KERAS_PYTHON"]
fn twenty_steps_on_mnist_have_the_losses_of_keras() {
    let python = std::env::var_os("MNISTRY_KERAS_PYTHON").expect("MNISTRY_KERAS_PYTHON is set");
    let data = std::env::var_os("MNISTRY_DATA_DIR").expect("MNISTRY_DATA_DIR is set");
    let run = tempfile::tempdir().expect("a temporary folder");
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/python/lenet5_golden.py");
    let mut keras = Command::new(python);
    keras.arg(script).arg("--data").arg(&data).arg("--output").arg(run.path());
    assert!(keras.status().expect("Python starts").success());
    let train = Dataset::open(data).expect("it holds MNIST").train;
    let samples = expected(run.path()).data.samples;
    let network = replay(run.path(), &train.take(samples).expect("the limit is not zero"));
    assert_weights(&network, &run.path().join("final.safetensors"));
}
