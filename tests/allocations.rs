//! A step of training allocates nothing, on any thread.
//!
//! One test alone: the allocator counts for the whole process.

#![allow(unsafe_code, reason = "an allocator's interface is unsafe")]

mod generated;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use generated::{engine, images};
use mnistry::image::ImageShape;
use mnistry::train::{Observer, Progress};
use mnistry::{
    Activation, Adam, FitOptions, Network, NoObserver, Optimizer, Sequential, Sgd, Split,
};

/// The system's allocator, counting.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

fn allocations() -> usize {
    ALLOCATIONS.load(Ordering::SeqCst)
}

// SAFETY: the system's allocator does everything; counting allocates nothing. What `GlobalAlloc`
// makes of `alloc` otherwise, zeroed and grown memory, comes through it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller keeps the promises of this very function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the memory came from `System`, and the caller keeps the promises of this very
        // function.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations there had been after the first step, and after the last.
#[derive(Default)]
struct Counts {
    steps: usize,
    first: usize,
    last: usize,
}

impl Observer for Counts {
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.steps = progress.step;
        self.last = allocations();
        if progress.step == 1 {
            self.first = self.last;
        }
        ControlFlow::Continue(())
    }
}

const SHAPE: ImageShape = ImageShape { height: 9, width: 9 };

/// As many images without a black pixel.
fn bright(count: usize) -> Split {
    let pixels: Vec<u8> = (0..count * SHAPE.pixels()).map(|i| 1 + (i % 251) as u8).collect();
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    Split::new(SHAPE, pixels.into(), labels.into()).expect("counts match")
}

/// As many, black but for every fifth pixel.
fn dark(count: usize) -> Split {
    let pixels: Vec<u8> =
        (0..count * SHAPE.pixels()).map(|i| if i % 5 == 0 { 200 } else { 0 }).collect();
    let labels = images(SHAPE, count, 10, 0).labels().to_vec();
    Split::new(SHAPE, pixels.into(), labels.into()).expect("counts match")
}

#[test]
fn a_step_allocates_nothing() {
    const SAMPLES: usize = 1000;
    let adam = Optimizer::Adam(Adam::default());
    let sgd = Optimizer::Sgd(Sgd { learning_rate: 0.01, momentum: 0.9 });
    let dense = Sequential::new(SHAPE)
        .dense(40, Activation::Relu)
        .dropout(0.5)
        .dense(20, Activation::Sigmoid)
        .dense(10, Activation::Softmax);
    let images = Sequential::new(SHAPE)
        .conv2d(5, 3, Activation::Relu)
        .max_pool(2)
        .dropout(0.25)
        .conv2d(7, 2, Activation::Sigmoid)
        .average_pool(2)
        .flatten()
        .dense(10, Activation::Softmax);
    // A thread that begins or ends allocates, whenever it gets round to it: all have begun when a
    // run is over, and none ends before the test does.
    let engines = [engine(1), engine(2)];
    for engine in &engines {
        let mut network = Network::new(dense.clone(), 0).expect("a sound network");
        let options = FitOptions { epochs: 1, ..FitOptions::default() };
        engine.fit(&mut network, &dark(64), &options, &mut NoObserver).expect("training succeeds");
    }
    // Sparse and dense input, and images.
    for (split, architecture) in
        [(dark(SAMPLES), &dense), (bright(SAMPLES), &dense), (dark(SAMPLES), &images)]
    {
        for (engine, optimizer) in engines.iter().flat_map(|engine| [(engine, adam), (engine, sgd)])
        {
            // The last minibatch is a short one.
            let options =
                FitOptions { epochs: 1, batch_size: 7, optimizer, ..FitOptions::default() };
            let mut network = Network::new(architecture.clone(), 0).expect("a sound network");
            let before = allocations();
            let mut counts = Counts::default();
            engine.fit(&mut network, &split, &options, &mut counts).expect("training succeeds");
            assert!(counts.first > before, "the counter does not count");
            assert_eq!(counts.steps, 143);
            let more = counts.last - counts.first;
            let threads = engine.threads();
            assert_eq!(
                more, 0,
                "allocations with {threads} threads and {optimizer:?} in {architecture:?}"
            );
        }
    }
}
