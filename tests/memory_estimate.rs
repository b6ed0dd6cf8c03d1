//! What training and reading are told to need of memory is what an allocator sees them take.
//!
//! One test alone: the allocator counts for the whole process.

#![allow(unsafe_code, reason = "an allocator's interface is unsafe")]

mod generated;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use generated::engine;
use mnistry::image::ImageShape;
use mnistry::model::{Layer, Padding, Window};
use mnistry::{
    Activation, Engine, FitOptions, Network, NoObserver, Optimizer, Sequential, Sgd, Split,
};

/// The system's allocator, counting the bytes that are had.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does everything; counting allocates nothing. What `GlobalAlloc`
// makes of `alloc` otherwise, zeroed and grown memory, comes through it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::SeqCst) + layout.size();
        MOST.fetch_max(now, Ordering::SeqCst);
        // SAFETY: the caller keeps the promises of this very function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::SeqCst);
        // SAFETY: the memory came from `System`, and the caller keeps the promises of this very
        // function.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that `work` had at a time, beyond what there was before.
fn taken(work: impl FnOnce()) -> usize {
    let before = NOW.load(Ordering::SeqCst);
    MOST.store(before, Ordering::SeqCst);
    work();
    MOST.load(Ordering::SeqCst) - before
}

const COUNT: usize = 200;
const SHAPE: ImageShape = ImageShape { height: 28, width: 28 };

/// Images of which every `step`th pixel is not black.
fn images(count: usize, step: usize) -> Split {
    let pixel = |i: usize| if i.is_multiple_of(step) { 200 } else { 0 };
    let pixels: Vec<u8> = (0..count * SHAPE.pixels()).map(pixel).collect();
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    Split::new(SHAPE, pixels.into(), labels.into()).expect("counts match")
}

/// Networks of all kinds, and some that nobody would make.
fn networks() -> Vec<(&'static str, Sequential)> {
    let empty = || Sequential::new(SHAPE);
    let softmax = |network: Sequential| network.dense(10, Activation::Softmax);
    let same = |filters, kernel: [usize; 2]| Layer::Conv2d {
        filters,
        kernel: Window { height: kernel[0], width: kernel[1] },
        stride: Window::square(1),
        padding: Padding::Same,
        activation: Activation::Sigmoid,
    };
    let overlapping = Layer::MaxPool { size: Window::square(3), stride: Some(Window::square(1)) };
    let pools = (0..20).fold(empty(), |network, _| network.max_pool(1));
    vec![
        ("mlp", softmax(empty().dense(100, Activation::Relu))),
        ("linear", softmax(empty())),
        ("wide", softmax(empty().dense(500, Activation::Relu).dense(300, Activation::Relu))),
        ("dropping", softmax(empty().dense(200, Activation::Relu).dropout(0.5))),
        ("lenet5", Sequential::lenet5(SHAPE, 10)),
        ("cnn", Sequential::cnn(SHAPE, 10)),
        ("border", softmax(empty().with(same(3, [20, 10])).max_pool(4).flatten())),
        ("overlap", softmax(empty().conv2d(4, 3, Activation::Relu).with(overlapping).flatten())),
        (
            "average",
            softmax(empty().average_pool(2).dropout(0.3).conv2d(9, 5, Activation::Relu).flatten()),
        ),
        ("pools", softmax(pools.flatten())),
    ]
}

/// Checks that at least what is taken was told, but for a little, and at most a third more; also
/// what as many threads as may be done before others begin take, `spare` bytes.
fn check(name: &str, told: u128, taken: usize, spare: f64) {
    let (told, taken) = (told as f64, taken as f64);
    println!("{name}: {told} told, {taken} taken: {:.3}", told / taken);
    let is_close = told >= 0.95 * taken && told <= 1.3 * taken + spare;
    assert!(is_close, "{name}: {told} told, {taken} taken");
}

#[test]
fn what_is_told_is_what_is_taken() {
    let sgd = Optimizer::Sgd(Sgd { learning_rate: 0.001, momentum: 0.9 });
    let usual = FitOptions { epochs: 1, ..FitOptions::default() };
    let ways = [
        ("usual", usual),
        ("large", FitOptions { batch_size: 40, ..usual }),
        // Enough sparse images to be divided by samples.
        ("many", FitOptions { batch_size: 195, ..usual }),
        ("one", FitOptions { batch_size: 1, optimizer: sgd, ..usual }),
        ("patient", FitOptions { validation_split: 0.5, patience: Some(2), epochs: 2, ..usual }),
    ];
    let splits = [("dark", images(COUNT, 5)), ("bright", images(COUNT, 1))];
    for threads in [1, 3] {
        let engine: Engine = engine(threads);
        for (name, layers) in networks() {
            for (ground, split) in &splits {
                let mut network = Network::new(layers.clone(), 0).expect("a sound network");
                // Threads that begin allocate, whenever they get round to it.
                engine.evaluate(&network, split).expect("it is evaluated");
                let told = engine.estimate_evaluation(&network, split);
                let read = taken(|| {
                    engine.evaluate(&network, split).expect("it is evaluated");
                });
                // Of several threads one may be done before another begins.
                let spare = told as f64 - told as f64 / threads as f64;
                check(&format!("reading {ground} {name} on {threads}"), told, read, spare);
                for (how, options) in &ways {
                    let told = engine.estimate_training(&network, split, options);
                    let taken = taken(|| {
                        engine
                            .fit(&mut network, split, options, &mut NoObserver)
                            .expect("it is trained");
                    });
                    let name = format!("training {ground} {name} {how} on {threads}");
                    // So when pixels are listed.
                    check(&name, told, taken, 0.6e6 * (threads - 1) as f64);
                }
            }
        }
    }
}
