//! Networks and images made by the tests.

#![allow(dead_code, reason = "each test program uses its part")]

use mnistry::GemmBackend;
use mnistry::image::ImageShape;
use mnistry::internals::{Rng, Stream};
use mnistry::model::{Architecture, Layer, Padding, Window};
use mnistry::simd::Isa;
use mnistry::{Activation, Engine, EngineOptions, Network, Sequential, Split};
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) fn engine(threads: usize) -> Engine {
    let options = EngineOptions { threads: Some(threads), ..EngineOptions::default() };
    Engine::new(options).expect("threads")
}

/// Every way to compute that this CPU has, with one to three threads.
pub(crate) fn engines() -> impl Strategy<Value = EngineOptions> {
    let gemm = select(vec![GemmBackend::Engine, GemmBackend::Matrixmultiply]);
    (select(Isa::available()), gemm, 1_usize..=3).prop_map(|(isa, gemm, threads)| EngineOptions {
        isa: Some(isa),
        gemm,
        threads: Some(threads),
    })
}

/// Random images, half of their pixels black, with random labels; the same for the same `seed`.
pub(crate) fn images(shape: ImageShape, count: usize, classes: usize, seed: u64) -> Split {
    let mut rng = Rng::stream(seed, Stream::Shuffle, 0);
    let mut pixel = || if rng.below(2) == 0 { 0 } else { rng.below(256) as u8 };
    let pixels: Vec<u8> = (0..count * shape.pixels()).map(|_| pixel()).collect();
    let labels: Vec<u8> = (0..count).map(|_| rng.below(classes as u32) as u8).collect();
    Split::new(shape, pixels.into(), labels.into()).expect("counts match")
}

/// Images that can be learnt: each class lights a row of its own, under some noise.
pub(crate) fn stripes(shape: ImageShape, count: usize, seed: u64) -> Split {
    let mut rng = Rng::stream(seed, Stream::Shuffle, 1);
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let label = rng.below(shape.height as u32) as usize;
        for row in 0..shape.height {
            for _ in 0..shape.width {
                let light = if row == label { 200 } else { 0 };
                let noise = if rng.below(3) == 0 { rng.below(50) } else { 0 };
                pixels.push((light + noise) as u8);
            }
        }
        labels.push(label as u8);
    }
    Split::new(shape, pixels.into(), labels.into()).expect("counts match")
}

/// A network with random kernels and random biases, as training leaves them.
pub(crate) fn network<A>(architecture: A, seed: u64) -> Network
where
    A: TryInto<Architecture, Error: std::fmt::Debug>,
{
    let architecture = architecture.try_into().expect("layers that fit");
    let fresh = Network::new(architecture.clone(), seed).expect("nothing can fail");
    let mut rng = Rng::stream(seed, Stream::Shuffle, 2);
    let mut tensors = fresh.tensors().to_vec();
    for tensor in tensors.iter_mut().filter(|tensor| tensor.name.ends_with(".bias")) {
        tensor.values.fill_with(|| 0.6 * (rng.unit() - 0.5));
    }
    Network::from_tensors(architecture, tensors).expect("the tensors fit")
}

/// A network whose layers are known to fit.
pub(crate) fn checked(layers: Sequential) -> Architecture {
    Architecture::new(layers).expect("layers that fit")
}

/// Widths of layers, those about a vector's often.
pub(crate) fn widths() -> impl Strategy<Value = usize> {
    prop_oneof![1_usize..=40, 15_usize..=17, Just(32)]
}

/// Numbers of classes: few, or about a vector's width.
pub(crate) fn class_counts() -> impl Strategy<Value = usize> {
    prop_oneof![2_usize..=6, 7_usize..=20, 15_usize..=17]
}

pub(crate) fn shapes() -> impl Strategy<Value = ImageShape> {
    let size = prop_oneof![Just((1, 1)), (1_usize..=7, 1_usize..=5), Just((4, 4))];
    size.prop_map(|(height, width)| ImageShape { height, width })
}

/// Networks whose hidden layers are `hidden`, for any images, classes and last activation.
pub(crate) fn architectures(
    hidden: impl Strategy<Value = Vec<(usize, Activation)>>,
) -> impl Strategy<Value = Architecture> {
    let last = select(vec![Activation::Linear, Activation::Sigmoid, Activation::Softmax]);
    (shapes(), hidden, class_counts(), last).prop_map(|(shape, hidden, classes, last)| {
        let add = |network: Sequential, (units, activation)| network.dense(units, activation);
        checked(hidden.into_iter().fold(Sequential::new(shape), add).dense(classes, last))
    })
}

/// Up to three hidden layers of any kind.
pub(crate) fn any_hidden() -> impl Strategy<Value = Vec<(usize, Activation)>> {
    prop::collection::vec((widths(), hidden_activations()), 0..=3)
}

/// Up to two hidden layers of few units.
pub(crate) fn small_hidden() -> impl Strategy<Value = Vec<(usize, Activation)>> {
    prop::collection::vec((1_usize..=6, hidden_activations()), 0..=2)
}

/// One hidden layer with `activation`.
pub(crate) fn one_hidden(
    activation: Activation,
) -> impl Strategy<Value = Vec<(usize, Activation)>> {
    widths().prop_map(move |units| vec![(units, activation)])
}

fn windows(largest: usize) -> impl Strategy<Value = Window> {
    (1..=largest, 1..=largest).prop_map(|(height, width)| Window { height, width })
}

/// What a hidden layer may apply.
fn hidden_activations() -> impl Strategy<Value = Activation> {
    select(vec![Activation::Linear, Activation::Relu, Activation::Sigmoid])
}

/// Convolutions of any kernel, stride and padding.
pub(crate) fn convolution() -> impl Strategy<Value = Layer> {
    let padding = select(vec![Padding::Valid, Padding::Same]);
    (1_usize..=9, windows(5), windows(2), padding, hidden_activations()).prop_map(
        |(filters, kernel, stride, padding, activation)| Layer::Conv2d {
            filters,
            kernel,
            stride,
            padding,
            activation,
        },
    )
}

/// Max pooling, often of 2 × 2.
pub(crate) fn max_pool() -> impl Strategy<Value = Layer> {
    let two = Just(Layer::MaxPool { size: Window::square(2), stride: None });
    let any = (windows(3), prop::option::of(windows(3)));
    prop_oneof![two, any.prop_map(|(size, stride)| Layer::MaxPool { size, stride })]
}

pub(crate) fn average_pool() -> impl Strategy<Value = Layer> {
    let any = (windows(3), prop::option::of(windows(3)));
    any.prop_map(|(size, stride)| Layer::AveragePool { size, stride })
}

/// Up to four layers that see images.
pub(crate) fn any_image_layers() -> impl Strategy<Value = Vec<Layer>> {
    let layer = prop_oneof![
        3 => convolution(),
        2 => max_pool(),
        1 => average_pool(),
        1 => Just(Layer::Dropout { rate: 0.25 }),
    ];
    prop::collection::vec(layer, 1..=4)
}

/// Networks that begin with those of `layers` that fit each other, and may have a hidden dense
/// layer.
pub(crate) fn image_networks(
    layers: impl Strategy<Value = Vec<Layer>>,
) -> impl Strategy<Value = Architecture> {
    let shape = (3_usize..=9, 3_usize..=9).prop_map(|(height, width)| ImageShape { height, width });
    let hidden = prop::option::of((1_usize..=20, hidden_activations(), any::<bool>()));
    (shape, layers, hidden, class_counts()).prop_map(|(shape, layers, hidden, classes)| {
        let mut network = those_that_fit(Sequential::new(shape), layers).flatten();
        if let Some((units, activation, drops)) = hidden {
            network = network.dense(units, activation);
            if drops {
                network = network.dropout(0.5);
            }
        }
        checked(network.dense(classes, Activation::Softmax))
    })
}

/// Networks of few numbers that see images.
pub(crate) fn small_image_networks() -> impl Strategy<Value = Architecture> {
    let shape = (2_usize..=4, 2_usize..=4).prop_map(|(height, width)| ImageShape { height, width });
    let few = convolution().prop_map(|mut layer| {
        if let Layer::Conv2d { filters, .. } = &mut layer {
            *filters = 1 + *filters % 3;
        }
        layer
    });
    let layers = prop::collection::vec(prop_oneof![few, max_pool(), average_pool()], 1..=3);
    (shape, layers, 2_usize..=4).prop_map(|(shape, layers, classes)| {
        let network = those_that_fit(Sequential::new(shape), layers).flatten();
        checked(network.dense(classes, Activation::Softmax))
    })
}

/// Networks whose second convolution is computed by minimal filtering: 3 × 3 of many channels, over
/// even sides.
pub(crate) fn wide_image_networks() -> impl Strategy<Value = Architecture> {
    let side = || select(vec![4_usize, 6, 8]);
    let shape = (side(), side()).prop_map(|(height, width)| ImageShape { height, width });
    let wide = || {
        let padding = select(vec![Padding::Valid, Padding::Same]);
        (12_usize..=18, padding, hidden_activations()).prop_map(|(filters, padding, activation)| {
            let (kernel, stride) = (Window::square(3), Window::square(1));
            Layer::Conv2d { filters, kernel, stride, padding, activation }
        })
    };
    let last = prop_oneof![
        Just(Layer::MaxPool { size: Window::square(2), stride: None }),
        average_pool(),
        wide()
    ];
    (shape, wide(), wide(), last, 2_usize..=4).prop_map(|(shape, first, second, last, classes)| {
        let layers = vec![first, second, last];
        checked(
            those_that_fit(Sequential::new(shape), layers)
                .flatten()
                .dense(classes, Activation::Softmax),
        )
    })
}

/// `network` with those of `layers` that fit each other.
fn those_that_fit(network: Sequential, layers: Vec<Layer>) -> Sequential {
    layers.into_iter().fold(network, |network, layer| {
        let more = network.clone().with(layer);
        let whole = more.clone().flatten().dense(1, Activation::Linear);
        if Architecture::new(whole).is_ok() { more } else { network }
    })
}
