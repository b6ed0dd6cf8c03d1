//! The engine's gradients against those of the reference, by the chain rule and by central
//! differences, as properties over random networks; and the proof that the comparison would catch a
//! gradient wrong in one entry.
//!
//! What they may differ by is what the roundings of f32 may amount to at worst, derived for each
//! entry in `src/check/bounds/`: no case fails by chance. `MNISTRY_GRADIENT_CASES` is by how much
//! to multiply the number of cases.

mod generated;

use std::time::Instant;

use generated::{
    any_hidden, any_image_layers, architectures, average_pool, convolution, engines,
    image_networks, images, max_pool, one_hidden, small_hidden, small_image_networks,
    wide_image_networks,
};
use mnistry::check::{self, GradientOptions, GradientReport, Verdict};
use mnistry::internals::{Expected, Reference};
use mnistry::model::{Architecture, Layer};
use mnistry::train::{ClassWeights, Gradients};
use mnistry::{Activation, Engine, EngineOptions, Network, Split};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestCaseError, TestRunner};

#[derive(Debug)]
struct Case {
    engine: EngineOptions,
    network: Network,
    split: Split,
    /// Picks the entries.
    seed: u64,
    /// Whether classes are weighted.
    is_balanced: bool,
}

/// A network of `architecture` and `batch` images for it, classes not weighted.
fn case((engine, architecture, batch, seed): (EngineOptions, Architecture, usize, u64)) -> Case {
    let split = images(architecture.input(), batch, architecture.classes(), seed);
    let network = generated::network(architecture, seed);
    Case { engine, network, split, seed, is_balanced: false }
}

fn cases(architectures: impl Strategy<Value = Architecture>) -> impl Strategy<Value = Case> {
    let seed = any::<u64>().no_shrink();
    (engines(), architectures, 1_usize..=40, seed).prop_map(case)
}

/// Networks without a hidden layer.
fn dense() -> impl Strategy<Value = Case> {
    cases(architectures(Just(Vec::new())))
}

fn relu() -> impl Strategy<Value = Case> {
    cases(architectures(one_hidden(Activation::Relu)))
}

fn sigmoid() -> impl Strategy<Value = Case> {
    cases(architectures(one_hidden(Activation::Sigmoid)))
}

fn linear() -> impl Strategy<Value = Case> {
    cases(architectures(one_hidden(Activation::Linear)))
}

/// Networks of any depth.
fn whole_networks() -> impl Strategy<Value = Case> {
    cases(architectures(any_hidden()))
}

/// One convolution.
fn conv2d() -> impl Strategy<Value = Case> {
    image_cases(convolution().prop_map(|layer| vec![layer]))
}

/// A convolution, and max pooling.
fn max_pooling() -> impl Strategy<Value = Case> {
    image_cases((convolution(), max_pool()).prop_map(|(one, other)| vec![one, other]))
}

/// A convolution, and average pooling.
fn average_pooling() -> impl Strategy<Value = Case> {
    image_cases((convolution(), average_pool()).prop_map(|(one, other)| vec![one, other]))
}

/// Networks that see images, of any depth.
fn whole_image_networks() -> impl Strategy<Value = Case> {
    image_cases(any_image_layers())
}

/// Convolutions by minimal filtering.
fn wide_convolutions() -> impl Strategy<Value = Case> {
    cases_in_blocks(wide_image_networks())
}

fn image_cases(layers: impl Strategy<Value = Vec<Layer>>) -> impl Strategy<Value = Case> {
    cases_in_blocks(image_networks(layers))
}

/// Some whole sixteens of samples, and some short ones.
fn cases_in_blocks(networks: impl Strategy<Value = Architecture>) -> impl Strategy<Value = Case> {
    let seed = any::<u64>().no_shrink();
    let batch = prop_oneof![1_usize..=6, Just(16), 17_usize..=20];
    (engines(), networks, batch, seed).prop_map(case)
}

/// The loss alone: of a single black image the logits are the biases, and the gradient of the
/// biases is the loss's own.
fn loss() -> impl Strategy<Value = Case> {
    cases(architectures(Just(Vec::new()))).prop_map(|case| {
        let black = vec![0; case.split.shape().pixels()];
        let label = vec![case.split.labels()[0]];
        let split = Split::new(case.split.shape(), black.into(), label.into());
        Case { split: split.expect("one image"), ..case }
    })
}

/// Networks of any depth, of samples of all classes, of some many more than of others, and each
/// class of the same weight.
fn class_weights() -> impl Strategy<Value = Case> {
    cases(architectures(any_hidden())).prop_map(|case| {
        let classes = case.network.architecture().classes();
        let count = classes + case.split.len();
        let images = images(case.split.shape(), count, classes, case.seed);
        let label = |sample: usize| match sample < classes {
            true => sample,
            false => (sample % 5).min(classes - 1),
        };
        let labels: Vec<u8> = (0..count).map(|sample| label(sample) as u8).collect();
        let split = Split::new(images.shape(), images.pixels().to_vec().into(), labels.into());
        Case { split: split.expect("a label an image"), is_balanced: true, ..case }
    })
}

/// The weight of each class, all of which count the same: samples / (classes × its samples).
fn balanced(split: &Split, classes: usize) -> Vec<f64> {
    let of =
        |class: usize| split.labels().iter().filter(move |&&label| usize::from(label) == class);
    (0..classes).map(|class| split.len() as f64 / (classes * of(class).count()) as f64).collect()
}

/// What the reference says.
fn expect(case: &Case) -> Expected {
    let mut reference = Reference::new(&case.network);
    if case.is_balanced {
        reference.class_weights = balanced(&case.split, case.network.architecture().classes());
    }
    Expected::new(&mut reference, &case.split, case.seed)
}

fn gradients(case: &Case) -> Gradients {
    let engine = Engine::new(case.engine).expect("threads");
    let found = match case.is_balanced {
        false => engine.gradients(&case.network, &case.split),
        true => engine.weighted_gradients(&case.network, &case.split, ClassWeights::Balanced),
    };
    found.expect("the network fits")
}

/// Compares `gradients` with what is `expected` of them.
fn compare(case: &Case, expected: &Expected, gradients: &Gradients) -> GradientReport {
    expected.report(&case.network, gradients)
}

/// The engine agrees with the reference; and the reference, by the chain rule, with its own central
/// differences. What is unproven passes: some of these cases have nothing but zeros to find, and
/// `catches` shows that in the others a wrong entry does not pass.
fn agrees(case: &Case) -> Result<(), TestCaseError> {
    let expected = expect(case);
    let report = compare(case, &expected, &gradients(case));
    prop_assert!(report.verdict() != Verdict::Differs, "{report}");
    let bound = expected.bounds.difference();
    for slope in &expected.slopes {
        let found = expected.gradient[slope.tensor][slope.index];
        prop_assert!((found - slope.value).abs() <= bound, "{found:e}, but {slope:?} ± {bound:e}");
    }
    Ok(())
}

/// A gradient that differs in the entry that `which` picks, by a hundredth of the largest in its
/// tensor, does not pass; nor does a loss that differs.
fn catches(case: &Case, which: Index) -> Result<(), TestCaseError> {
    let expected = expect(case);
    let gradients = gradients(case);
    let largest = |tensor: &Vec<f64>| tensor.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    // Of black images alone, the first kernel's gradient is zero and has nothing large.
    let reached: Vec<usize> = (0..expected.gradient.len())
        .filter(|&tensor| largest(&expected.gradient[tensor]) > 0.0)
        .collect();
    let tensor = *which.get(&reached);
    let index = which.index(expected.gradient[tensor].len());
    let bound = expected.bounds.gradient[tensor][index];
    let mut wrong = gradients.clone();
    wrong.tensors[tensor].values[index] +=
        fault(0.01 * largest(&expected.gradient[tensor]), bound) as f32;
    let report = compare(case, &expected, &wrong);
    prop_assert_eq!(report.verdict(), Verdict::Differs, "[{}][{}]: {}", tensor, index, report);
    let loss = gradients.loss + fault(1e-5, expected.bounds.loss);
    let report = compare(case, &expected, &Gradients { loss, ..gradients });
    prop_assert_eq!(report.verdict(), Verdict::Differs, "a wrong loss: {}", report);
    Ok(())
}

/// `size`, or what surely shows where that is less: twice the bound, as what it is added to may
/// be wrong by the bound already, and half a bound more for the rounding of the sum.
fn fault(size: f64, bound: f64) -> f64 {
    size.max(2.5 * bound)
}

/// How many cases `MNISTRY_GRADIENT_CASES` asks for where usually there are so many.
fn times(usual: u32) -> u32 {
    let asked = std::env::var("MNISTRY_GRADIENT_CASES");
    let times = asked.map_or(1.0, |times| times.parse().expect("a number of times"));
    (f64::from(usual) * times).ceil() as u32
}

/// For each kind of network two properties, over `$cases` cases.
macro_rules! properties {
    ($($kind:ident: $cases:expr;)*) => {$(
        mod $kind {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig {
                    cases: times($cases),
                    failure_persistence: None,
                    ..ProptestConfig::default()
                })]

                #[test]
                fn gradients_agree(case in super::$kind()) {
                    agrees(&case)?;
                }

                #[test]
                fn a_wrong_entry_is_caught(
                    case in super::$kind(),
                    which in any::<Index>(),
                ) {
                    catches(&case, which)?;
                }
            }
        }
    )*};
}

properties! {
    loss: 300;
    dense: 200;
    relu: 200;
    sigmoid: 200;
    linear: 200;
    whole_networks: 400;
    class_weights: 200;
    conv2d: 100;
    max_pooling: 100;
    average_pooling: 60;
    whole_image_networks: 100;
    wide_convolutions: 30;
}

/// So many cases there are of each network below.
const CASES_A_NETWORK: usize = 20;

/// Many cases of random networks by all engines, checked as `mnistry check` does it; how near the
/// worst comes to its bound is printed. `MNISTRY_CHECKED_CASES` says how many: a million take
/// half an hour.
#[test]
#[ignore = "takes minutes where MNISTRY_CHECKED_CASES asks for many cases"]
fn none_of_many_cases_is_further_off_than_its_bound() {
    let asked = std::env::var("MNISTRY_CHECKED_CASES");
    let asked = asked.map_or(10_000, |cases| cases.parse().expect("a number of cases"));
    // Small ones mostly: more of them fit the time.
    let networks = prop_oneof![
        10 => architectures(small_hidden()),
        1 => architectures(any_hidden()),
        10 => small_image_networks(),
        1 => image_networks(any_image_layers()),
        1 => wide_image_networks(),
    ];
    let alone = engines().prop_map(|engine| EngineOptions { threads: Some(1), ..engine });
    let any = (prop_oneof![4 => alone, 1 => engines()], networks);
    let (mut runner, start) = (TestRunner::deterministic(), Instant::now());
    let (mut cases, mut greatest_share) = (0, 0.0_f64);
    let (mut entries, mut telling, mut differences) = (0, 0, 0);
    for seed in 0.. {
        let (engine, architecture) = any.new_tree(&mut runner).expect("networks").current();
        let options = GradientOptions { cases: CASES_A_NETWORK, seed, engine };
        let report = check::gradients(&architecture, &options).expect("an engine");
        assert!(report.verdict() != Verdict::Differs, "network {seed}: {report}\n{engine:?}");
        cases += report.cases;
        greatest_share = greatest_share.max(report.greatest_share());
        for tensor in &report.tensors {
            entries += tensor.backward.compared;
            differences += tensor.differences.compared;
            telling += tensor.telling;
        }
        if cases >= asked {
            break;
        }
    }
    println!(
        "{cases} cases in {:.0} s: of {entries} entries and {differences} differences none was \
         further off than {greatest_share:.3} of its bound; {:.1} % were larger than theirs",
        start.elapsed().as_secs_f64(),
        100.0 * telling as f64 / entries as f64,
    );
    // A comparison of what may be anything would prove nothing. Zeros, of black pixels and of units
    // that no image reaches, are not larger than their bounds.
    assert!(2 * telling > entries, "the bounds are too wide to say anything");
}
