//! The engine's gradients against central differences of the reference, as properties over random
//! networks; and the proof that the comparison would catch a gradient wrong in one entry.

mod generated;
mod reference;

use generated::{
    any_hidden, any_image_layers, architectures, average_pool, convolution, engines,
    image_networks, images, max_pool, one_hidden,
};
use mnistry::model::{Architecture, Layer};
use mnistry::train::Gradients;
use mnistry::{Activation, Engine, EngineOptions, Network, Split};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use reference::{Entry, Reference, Slope};

/// A gradient in f32 may differ from the true one by this share of the size of its terms (see
/// [`Slope::terms`]), the largest among the tensor's entries: 64 roundings that all err the same
/// way.
///
/// Each term is a product of factors that carry the rounding of a sum over a layer: up to 40
/// additions, over up to four layers there and back, some 300 roundings of either sign, of which
/// about √300 = 17 remain. The tensor's largest terms stand for those of each entry, since paths
/// through the layers above may cancel in ∂z/∂w as well.
const RELATIVE: f64 = 64.0 / 16_777_216.0;
/// What central differences in f64 may be wrong by.
const ABSOLUTE: f64 = 2e-9;
/// What the loss may be wrong by, as a share of one plus the loss.
const LOSS: f64 = 1e-6;
/// A ReLU applied to less than this may be on the other side of its kink in f32.
const NEAR_KINK: f64 = 1e-5;

/// At most this many entries of a tensor are compared.
const ENTRIES: usize = 12;

#[derive(Debug)]
struct Case {
    engine: EngineOptions,
    network: Network,
    split: Split,
    /// Picks the entries.
    seed: u64,
}

/// What one entry of the gradient must be.
#[derive(Debug)]
struct Expected {
    entry: Entry,
    slope: f64,
    tolerance: f64,
}

fn cases(architectures: impl Strategy<Value = Architecture>) -> impl Strategy<Value = Case> {
    let seed = any::<u64>().no_shrink();
    (engines(), architectures, 1_usize..=40, seed).prop_map(
        |(engine, architecture, batch, seed)| {
            let split = images(architecture.input(), batch, architecture.classes(), seed);
            Case { engine, network: generated::network(architecture, seed), split, seed }
        },
    )
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

/// Some whole sixteens of samples, and some short ones.
fn image_cases(layers: impl Strategy<Value = Vec<Layer>>) -> impl Strategy<Value = Case> {
    let seed = any::<u64>().no_shrink();
    let batch = prop_oneof![1_usize..=6, Just(16), 17_usize..=20];
    (engines(), image_networks(layers), batch, seed).prop_map(
        |(engine, architecture, batch, seed)| {
            let split = images(architecture.input(), batch, architecture.classes(), seed);
            Case { engine, network: generated::network(architecture, seed), split, seed }
        },
    )
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

/// Up to [`ENTRIES`] of each tensor, spread by `seed`.
fn pick_entries(network: &Network, seed: u64) -> impl Iterator<Item = Entry> {
    network.tensors().iter().enumerate().flat_map(move |(tensor, values)| {
        let length = values.values.len();
        let count = length.min(ENTRIES);
        // A stride through the tensor from a random start meets no entry twice.
        let (start, stride) = (seed as usize % length, length / count);
        (0..count).map(move |i| Entry { tensor, index: (start + i * stride) % length })
    })
}

/// What the reference says of the entries picked; rejects a case too near to a kink.
fn expect(case: &Case) -> Result<Vec<Expected>, TestCaseError> {
    let mut reference = Reference::new(&case.network);
    prop_assume!(reference.nearest_kink(&case.split) > NEAR_KINK);
    let entries: Vec<Entry> = pick_entries(&case.network, case.seed).collect();
    let slopes: Vec<(Entry, Slope)> = entries
        .iter()
        .filter_map(|&entry| Some((entry, reference.slope(entry, &case.split)?)))
        .collect();
    prop_assert!(4 * slopes.len() >= 3 * entries.len(), "too many entries at kinks");
    let largest_terms = |tensor| {
        let terms = slopes.iter().filter(|(entry, _)| entry.tensor == tensor);
        terms.map(|(_, slope)| slope.terms).fold(0.0, f64::max)
    };
    Ok(slopes
        .iter()
        .map(|&(entry, slope)| Expected {
            entry,
            slope: slope.value,
            tolerance: RELATIVE * largest_terms(entry.tensor) + ABSOLUTE,
        })
        .collect())
}

/// Compares `gradients` with what is `expected` of them.
fn compare(expected: &[Expected], gradients: &Gradients) -> Result<(), TestCaseError> {
    for Expected { entry, slope, tolerance } in expected {
        let tensor = &gradients.tensors[entry.tensor];
        let found = f64::from(tensor.values[entry.index]);
        prop_assert!(
            (found - slope).abs() <= *tolerance,
            "{}[{}]: {found:e}, not {slope:e} ± {tolerance:e}",
            tensor.name,
            entry.index
        );
    }
    Ok(())
}

fn compare_loss(expected: f64, found: f64) -> Result<(), TestCaseError> {
    let tolerance = LOSS * (1.0 + expected);
    prop_assert!((found - expected).abs() <= tolerance, "loss {found}, not {expected}");
    Ok(())
}

fn gradients(case: &Case) -> Gradients {
    let engine = Engine::new(case.engine).expect("threads");
    engine.gradients(&case.network, &case.split).expect("the network fits")
}

/// The engine agrees with the reference.
fn agrees(case: &Case) -> Result<(), TestCaseError> {
    let gradients = gradients(case);
    compare(&expect(case)?, &gradients)?;
    compare_loss(Reference::new(&case.network).loss(&case.split), gradients.loss)
}

/// A gradient that differs in the entry that `which` picks, by a hundredth of the largest in its
/// tensor, does not pass.
fn catches(case: &Case, which: Index) -> Result<(), TestCaseError> {
    let expected = expect(case)?;
    let mut gradients = gradients(case);
    compare(&expected, &gradients)?;
    let largest_slope = |tensor| {
        let same = expected.iter().filter(|expected| expected.entry.tensor == tensor);
        same.map(|expected| expected.slope.abs()).fold(0.0, f64::max)
    };
    // Of black images alone, the first kernel's gradient is zero and has nothing large.
    let reached: Vec<_> =
        expected.iter().filter(|expected| largest_slope(expected.entry.tensor) > 0.0).collect();
    let wrong = which.get(&reached);
    let largest = largest_slope(wrong.entry.tensor);
    gradients.tensors[wrong.entry.tensor].values[wrong.entry.index] += 0.01 * largest as f32;
    prop_assert!(compare(&expected, &gradients).is_err(), "{wrong:?} passed wrong by 1 %");
    let wrong_loss = gradients.loss * (1.0 + 1e-5) + 1e-5;
    prop_assert!(compare_loss(gradients.loss, wrong_loss).is_err());
    Ok(())
}

/// For each kind of network two properties, over `$cases` cases.
macro_rules! properties {
    ($($kind:ident: $cases:expr;)*) => {$(
        mod $kind {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig {
                    cases: $cases,
                    // A comparison that seldom takes place would prove nothing.
                    max_global_rejects: $cases / 2,
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
    conv2d: 100;
    max_pooling: 100;
    average_pooling: 60;
    whole_image_networks: 100;
}
