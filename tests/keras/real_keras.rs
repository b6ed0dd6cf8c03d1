//! Keras reads what is written, as the same network, and is read.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use mnistry::image::ImageShape;
use mnistry::interchange::keras::{self, Note};
use mnistry::{Activation, Sequential};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::{BOUND, any_architecture, canonical, distance, floats, generated, is_same, outputs};

/// Has Keras, of the Python that `MNISTRY_KERAS_PYTHON` names, do `task` in `folder`.
fn keras_does(task: &str, folder: &Path) {
    let python = std::env::var_os("MNISTRY_KERAS_PYTHON").expect("it names a Python");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/python/keras_files.py");
    let arguments = [script.as_os_str(), OsStr::new(task), folder.as_os_str()];
    let output = Command::new(python).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs MNISTRY_KERAS_PYTHON"]
fn keras_loads_predicts_fits_and_saves_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = |number: usize, ending: &str| folder.path().join(format!("{number:02}{ending}"));
    let mut runner = TestRunner::deterministic();
    let mut next = || any_architecture().new_tree(&mut runner).unwrap().current();
    let mnist = ImageShape { height: 28, width: 28 };
    let tutorial = Sequential::new(mnist).dense(100, Activation::Relu);
    let named = [
        tutorial.dense(10, Activation::Sigmoid),
        Sequential::lenet5(mnist, 10),
        Sequential::cnn(mnist, 10),
    ];
    let architectures = named.map(generated::checked).into_iter();
    let architectures: Vec<_> = architectures.chain((0..21).map(|_| next())).collect();
    let networks: Vec<_> = architectures.into_iter().zip(0..).collect::<Vec<_>>();
    let networks: Vec<_> =
        networks.into_iter().map(|(it, seed)| generated::network(it, seed)).collect();
    for (number, network) in networks.iter().enumerate() {
        let (shape, classes) = (network.architecture().input(), network.architecture().classes());
        let images = generated::images(shape, 1_000, classes, number as u64);
        fs::write(at(number, ".images"), images.pixels()).unwrap();
        let (height, width) = (shape.height, shape.width);
        let said = serde_json::json!({ "height": height, "width": width, "classes": classes });
        fs::write(at(number, ".json"), said.to_string()).unwrap();
        keras::write_archive(network, at(number, ".keras")).unwrap();
        keras::write_weights(network, at(number, ".weights.h5")).unwrap();
    }
    keras_does("use", folder.path());

    let mut worst = 0_f32;
    for (number, network) in networks.iter().enumerate() {
        let architecture = network.architecture();
        let images = fs::read(at(number, ".images")).unwrap();
        let expected = outputs(network, images.clone());
        for ending in [".loaded", ".weights"] {
            let distance = distance(&floats(&at(number, ending)), &expected);
            worst = worst.max(distance);
            assert!(distance <= BOUND, "{ending} of {architecture}: {distance}");
        }
        // Back again.
        let saved = keras::read_archive(at(number, ".saved.keras")).unwrap();
        assert!(is_same(&saved.network, &canonical(network)), "{architecture}");
        assert_eq!(saved.notes, []);
        let weights = keras::read_weights(at(number, ".saved.weights.h5"), architecture.clone());
        assert!(is_same(&weights.unwrap(), network), "{architecture}");
        // What Keras trained is what is read.
        let fitted = keras::read_archive(at(number, ".fitted.keras")).unwrap().network;
        assert_ne!(fitted, canonical(network), "{architecture} was not trained");
        let distance = distance(&floats(&at(number, ".fitted")), &outputs(&fitted, images));
        worst = worst.max(distance);
        assert!(distance <= BOUND, "fitted {architecture}: {distance}");
    }
    println!("{} networks, 1,000 images each: at most {worst:e} apart", networks.len());
}

#[test]
#[ignore = "needs MNISTRY_KERAS_PYTHON"]
fn what_keras_made_is_read_or_refused_by_the_layer() {
    let folder = tempfile::tempdir().unwrap();
    keras_does("make", folder.path());
    let at = |name: &str| folder.path().join(name);
    let square = Note::SquareImages(ImageShape { height: 7, width: 7 });
    let scaled = Note::PixelsFromZeroToOne;
    let readable = [
        ("named", vec![]),
        ("functional", vec![]),
        ("scaled_before", vec![scaled.clone()]),
        ("rows", vec![scaled.clone(), square]),
        ("built_late", vec![scaled]),
        ("with_moments", vec![]),
    ];
    for (name, notes) in readable {
        let read = keras::read_archive(at(&format!("{name}.keras"))).unwrap();
        assert_eq!(read.notes, notes, "{name}");
        let images = fs::read(at(&format!("{name}.images"))).unwrap();
        let predicted = floats(&at(&format!("{name}.predicted")));
        let distance = distance(&predicted, &outputs(&read.network, images));
        assert!(distance <= BOUND, "{name}: {distance}");
    }
    for (name, said) in [
        (
            "normalised.keras",
            "layer 'my_norm' is a BatchNormalization, which mnistry does not have",
        ),
        ("without_bias.keras", "layer 'plain' has use_bias false, where only true is read"),
        ("leaky.keras", "layer 'leak' has negative_slope 0.1"),
        ("tanh.keras", "layer 'curve' has activation \"tanh\""),
        ("dilated.keras", "layer 'holes' has dilation_rate [2,2]"),
        ("padded_pool.keras", "layer 'edge' has padding \"same\""),
        ("raw.keras", "begin the model with a Rescaling of 1/255"),
        ("last_axis.keras", "layer 'columns' reads rows of numbers, but is fed images"),
        ("forked.keras", "only a chain of layers is read"),
        ("nested.keras", "layer 'inner' is a Sequential"),
        ("old.h5", "not a readable zip archive"),
    ] {
        let error = keras::read_archive(at(name)).unwrap_err().to_string();
        assert!(error.contains(said), "{name}: {error}");
    }
    let architecture = super::small().architecture().clone();
    let error = keras::read_weights(at("old.h5"), architecture).unwrap_err().to_string();
    assert!(error.contains("load it in Keras, and save it as .keras or .weights.h5"), "{error}");
}
