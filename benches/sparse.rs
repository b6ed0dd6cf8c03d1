//! The input layer without zeros against the dense one: on digits, and on noise of rising density,
//! which shows up to where leaving zeros out pays.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use mnistry::Split;
use mnistry::data::Bytes;
use mnistry::data::generated::generate;
use mnistry::image::ImageShape;
use mnistry::internals::{InputLayer, Rng, Stream, Zeros};
use mnistry::simd::Isa;

const IMAGES: usize = 32;
const UNITS: usize = 100;

fn digits(criterion: &mut Criterion) {
    let digits = generate(0, IMAGES, 10).expect("enough images").train;
    let mut group = group(criterion, "digits");
    compare(&mut group, &digits, "");
}

fn densities(criterion: &mut Criterion) {
    let mut group = group(criterion, "noise");
    for percent in [5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100] {
        compare(&mut group, &noise(percent), &format!("{percent} %"));
    }
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(100));
    group.measurement_time(Duration::from_millis(300));
    group
}

fn compare(group: &mut BenchmarkGroup<'_, WallTime>, minibatch: &Split, name: &str) {
    let isa = Isa::detect().expect("MNISTRY_ISA names an instruction set of this CPU");
    let mut layer = InputLayer::new(isa, minibatch, UNITS);
    for (zeros, how) in [(Zeros::Skipped, "sparse"), (Zeros::Multiplied, "dense")] {
        group.bench_function(BenchmarkId::new(format!("forward {how}"), name), |bencher| {
            bencher.iter(|| layer.forward(zeros)[0]);
        });
        group.bench_function(BenchmarkId::new(format!("gradient {how}"), name), |bencher| {
            bencher.iter(|| layer.gradient(zeros)[0]);
        });
    }
}

/// Images of which `percent` pixels are not zero, anywhere.
fn noise(percent: u32) -> Split {
    let mut rng = Rng::stream(0, Stream::Digit, 0);
    let shape = ImageShape { height: 28, width: 28 };
    let pixel = |_| if rng.below(100) < percent { 1 + rng.below(255) as u8 } else { 0 };
    let pixels: Vec<u8> = (0..IMAGES * shape.pixels()).map(pixel).collect();
    Split::new(shape, Bytes::from(pixels), Bytes::from(vec![0; IMAGES])).expect("whole images")
}

criterion_group!(benches, digits, densities);
criterion_main!(benches);
