//! Runs repeat: the same seed leads to the same bytes, and a saved network comes back as it was.

mod generated;

use std::fs;

use generated::{any_hidden, architectures, checked, engine, images, stripes};
use mnistry::image::ImageShape;
use mnistry::model::Architecture;
use mnistry::{Activation, FitOptions, Network, NoObserver, Sequential, Split};
use proptest::prelude::*;

const SHAPE: ImageShape = ImageShape { height: 5, width: 7 };

fn small_architecture() -> Architecture {
    checked(Sequential::new(SHAPE).dense(20, Activation::Relu).dense(5, Activation::Sigmoid))
}

/// The bytes of a network's file.
fn saved(network: &Network) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    network.save(&path).expect("the folder can be written");
    fs::read(path).expect("the file is there")
}

/// A new network of `architecture`, trained.
fn trained(
    architecture: &Architecture,
    split: &Split,
    options: &FitOptions,
    threads: usize,
) -> Network {
    let mut network = Network::new(architecture.clone(), options.seed).expect("a sound network");
    engine(threads).fit(&mut network, split, options, &mut NoObserver).expect("training succeeds");
    network
}

#[test]
fn a_seed_decides_every_byte() {
    let split = stripes(SHAPE, 100, 0);
    let model = |seed| {
        let options = FitOptions { epochs: 2, batch_size: 16, seed, ..FitOptions::default() };
        saved(&trained(&small_architecture(), &split, &options, 2))
    };
    assert_eq!(model(7), model(7));
    assert_ne!(model(7), model(8));
}

#[test]
fn the_seed_of_a_run_decides_the_order_of_its_samples() {
    let split = stripes(SHAPE, 100, 0);
    let from_one_start = |shuffle, seed| {
        let mut network = Network::new(small_architecture(), 0).expect("a sound network");
        let options = FitOptions { epochs: 1, shuffle, seed, ..FitOptions::default() };
        engine(1).fit(&mut network, &split, &options, &mut NoObserver).expect("training succeeds");
        network
    };
    assert_ne!(from_one_start(true, 1), from_one_start(true, 2));
    assert_eq!(from_one_start(false, 1), from_one_start(false, 2));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_saved_network_comes_back(
        architecture in architectures(any_hidden()),
        seed in any::<u64>().no_shrink(),
    ) {
        let split = images(architecture.input(), 3, architecture.classes(), seed);
        let network = generated::network(architecture, seed);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("model.safetensors");
        network.save(&path).expect("the folder can be written");
        let back = Network::load(&path).expect("it was saved whole");
        prop_assert_eq!(&back, &network);
        prop_assert_eq!(saved(&back), fs::read(&path).expect("the file is there"));
        let engine = engine(1);
        for index in 0..split.len() {
            let read = |network| engine.predict(network, split.image(index)).expect("it fits");
            prop_assert_eq!(read(&back), read(&network));
        }
        let evaluate = |network| engine.evaluate(network, &split).expect("it fits");
        prop_assert_eq!(evaluate(&back), evaluate(&network));
    }
}
