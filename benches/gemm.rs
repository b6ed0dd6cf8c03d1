//! Matrix products on one thread: the engine's, and those of the crate `matrixmultiply`.
//! `gemm_peers.rs` has those of more crates, in turns.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mnistry::internals::{Gemm, Product};
use mnistry::measure::{GemmShape, SHAPES};
use mnistry::simd::Isa;

fn products(criterion: &mut Criterion) {
    let isa = Isa::detect().expect("MNISTRY_ISA names an instruction set of this CPU");
    let mut gemm = Gemm::new(isa);
    for shape in SHAPES {
        let GemmShape { m, n, k, operands } = shape;
        let name = format!("{} {m} × {n} × {k}", operands.formula());
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        group.warm_up_time(Duration::from_millis(100));
        group.measurement_time(Duration::from_millis(500));
        group.throughput(Throughput::Elements(shape.operations() as u64));
        let mut product = Product::random(shape);
        group.bench_function("mnistry", |bencher| {
            bencher.iter(|| black_box(&mut product).by_engine(&mut gemm));
        });
        group.bench_function("matrixmultiply", |bencher| {
            bencher.iter(|| black_box(&mut product).by_matrixmultiply());
        });
        group.finish();
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
