//! Matrix products on one thread: the engine, the crate `matrixmultiply`, and the `f32` kernels of
//! the crate `gemm`.

#![allow(unsafe_code, reason = "the other crates' interfaces are ones of raw pointers")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gemm_common::Parallelism;
use mnistry::internals::{Gemm, Product};
use mnistry::measure::{GemmShape, SHAPES};
use mnistry::simd::Isa;

fn products(criterion: &mut Criterion) {
    let isa = Isa::detect().expect("MNISTRY_ISA names an instruction set of this CPU");
    for shape in SHAPES {
        let GemmShape { m, n, k, operands } = shape;
        let name = format!("{} {m} × {n} × {k}", operands.formula());
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        group.warm_up_time(Duration::from_millis(100));
        group.measurement_time(Duration::from_millis(500));
        group.throughput(Throughput::Elements(shape.operations() as u64));
        let mut product = Product::random(shape);
        let mut gemm = Gemm::new(isa);
        group.bench_function("mnistry", |bencher| {
            bencher.iter(|| black_box(&mut product).by_engine(&mut gemm));
        });
        group.bench_function("matrixmultiply", |bencher| {
            bencher.iter(|| black_box(&mut product).by_matrixmultiply());
        });
        group.bench_function("gemm", |bencher| {
            bencher.iter(|| by_gemm(black_box(&mut product)));
        });
        group.finish();
    }
}

/// C = A · B by the kernels of the crate `gemm`.
fn by_gemm(product: &mut Product) {
    let Product { shape, a, b, c } = product;
    let GemmShape { m, n, k, .. } = *shape;
    assert!(a.len() == m * k && b.len() == k * n && c.len() == m * n);
    let [of_a, of_b] = shape.strides().map(|of| (of.row as isize, of.column as isize));
    // Its kernels write columns, so for rows of C it is asked, as the crate itself would, for the
    // transposed product Bᵀ · Aᵀ.
    // SAFETY: the vectors hold the m × k, k × n and m × n numbers that the strides reach.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            n,
            m,
            k,
            c.as_mut_ptr(),
            n as isize,
            1,
            false,
            b.as_ptr(),
            of_b.0,
            of_b.1,
            a.as_ptr(),
            of_a.0,
            of_a.1,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
