//! The bytes of models that were trained before: whatever is rebuilt inside the engine, the same
//! runs lead to them again, on any number of threads and any instruction set whose multiply-add
//! rounds once. A change of rounding is a decision: it records them anew.

use std::fs;

use mnistry::data::Dataset;
use mnistry::data::generated::generate;
use mnistry::image::{ImageShape, RandomAffine};
use mnistry::model::{Layer, Padding, Window};
use mnistry::simd::Isa;
use mnistry::train::{LrDecay, LrSchedule};
use mnistry::{
    Activation, Adam, Engine, EngineOptions, FitOptions, Network, NoObserver, Optimizer,
    Sequential, Sgd,
};
use sha2::{Digest, Sha256};

const SHAPE: ImageShape = ImageShape { height: 28, width: 28 };

/// Trains `architecture` on the first `images` generated digits, in every way there is, and
/// compares the SHA-256 of the model file with what was `recorded`.
fn check(recorded: &str, architecture: &Sequential, images: usize, options: FitOptions) {
    let Dataset { train, .. } = generate(0, images, 10).expect("enough images");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    for isa in Isa::available().into_iter().filter(|isa| isa.is_fused()) {
        for threads in 1..=3 {
            let how =
                EngineOptions { isa: Some(isa), threads: Some(threads), ..Default::default() };
            let engine = Engine::new(how).expect("threads");
            let mut network = Network::new(architecture.clone(), options.seed).expect("it checks");
            engine.fit(&mut network, &train, &options, &mut NoObserver).expect("it learns");
            network.save(&path).expect("the folder can be written");
            let digest = Sha256::digest(fs::read(&path).expect("the file is there"));
            let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, recorded, "{} with {threads} threads", isa.name());
        }
    }
}

fn mlp(hidden: &[usize], output: Activation) -> Sequential {
    let add = |network: Sequential, units: &usize| network.dense(*units, Activation::Relu);
    hidden.iter().fold(Sequential::new(SHAPE), add).dense(10, output)
}

#[test]
fn the_default_network() {
    let options = FitOptions { epochs: 2, ..FitOptions::default() };
    check(
        "9de3067b44447510f8f718f36c806f9aac31bb85e2fb18fc5e2847dfa5c73adf",
        &mlp(&[100], Activation::Sigmoid),
        1000,
        options,
    );
}

#[test]
fn a_batch_of_seven_and_layers_of_52_and_20_units() {
    let options = FitOptions { epochs: 2, batch_size: 7, ..FitOptions::default() };
    check(
        "6f46d9b2f76e483ed19ae2652e5c884e1eef5fe2392be99794a28c49e7bc097a",
        &mlp(&[52, 20], Activation::Sigmoid),
        500,
        options,
    );
}

#[test]
fn units_of_257_under_descent_with_momentum() {
    let optimizer = Optimizer::Sgd(Sgd { learning_rate: 0.01, momentum: 0.9 });
    let options = FitOptions { epochs: 2, optimizer, ..FitOptions::default() };
    check(
        "d9e7760b52168cdcbf4f089088dd09bfddbb9e01e7f31ddeb76cb29e3f3c90a7",
        &mlp(&[257], Activation::Sigmoid),
        500,
        options,
    );
}

#[test]
fn a_softmax_with_weight_decay_and_smoothed_labels() {
    let options =
        FitOptions { epochs: 2, weight_decay: 0.01, label_smoothing: 0.1, ..FitOptions::default() };
    check(
        "be240eb0fb52ae59561ccf23b1c0eee531a5d2d95294c33aada02c105732f10b",
        &mlp(&[100], Activation::Softmax),
        500,
        options,
    );
}

#[test]
fn lenet5_of_two_epochs() {
    let options = FitOptions { epochs: 2, ..FitOptions::default() };
    check(
        "aa378942a34da5f4ea4982379c3db745ec6d1e0159a7e8e3adf606d917a8066a",
        &Sequential::lenet5(SHAPE, 10),
        150,
        options,
    );
}

#[test]
fn a_cnn_with_augmentation_dropout_and_validation() {
    let options = FitOptions {
        epochs: 2,
        batch_size: 20,
        optimizer: Optimizer::Adam(Adam { learning_rate: 0.002, ..Adam::default() }),
        schedule: LrSchedule { warm_up: 0.5, decay: LrDecay::Cosine },
        augmentation: RandomAffine { shift: 2.0, rotation: 10.0, scale: 0.1 },
        validation_split: 0.25,
        patience: Some(1),
        ..FitOptions::default()
    };
    check(
        "84751938f114dde364f5d416a2feceebe276f79ae622bd6f68a8f9c60f5d1aa0",
        &Sequential::cnn(SHAPE, 10),
        80,
        options,
    );
}

/// Strides, same padding, overlapping average pooling, dropout among images, a sigmoid below.
#[test]
fn a_network_of_unlike_windows() {
    let network = Sequential::new(SHAPE)
        .with(Layer::Conv2d {
            filters: 5,
            kernel: Window { height: 3, width: 5 },
            stride: Window { height: 2, width: 1 },
            padding: Padding::Same,
            activation: Activation::Sigmoid,
        })
        .with(Layer::AveragePool {
            size: Window::square(3),
            stride: Some(Window { height: 1, width: 2 }),
        })
        .dropout(0.2)
        .with(Layer::Conv2d {
            filters: 7,
            kernel: Window::square(3),
            stride: Window::square(2),
            padding: Padding::Valid,
            activation: Activation::Relu,
        })
        .with(Layer::MaxPool { size: Window::square(2), stride: Some(Window::square(1)) })
        .flatten()
        .dense(33, Activation::Sigmoid)
        .dropout(0.5)
        .dense(10, Activation::Linear);
    let options = FitOptions { epochs: 2, batch_size: 37, ..FitOptions::default() };
    check(
        "41ac2c0e756128cb5e92ae268932500b8986f5e4ba145626b11e19a2a1dc68b2",
        &network,
        100,
        options,
    );
}
