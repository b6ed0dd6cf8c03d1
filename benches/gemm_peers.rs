//! Matrix products on one thread, the engine's beside those of other crates: `matrixmultiply`, the `f32`
//! kernels of `gemm`, those behind rten (`rten-gemm`) and behind faer (`private-gemm-x86`).
//!
//! With `MNISTRY_ISA=avx2`, `gemm` and `private-gemm-x86` are held to AVX2 too; the other two offer no
//! stable way to do that, and choose for themselves. All take turns of a few milliseconds on the same
//! operands, so what else the machine does, and where those stand, meets each of them. Prints medians in
//! 10⁹ operations a second, in brackets the quartiles.

#![allow(unsafe_code, reason = "the other crates' interfaces are ones of raw pointers")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use gemm_common::Parallelism;
use gemm_f32::gemm::f32::get_gemm_fn;
use mnistry::internals::{Gemm, Product};
use mnistry::measure::{GemmShape, SHAPES};
use mnistry::simd::Isa;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions};
use rten_tensor::Matrix;

/// Who computes a product.
struct Contestant {
    name: &'static str,
    multiply: Box<dyn FnMut(&mut Product)>,
}

const TURNS: usize = 41;
const TURN: Duration = Duration::from_millis(4);

fn main() {
    // rten-gemm asks rayon for the number of threads.
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build_global()
        .expect("nothing has started rayon's threads");
    let isa = Isa::detect().expect("MNISTRY_ISA names an instruction set of this CPU");
    // Cargo says so where it is to measure, and does not where it tests.
    let turns = if std::env::args().any(|argument| argument == "--bench") { TURNS } else { 1 };
    let mut contestants = contestants(isa);
    let names: Vec<_> = contestants.iter().map(|contestant| contestant.name).collect();
    println!("| {} | {} |", isa.name(), names.join(" | "));
    println!("| --- |{}", " ---: |".repeat(names.len()));
    for shape in SHAPES {
        let rates = in_turns(&mut contestants, shape, turns);
        let cells: Vec<_> = rates.into_iter().map(summary).collect();
        println!("| {shape} | {} |", cells.join(" | "));
    }
}

/// The rates of each of the contestants, in 10⁹ operations a second, turn by turn.
fn in_turns(contestants: &mut [Contestant], shape: GemmShape, turns: usize) -> Vec<Vec<f64>> {
    // One for all: where its operands stand in memory can make a tenth of the rate.
    let mut product = Product::random(shape);
    product.by_matrixmultiply();
    let expected = product.c.clone();
    for Contestant { name, multiply } in &mut *contestants {
        product.c.fill(f32::NAN);
        multiply(&mut product);
        // What was not computed is NaN still, which is near to nothing.
        let agrees = expected.iter().zip(&product.c).all(|(x, y)| (x - y).abs() <= 1e-3);
        assert!(agrees, "{name} computes another product");
    }
    let mut rates = vec![Vec::new(); contestants.len()];
    for _ in 0..turns {
        for (Contestant { multiply, .. }, rates) in contestants.iter_mut().zip(&mut rates) {
            let (start, mut count) = (Instant::now(), 0);
            while start.elapsed() < TURN {
                multiply(black_box(&mut product));
                count += 1;
            }
            let operations = shape.operations() as f64 * f64::from(count);
            rates.push(operations / start.elapsed().as_secs_f64() / 1e9);
        }
    }
    rates
}

/// The median, and the quartiles in brackets.
fn summary(mut rates: Vec<f64>) -> String {
    rates.sort_by(f64::total_cmp);
    let [low, median, high] = [1, 2, 3].map(|quarter| rates[quarter * (rates.len() - 1) / 4]);
    format!("{median:.1} ({low:.1}–{high:.1})")
}

fn contestants(isa: Isa) -> Vec<Contestant> {
    let mut gemm = Gemm::new(isa);
    let rten = GemmExecutor::default();
    let contestants = vec![
        Contestant {
            name: "mnistry",
            multiply: Box::new(move |product| product.by_engine(&mut gemm)),
        },
        Contestant { name: "matrixmultiply", multiply: Box::new(Product::by_matrixmultiply) },
        Contestant { name: "gemm", multiply: Box::new(move |product| by_gemm(product, isa)) },
        Contestant {
            name: "rten-gemm",
            multiply: Box::new(move |product| by_rten_gemm(product, &rten)),
        },
    ];
    #[cfg(target_arch = "x86_64")]
    let contestants = with_private_gemm(contestants, isa);
    contestants
}

/// C = A · B by the kernels of the crate `gemm`, by AVX2 where that is `isa`.
fn by_gemm(product: &mut Product, isa: Isa) {
    let Product { shape, a, b, c } = product;
    let GemmShape { m, n, k, .. } = *shape;
    assert!(a.len() == m * k && b.len() == k * n && c.len() == m * n);
    let [of_a, of_b] = shape.strides().map(|of| (of.row as isize, of.column as isize));
    #[cfg(target_arch = "x86_64")]
    let multiply = if isa.name() == "avx2" { gemm_by_avx2 } else { get_gemm_fn() };
    #[cfg(not(target_arch = "x86_64"))]
    let (multiply, _) = (get_gemm_fn(), isa);
    // Its kernels write columns, so for rows of C it is asked, as the crate itself would, for the
    // transposed product Bᵀ · Aᵀ.
    // SAFETY: the vectors hold the m × k, k × n and m × n numbers that the strides reach, and the
    // CPU has the instructions, as the engine has found.
    unsafe {
        multiply(
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

/// What [`get_gemm_fn`] gives on a CPU that has AVX2 and nothing later.
///
/// # Safety
/// As for what that gives.
#[cfg(target_arch = "x86_64")]
#[allow(clippy::too_many_arguments, reason = "those of the crate")]
unsafe fn gemm_by_avx2(
    m: usize,
    n: usize,
    k: usize,
    c: *mut f32,
    c_column: isize,
    c_row: isize,
    reads_c: bool,
    a: *const f32,
    a_column: isize,
    a_row: isize,
    b: *const f32,
    b_column: isize,
    b_row: isize,
    alpha: f32,
    beta: f32,
    conj_c: bool,
    conj_a: bool,
    conj_b: bool,
    parallelism: Parallelism,
) {
    use gemm_common::gemm::gemm_basic_generic;
    use gemm_common::simd::{MixedSimd, V3};
    use gemm_f32::microkernel::fma::f32::{H_M, H_N, H_UKR, MR_DIV_N, NR, UKR};

    /// Numbers in a register.
    const N: usize = 8;
    let v3 = <V3 as MixedSimd<f32, f32, f32, f32>>::try_new().expect("AVX2");
    // SAFETY: the caller vouches for it.
    unsafe {
        gemm_basic_generic::<_, f32, N, { MR_DIV_N * N }, NR, MR_DIV_N, H_M, H_N>(
            v3,
            m,
            n,
            k,
            c,
            c_column,
            c_row,
            reads_c,
            a,
            a_column,
            a_row,
            b,
            b_column,
            b_row,
            alpha,
            beta,
            conj_c,
            conj_a,
            conj_b,
            |a, b, c| a * b + c,
            &UKR,
            &H_UKR,
            false,
            parallelism,
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
fn with_private_gemm(mut contestants: Vec<Contestant>, isa: Isa) -> Vec<Contestant> {
    let instructions = match isa.name() {
        "avx512" => private_gemm_x86::InstrSet::Avx512,
        "avx2" => private_gemm_x86::InstrSet::Avx256,
        _ => return contestants,
    };
    contestants.push(Contestant {
        name: "private-gemm-x86",
        multiply: Box::new(move |product| by_private_gemm(product, instructions)),
    });
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
