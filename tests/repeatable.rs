//! Runs repeat: the same seed leads to the same bytes, on any number of threads and any
//! instruction set, and a saved network comes back as it was.

mod generated;

use std::collections::HashMap;
use std::fs;

use generated::{any_hidden, architectures, engine, images, stripes};
use mnistry::data::ImageShape;
use mnistry::nn::Tensor;
use mnistry::simd::Isa;
use mnistry::{
    Activation, Adam, Engine, EngineOptions, FitOptions, Network, Optimizer, Sequential, Sgd,
    Silent, Split,
};
use proptest::prelude::*;

const THREADS: [usize; 5] = [1, 2, 3, 5, 8];
const SHAPE: ImageShape = ImageShape { height: 5, width: 7 };

fn small_architecture() -> Sequential {
    Sequential::new(SHAPE).dense(20, Activation::Relu).dense(5, Activation::Sigmoid)
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
    architecture: &Sequential,
    split: &Split,
    options: &FitOptions,
    threads: usize,
) -> Network {
    let mut network = Network::new(architecture.clone(), options.seed).expect("a sound network");
    engine(threads).fit(&mut network, split, options, &mut Silent).expect("training succeeds");
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
        engine(1).fit(&mut network, &split, &options, &mut Silent).expect("training succeeds");
        network
    };
    assert_ne!(from_one_start(true, 1), from_one_start(true, 2));
    assert_eq!(from_one_start(false, 1), from_one_start(false, 2));
}

fn optimizers() -> impl Strategy<Value = Optimizer> {
    prop_oneof![
        Just(Optimizer::Adam(Adam::default())),
        Just(Optimizer::Sgd(Sgd { learning_rate: 0.1, momentum: 0.9 })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn threads_and_instruction_sets_change_no_bit(
        architecture in architectures(any_hidden()),
        samples in 1_usize..=80,
        batch_size in 1_usize..=40,
        optimizer in optimizers(),
        seed in any::<u64>().no_shrink(),
    ) {
        let split = images(architecture.input, samples, architecture.classes(), seed);
        let options =
            FitOptions { epochs: 2, batch_size, optimizer, seed, ..FitOptions::default() };
        // By whether multiply-add rounds once: instruction sets that agree on it agree on all.
        let mut first_of_kind = HashMap::new();
        for (isa, threads) in isas_and_threads() {
            let options_of_engine =
                EngineOptions { isa: Some(isa), threads: Some(threads), ..Default::default() };
            let engine = Engine::new(options_of_engine).expect("threads");
            let mut network = Network::new(architecture.clone(), seed).expect("a sound network");
            engine.fit(&mut network, &split, &options, &mut Silent).expect("training succeeds");
            let found = (
                bits(network.tensors()),
                bits(&engine.gradients(&network, &split).expect("it fits").tensors),
                engine.evaluate(&network, &split).expect("it fits"),
            );
            let first = first_of_kind.entry(isa.is_fused()).or_insert_with(|| found.clone());
            prop_assert!(*first == found, "{isa:?} with {threads} threads");
        }
    }

    #[test]
    fn a_saved_network_comes_back(
        architecture in architectures(any_hidden()),
        seed in any::<u64>().no_shrink(),
    ) {
        let split = images(architecture.input, 3, architecture.classes(), seed);
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

fn isas_and_threads() -> impl Iterator<Item = (Isa, usize)> {
    Isa::available().into_iter().flat_map(|isa| THREADS.map(|threads| (isa, threads)))
}

/// The bits of every number: equality of numbers would pass a zero for its negative.
fn bits(tensors: &[Tensor]) -> Vec<u32> {
    tensors.iter().flat_map(|tensor| &tensor.values).map(|value| value.to_bits()).collect()
}
