//! Matrix products on one thread: the engine, the crate `matrixmultiply`, the `f32` kernels of the
//! crate `gemm`, those behind faer (`private-gemm-x86`), and those behind rten (`rten-gemm`).

#![allow(unsafe_code, reason = "the other crates' interfaces are ones of raw pointers")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gemm_common::Parallelism;
use mnistry::internals::{Gemm, Product};
use mnistry::measure::{GemmShape, SHAPES};
use mnistry::simd::Isa;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions};
use rten_tensor::Matrix;

type Contestant = Box<dyn FnMut(&mut Product)>;

fn products(criterion: &mut Criterion) {
    // rten-gemm asks rayon for the number of threads.
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build_global()
        .expect("nothing has started rayon's threads");
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
        product.by_matrixmultiply();
        let expected = product.c.clone();
        for (name, mut multiply) in contestants(isa) {
            product.c.fill(f32::NAN);
            multiply(&mut product);
            // What was not computed is NaN still, which is near to nothing.
            let agrees = expected.iter().zip(&product.c).all(|(x, y)| (x - y).abs() <= 1e-3);
            assert!(agrees, "{name} computes another product");
            group.bench_function(name, |bencher| {
                bencher.iter(|| multiply(black_box(&mut product)));
            });
        }
        group.finish();
    }
}

fn contestants(isa: Isa) -> Vec<(&'static str, Contestant)> {
    let mut gemm = Gemm::new(isa);
    let rten = GemmExecutor::default();
    let contestants: Vec<(_, Contestant)> = vec![
        ("mnistry", Box::new(move |product| product.by_engine(&mut gemm))),
        ("matrixmultiply", Box::new(Product::by_matrixmultiply)),
        ("gemm", Box::new(by_gemm)),
        ("rten-gemm", Box::new(move |product| by_rten_gemm(product, &rten))),
    ];
    #[cfg(target_arch = "x86_64")]
    let contestants = with_private_gemm(contestants, isa);
    contestants
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

/// C = A · B by `rten-gemm`.
fn by_rten_gemm(product: &mut Product, rten: &GemmExecutor) {
    let Product { shape, a, b, c } = product;
    let GemmShape { m, n, k, .. } = *shape;
    let [of_a, of_b] = shape.strides().map(|of| [of.row, of.column]);
    let a = Matrix::from_data_with_strides([m, k], &**a, of_a).expect("A has m × k numbers");
    let b = Matrix::from_data_with_strides([k, n], &**b, of_b).expect("B has k × n numbers");
    rten.gemm(c, GemmInputA::Unpacked(a), GemmInputB::Unpacked(b), GemmOptions::default())
        .expect("A, B and C fit");
}

/// The contestants, with `private-gemm-x86` if this CPU has what it needs.
#[cfg(target_arch = "x86_64")]
fn with_private_gemm(
    mut contestants: Vec<(&'static str, Contestant)>,
    isa: Isa,
) -> Vec<(&'static str, Contestant)> {
    let instructions = match isa.name() {
        "avx512" => private_gemm_x86::InstrSet::Avx512,
        "avx2" => private_gemm_x86::InstrSet::Avx256,
        _ => return contestants,
    };
    let by_private_gemm = move |product: &mut Product| by_private_gemm(product, instructions);
    contestants.push(("private-gemm-x86", Box::new(by_private_gemm)));
    contestants
}

/// C = A · B by `private-gemm-x86`.
#[cfg(target_arch = "x86_64")]
fn by_private_gemm(product: &mut Product, instructions: private_gemm_x86::InstrSet) {
    use std::ptr::null;

    use private_gemm_x86::{Accum, DType, DstKind, IType};

    let Product { shape, a, b, c } = product;
    let GemmShape { m, n, k, .. } = *shape;
    assert!(a.len() == m * k && b.len() == k * n && c.len() == m * n);
    let [of_a, of_b] = shape.strides().map(|of| (of.row as isize, of.column as isize));
    // SAFETY: the vectors hold the m × k, k × n and m × n numbers that the strides reach, and the
    // CPU has the instructions, as the engine has found.
    unsafe {
        private_gemm_x86::gemm(
            DType::F32,
            IType::U64,
            instructions,
            m,
            n,
            k,
            c.as_mut_ptr().cast(),
            n as isize,
            1,
            null(), // all rows
            null(), // and all columns of C
            DstKind::Full,
            Accum::Replace,
            a.as_ptr().cast(),
            of_a.0,
            of_a.1,
            false,
            null(), // no diagonal matrix between A and B
            0,
            b.as_ptr().cast(),
            of_b.0,
            of_b.1,
            false,
            (&raw const ALPHA).cast(),
            1,
        );
    }
}

/// The factor of A · B.
#[cfg(target_arch = "x86_64")]
static ALPHA: f32 = 1.0;

criterion_group!(benches, products);
criterion_main!(benches);
