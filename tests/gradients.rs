//! The engine's gradients against central differences of the reference, as properties over random
//! networks; and the proof that the comparison would catch a gradient wrong in one entry.
//!
//! What they may differ by is what the roundings of f32 may amount to at worst, derived for each
//! entry in `reference/bounds.rs`: no case fails by chance. `MNISTRY_GRADIENT_CASES` is by how much
//! to multiply the number of cases.

mod generated;
mod reference;

use generated::{
    any_hidden, any_image_layers, architectures, average_pool, convolution, engines,
    image_networks, images, max_pool, one_hidden,
};
use mnistry::model::{Architecture, Layer};
use mnistry::train::{ClassWeights, Gradients};
use mnistry::{Activation, Engine, EngineOptions, Network, Split};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use reference::Reference;

/// At most this many entries of a tensor are compared.
const ENTRIES: usize = 12;

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

/// What the gradient and the loss must be.
#[derive(Debug)]
struct Expected {
    slopes: Vec<Slope>,
    loss: f64,
    /// By how much the loss may differ.
    loss_bound: f64,
}

/// What one entry of the gradient must be.
#[derive(Clone, Copy, Debug)]
struct Slope {
    tensor: usize,
    index: usize,
    value: f64,
    /// By how much it may differ.
    bound: f64,
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

/// Some whole sixteens of samples, and some short ones.
fn image_cases(layers: impl Strategy<Value = Vec<Layer>>) -> impl Strategy<Value = Case> {
    let seed = any::<u64>().no_shrink();
    let batch = prop_oneof![1_usize..=6, Just(16), 17_usize..=20];
    (engines(), image_networks(layers), batch, seed).prop_map(case)
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

/// Up to [`ENTRIES`] of the `length` numbers of a tensor, spread by `seed`.
fn pick_entries(length: usize, seed: u64) -> impl Iterator<Item = usize> {
    let count = length.min(ENTRIES);
    // A stride through the tensor from a random start meets no entry twice.
    let (start, stride) = (seed as usize % length, length / count);
    (0..count).map(move |i| (start + i * stride) % length)
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

/// What the reference says of the entries picked; rejects a case too near to a kink.
fn expect(case: &Case) -> Result<Expected, TestCaseError> {
    let mut reference = Reference::new(&case.network);
    if case.is_balanced {
        reference.class_weights = balanced(&case.split, case.network.architecture().classes());
    }
    let Some(bounds) = reference.bounds(&case.split) else {
        return Err(TestCaseError::reject("f32 may take the other side of a kink"));
    };
    let (mut slopes, mut picked) = (Vec::new(), 0);
    for (tensor, gradient) in bounds.gradient.iter().enumerate() {
        let entries: Vec<usize> = pick_entries(gradient.len(), case.seed).collect();
        picked += entries.len();
        let values = reference.slopes(tensor, entries.iter().copied(), &case.split);
        slopes.extend(entries.iter().zip(values).filter_map(|(&index, value)| {
            let bound = gradient[index] + bounds.difference();
            Some(Slope { tensor, index, value: value?, bound })
        }));
    }
    prop_assume!(4 * slopes.len() >= 3 * picked, "too many entries at kinks");
    Ok(Expected { slopes, loss: reference.loss(&case.split), loss_bound: bounds.loss })
}

/// Compares `gradients` with what is `expected` of them.
fn compare(expected: &Expected, gradients: &Gradients) -> Result<(), TestCaseError> {
    for Slope { tensor, index, value, bound } in &expected.slopes {
        let tensor = &gradients.tensors[*tensor];
        let found = f64::from(tensor.values[*index]);
        prop_assert!(
            (found - value).abs() <= *bound,
            "{}[{index}]: {found:e}, not {value:e} ± {bound:e}",
            tensor.name,
        );
    }
    let (found, Expected { loss, loss_bound, .. }) = (gradients.loss, expected);
    prop_assert!((found - loss).abs() <= *loss_bound, "loss {found}, not {loss} ± {loss_bound:e}");
    Ok(())
}

fn gradients(case: &Case) -> Gradients {
    let engine = Engine::new(case.engine).expect("threads");
    let found = match case.is_balanced {
        false => engine.gradients(&case.network, &case.split),
        true => engine.weighted_gradients(&case.network, &case.split, ClassWeights::Balanced),
    };
    found.expect("the network fits")
}

/// The engine agrees with the reference.
fn agrees(case: &Case) -> Result<(), TestCaseError> {
    compare(&expect(case)?, &gradients(case))
}

/// A gradient that differs in the entry that `which` picks, by a hundredth of the largest in its
/// tensor, does not pass; nor does a loss that differs.
fn catches(case: &Case, which: Index) -> Result<(), TestCaseError> {
    let expected = expect(case)?;
    let gradients = gradients(case);
    compare(&expected, &gradients)?;
    let largest_slope = |tensor| {
        let same = expected.slopes.iter().filter(|slope| slope.tensor == tensor);
        same.map(|slope| slope.value.abs()).fold(0.0, f64::max)
    };
    // Of black images alone, the first kernel's gradient is zero and has nothing large.
    let reached: Vec<_> =
        expected.slopes.iter().filter(|slope| largest_slope(slope.tensor) > 0.0).collect();
    let Slope { tensor, index, bound, .. } = **which.get(&reached);
    let mut wrong = gradients.clone();
    wrong.tensors[tensor].values[index] += fault(0.01 * largest_slope(tensor), bound) as f32;
    prop_assert!(compare(&expected, &wrong).is_err(), "[{tensor}][{index}] passed wrong by 1 %");
    let wrong = Gradients { loss: gradients.loss + fault(1e-5, expected.loss_bound), ..gradients };
    prop_assert!(compare(&expected, &wrong).is_err(), "a wrong loss passed");
    Ok(())
}

/// `size`, or what surely shows where that is less: twice the bound, as what it is added to may
/// be wrong by the bound already, and half a bound more for the rounding of the sum.
fn fault(size: f64, bound: f64) -> f64 {
    size.max(2.5 * bound)
}

/// How many times as many cases as usual `MNISTRY_GRADIENT_CASES` asks for.
fn times() -> u32 {
    let asked = std::env::var("MNISTRY_GRADIENT_CASES");
    asked.map_or(1, |times| times.parse().expect("MNISTRY_GRADIENT_CASES is a number"))
}

/// For each kind of network two properties, over `$cases` cases.
macro_rules! properties {
    ($($kind:ident: $cases:expr;)*) => {$(
        mod $kind {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig {
                    cases: $cases * times(),
                    // A comparison that seldom takes place would prove nothing.
                    max_global_rejects: $cases * times() / 2,
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
}
