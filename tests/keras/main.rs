//! Files of Keras: what is written is read again to the same bits, any bytes at all are read or
//! refused, and Keras itself, where there is one, is of the same opinion.
#![cfg(feature = "keras")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../generated/mod.rs"]
mod generated;
mod hostile;
mod real_keras;

use std::fs;
use std::path::Path;

use mnistry::Network;
use mnistry::interchange::keras;
use mnistry::model::{Architecture, Layer};
use mnistry::{Activation, Sequential};
use proptest::prelude::*;

use generated::{any_hidden, any_image_layers, architectures, image_networks, network};

/// How far numbers may be apart, where they are at most 1; else in proportion.
const BOUND: f32 = 1e-6;

fn floats(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).unwrap();
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// What the last layer of `network` puts out for `images`.
fn outputs(network: &Network, images: Vec<u8>) -> Vec<f32> {
    let predictions = generated::engine(1).predict_batch(network, images).unwrap();
    predictions.into_iter().flat_map(|prediction| prediction.outputs).collect()
}

/// The greatest distance between numbers, in proportion to those above 1.
fn distance(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let distances = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    distances.fold(0.0, f32::max)
}

/// Networks of all kinds of layers, with and without images, that end in all three ways.
fn any_architecture() -> impl Strategy<Value = Architecture> {
    let last =
        prop::sample::select(vec![Activation::Linear, Activation::Sigmoid, Activation::Softmax]);
    let images = (image_networks(any_image_layers()), last).prop_map(|(architecture, last)| {
        let Sequential { input, mut layers } = architecture.into();
        if let Some(Layer::Dense { activation, .. }) = layers.last_mut() {
            *activation = last;
        }
        generated::checked(layers.into_iter().fold(Sequential::new(input), Sequential::with))
    });
    prop_oneof![2 => images, 1 => architectures(any_hidden())]
}

/// The same network, in which a pooling whose windows meet does not say so twice: Keras always says
/// how far they move.
fn canonical(network: &Network) -> Network {
    let Sequential { input, mut layers } = network.architecture().clone().into();
    for layer in &mut layers {
        if let Layer::MaxPool { size, stride } | Layer::AveragePool { size, stride } = layer {
            *stride = stride.filter(|stride| stride != size);
        }
    }
    let layers = layers.into_iter().fold(Sequential::new(input), Sequential::with);
    Network::from_tensors(layers, network.tensors().to_vec()).unwrap()
}

/// Whether both are the same, bit by bit.
fn is_same(found: &Network, expected: &Network) -> bool {
    let bits = |network: &Network| -> Vec<Vec<u32>> {
        let tensors = network.tensors().iter();
        tensors.map(|tensor| tensor.values.iter().map(|v| v.to_bits()).collect()).collect()
    };
    found == expected && bits(found) == bits(expected)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_to_the_same_bits(architecture in any_architecture(), seed: u64) {
        let folder = tempfile::tempdir().unwrap();
        let [archive, weights] = ["n.keras", "n.weights.h5"].map(|name| folder.path().join(name));
        let network = network(architecture.clone(), seed);
        keras::write_archive(&network, &archive).unwrap();
        let read = keras::read_archive(&archive).unwrap();
        prop_assert!(is_same(&read.network, &canonical(&network)), "{architecture}");
        prop_assert_eq!(read.notes, []);
        keras::write_weights(&network, &weights).unwrap();
        prop_assert!(is_same(&keras::read_weights(&weights, architecture).unwrap(), &network));
    }
}

#[test]
fn models_that_keras_saved_predict_here_what_they_do_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keras");
    for name in ["named", "functional"] {
        let at = |ending: &str| folder.join(format!("{name}.{ending}"));
        let read = keras::read_archive(at("keras")).unwrap();
        assert_eq!(read.notes, []);
        let images = fs::read(at("images")).unwrap();
        let distance = distance(&floats(&at("predicted")), &outputs(&read.network, images));
        assert!(distance <= BOUND, "{name}: {distance}");
    }
}

fn small() -> Network {
    let shape = mnistry::image::ImageShape { height: 6, width: 5 };
    network(
        Sequential::new(shape)
            .conv2d(2, 3, Activation::Relu)
            .flatten()
            .dense(3, Activation::Softmax),
        1,
    )
}

#[test]
fn files_depend_on_the_network_alone_and_names_of_classes_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let names = ["cat", "dog", "owl"].map(String::from).to_vec();
    let network = small().with_class_names(names.try_into().unwrap()).unwrap();
    for name in ["one", "other"] {
        keras::write_archive(&network, at(name)).unwrap();
    }
    let bytes = |path: &Path| fs::read(path).unwrap();
    assert_eq!(bytes(&at("one")), bytes(&at("other")));
    assert_eq!(keras::read_archive(at("one")).unwrap().network, network);
}

#[test]
fn a_network_of_many_layers_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.keras");
    let shape = mnistry::image::ImageShape { height: 1, width: 2 };
    let layers = (0..600).fold(Sequential::new(shape), |all, _| all.dense(2, Activation::Relu));
    let network = network(layers.dense(2, Activation::Linear), 3);
    keras::write_archive(&network, &path).unwrap();
    assert!(is_same(&keras::read_archive(&path).unwrap().network, &network));
}

#[test]
fn weights_of_another_network_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.weights.h5");
    let network = small();
    keras::write_weights(&network, &path).unwrap();
    let shape = network.architecture().input();
    let start = Sequential::new(shape);
    for (layers, said) in [
        (
            start.clone().flatten().dense(3, Activation::Linear),
            "layers/dense/vars/0 is of type f32 and shape [24, 3], where the network has f32 [30, 3]",
        ),
        (
            start.clone().conv2d(2, 3, Activation::Relu).flatten().dense(4, Activation::Linear),
            "layers/dense/vars/0",
        ),
        (
            start
                .clone()
                .conv2d(2, 3, Activation::Relu)
                .flatten()
                .dense(3, Activation::Linear)
                .dense(3, Activation::Linear),
            "has no weights layers/dense_1, which the network has",
        ),
        (start.dense(3, Activation::Linear), "shape [24, 3]"),
    ] {
        let error = keras::read_weights(&path, generated::checked(layers)).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()) && error.contains(said), "{error}");
    }
}
