//! Any number of threads and any instruction set whose multiply-add rounds once train a network to
//! the same bytes.

mod generated;

use std::collections::HashMap;
use std::fs;

use generated::{any_hidden, any_image_layers, architectures, checked, image_networks, images};
use mnistry::image::{ImageShape, RandomAffine};
use mnistry::model::{Architecture, Tensor};
use mnistry::simd::Isa;
use mnistry::train::{Error, LrDecay, LrSchedule};
use mnistry::{
    Activation, Adam, Engine, EngineOptions, FitOptions, Network, NoObserver, Optimizer,
    Sequential, Sgd, Split,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;

const THREADS: [usize; 5] = [1, 2, 3, 5, 8];
const OPTIMIZERS: [Optimizer; 2] = [
    Optimizer::Adam(Adam { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }),
    Optimizer::Sgd(Sgd { learning_rate: 0.1, momentum: 0.9 }),
];

/// An engine for every instruction set, from the best, and number of threads.
fn engines() -> impl Iterator<Item = Engine> {
    let engine = |isa, threads| {
        let options =
            EngineOptions { isa: Some(isa), threads: Some(threads), ..EngineOptions::default() };
        Engine::new(options).expect("threads")
    };
    let isas = Isa::available().into_iter().rev();
    isas.flat_map(move |isa| THREADS.map(|threads| engine(isa, threads)))
}

/// A new network of `architecture`, trained by `engine`, and the error that ended it early.
fn trained(
    engine: &Engine,
    architecture: &Architecture,
    split: &Split,
    options: &FitOptions,
) -> (Network, Option<Error>) {
    let mut network = Network::new(architecture.clone(), options.seed).expect("a sound network");
    let error = engine.fit(&mut network, split, options, &mut NoObserver).err();
    (network, error)
}

#[test]
fn model_files_are_the_same_to_the_byte() {
    const SHAPE: ImageShape = ImageShape { height: 12, width: 12 };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    // Neither the units nor the samples divide evenly among any team.
    let split = images(SHAPE, 203, 10, 3);
    let hidden: [&[usize]; 2] = [&[100], &[33, 47, 20]];
    let engines: Vec<_> = engines().filter(|engine| engine.isa().is_fused()).collect();
    for (case, batch_size) in [1, 7, 32, 100].into_iter().cycle().take(8).enumerate() {
        // Each batch size with both depths, outputs and optimisers, each pair of those at some
        // batch size.
        let (round, index) = (case / 4, case % 4);
        let output = [Activation::Softmax, Activation::Sigmoid][(round + index / 2) % 2];
        let optimizer = OPTIMIZERS[(round + index) % 2];
        let add = |network: Sequential, units: &usize| network.dense(*units, Activation::Relu);
        let layers = hidden[round].iter().fold(Sequential::new(SHAPE), add);
        let architecture = checked(layers.dense(10, output));
        let options =
            FitOptions { epochs: 2, batch_size, optimizer, seed: 5, ..FitOptions::default() };
        let mut first: Option<Vec<u8>> = None;
        for engine in &engines {
            let (network, error) = trained(engine, &architecture, &split, &options);
            assert!(error.is_none(), "{error:?}");
            network.save(&path).expect("the folder can be written");
            let bytes = fs::read(&path).expect("the file is there");
            let same = *first.get_or_insert_with(|| bytes.clone()) == bytes;
            assert!(same, "{architecture:?} by {engine:?} with {options:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn threads_and_instruction_sets_change_no_bit(
        architecture in architectures(any_hidden()),
        run in runs(),
    ) {
        check_bits(&architecture, run)?;
    }
}

/// Layers of every width over sixteen and their teams, dropout above them, and images of which
/// little is lit.
#[test]
fn nor_where_columns_are_few_and_dropped() {
    const SHAPE: ImageShape = ImageShape { height: 7, width: 5 };
    let mut pixels = images(SHAPE, 70, 10, 6).pixels().to_vec();
    pixels.iter_mut().step_by(2).for_each(|pixel| *pixel = 0);
    let labels = (0..70).map(|label| label % 10).collect::<Vec<u8>>();
    let split = Split::new(SHAPE, pixels.into(), labels.into()).expect("counts match");
    for units in [16, 17, 20, 36, 52, 100] {
        let hidden = Sequential::new(SHAPE).dense(units, Activation::Relu);
        let dropped = hidden.clone().dropout(0.5);
        for architecture in
            [hidden, dropped.clone(), dropped.dropout(0.3).dense(33, Activation::Relu)]
        {
            let options = FitOptions { epochs: 2, ..FitOptions::default() };
            check_split(&checked(architecture.dense(10, Activation::Softmax)), &split, &options)
                .expect("the same bits");
        }
    }
}

/// Descent that overshoots, sample by sample.
#[test]
fn a_run_that_leaves_the_numbers_ends_at_the_same_step() {
    let input = ImageShape { height: 4, width: 3 };
    let layers = Sequential::new(input).dense(5, Activation::Linear).dense(13, Activation::Linear);
    let architecture = checked(layers.dense(4, Activation::Linear));
    let split = images(input, 18, 4, 1);
    let optimizer = Optimizer::Sgd(Sgd { learning_rate: 0.5, momentum: 0.9 });
    let options = FitOptions { epochs: 2, batch_size: 1, optimizer, ..FitOptions::default() };
    let engine = engines().next().expect("an instruction set");
    assert!(trained(&engine, &architecture, &split, &options).1.is_some());
    check_split(&architecture, &split, &options).expect("the same step");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 30,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nor_where_images_are_convolved(
        architecture in image_networks(any_image_layers()),
        run in runs(),
    ) {
        check_bits(&architecture, run)?;
    }
}

/// How many samples there are, and what is done with them.
type Run = (usize, FitOptions);

fn runs() -> impl Strategy<Value = Run> {
    let seed = any::<u64>().no_shrink();
    let options = [FitOptions::default(), regularised()];
    (1_usize..=80, 1_usize..=40, select(&OPTIMIZERS[..]), seed, select(options.to_vec())).prop_map(
        |(samples, batch_size, optimizer, seed, options)| {
            (samples, FitOptions { epochs: 2, batch_size, optimizer, seed, ..options })
        },
    )
}

/// With all that is done to images, labels and weights.
fn regularised() -> FitOptions {
    FitOptions {
        schedule: LrSchedule { warm_up: 0.5, decay: LrDecay::Cosine },
        weight_decay: 0.01,
        label_smoothing: 0.1,
        augmentation: RandomAffine { shift: 1.0, rotation: 10.0, scale: 0.1 },
        ..FitOptions::default()
    }
}

fn check_bits(architecture: &Architecture, (samples, options): Run) -> Result<(), TestCaseError> {
    let split = images(architecture.input(), samples, architecture.classes(), options.seed);
    check_split(architecture, &split, &options)
}

fn check_split(
    architecture: &Architecture,
    split: &Split,
    options: &FitOptions,
) -> Result<(), TestCaseError> {
    // By whether multiply-add rounds once: instruction sets that agree on it agree on all.
    let mut first_of_kind = HashMap::new();
    for engine in engines() {
        let (network, error) = trained(&engine, architecture, split, options);
        // A random network may learn too fast and leave the numbers; then everywhere at one step.
        prop_assert!(matches!(error, None | Some(Error::NotFinite { .. })), "{error:?}");
        let measured = error.is_none().then(|| {
            let gradients = engine.gradients(&network, split).expect("it fits");
            (bits(&gradients.tensors), engine.evaluate(&network, split).expect("it fits"))
        });
        let error = error.map(|error| error.to_string());
        let found = (error, bits(network.tensors()), measured);
        let first = first_of_kind.entry(engine.isa().is_fused()).or_insert_with(|| found.clone());
        prop_assert!(*first == found, "{engine:?}");
    }
    Ok(())
}

/// The bits of every number: equality of numbers would pass a zero for its negative.
fn bits(tensors: &[Tensor]) -> Vec<u32> {
    tensors.iter().flat_map(|tensor| &tensor.values).map(|value| value.to_bits()).collect()
}
