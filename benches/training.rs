//! Training on generated digits, an epoch at a time, on all threads; the preparation of the images
//! is left out.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mnistry::data::generated::generate;
use mnistry::internals::{BATCH_SIZES, training_networks};
use mnistry::{Engine, EngineOptions, FitOptions, Network, NoObserver};

/// Whole minibatches of every size.
const IMAGES: usize = 5_120;

fn epochs(criterion: &mut Criterion) {
    let digits = generate(0, IMAGES, 10).expect("enough images").train;
    let engine = Engine::new(EngineOptions::default()).expect("an engine with all threads");
    for (name, layers) in training_networks(digits.shape(), digits.classes()) {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        group.warm_up_time(Duration::from_millis(200));
        group.measurement_time(Duration::from_secs(1));
        group.throughput(Throughput::Elements(IMAGES as u64));
        for batch_size in BATCH_SIZES {
            let network = Network::new(layers.clone(), 0).expect("a network that can be trained");
            group.bench_function(BenchmarkId::new("batch", batch_size), |bencher| {
                bencher.iter_custom(|epochs| {
                    let epochs = epochs as usize;
                    let options = FitOptions { epochs, batch_size, ..FitOptions::default() };
                    let history =
                        engine.fit(&mut network.clone(), &digits, &options, &mut NoObserver);
                    let history = history.expect("training succeeds");
                    let seconds: f64 = history.epochs.iter().map(|epoch| epoch.seconds).sum();
                    Duration::from_secs_f64(seconds)
                });
            });
        }
    }
}

criterion_group!(benches, epochs);
criterion_main!(benches);
