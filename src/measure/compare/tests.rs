//! Comparisons of measurements that were made up.

use super::super::gemm::{GemmRate, GemmRounds, Operands, Shape};
use super::super::{Build, Conditions, FmaPeak, PeakRounds, TrainingRate};
use super::*;
use crate::kernels::gemm::GemmBackend;

/// Twelve rounds about `rate` that differ by one per cent.
fn rounds(rate: f64) -> Vec<f64> {
    (0..12).map(|round| rate * (1.0 + 0.001 * f64::from(round * 5 % 11))).collect()
}

/// Of one product, and of what no change of the engine touches.
fn measured(gemm: f64, matrixmultiply: f64) -> Measurements {
    let machine = Machine {
        cpu: Some("Some CPU".into()),
        logical_cpus: 2,
        architecture: "x86_64".into(),
        os: "linux".into(),
    };
    let shape = Shape { m: 32, n: 100, k: 784, operands: Operands::Plain };
    let product = GemmRate {
        shape,
        threads: 1,
        gflops: gemm,
        matrixmultiply_gflops: matrixmultiply,
        rounds: GemmRounds { gflops: rounds(gemm), matrixmultiply_gflops: rounds(matrixmultiply) },
    };
    Measurements {
        format: Measurements::FORMAT,
        build: Build { version: "1.0.0".into(), is_optimised: true, program: None },
        host: Host { machine, physical_cores: 2, caches: Vec::new() },
        isa: "avx2".into(),
        threads: 1,
        gemm_backend: GemmBackend::Engine,
        effort: Effort::Full,
        fma_peak_gflops: FmaPeak {
            one_thread: 100.0,
            all_threads: 100.0,
            rounds: PeakRounds { one_thread: rounds(100.0), all_threads: rounds(100.0) },
        },
        memory_bandwidth: None,
        gemm: Some(vec![product]),
        images: None,
        train: None,
        conditions: Conditions {
            seconds: 1.0,
            clock_ghz: None,
            load_before: None,
            other_processes: None,
            stolen: None,
            involuntary_switches: None,
            spread: Some(0.01),
        },
    }
}

fn compared(old: &Measurements, new: &Measurements) -> Comparison {
    Comparison::of_files(old, new, "old.json").unwrap()
}

#[test]
fn a_difference_is_claimed_where_it_is_greater_than_the_noise() {
    let old = measured(80.0, 50.0);
    for (gemm, verdict) in [
        (80.0, Verdict::NoDifference),
        (80.05, Verdict::NoDifference),
        (88.0, Verdict::Faster),
        (72.0, Verdict::Slower),
    ] {
        let comparison = compared(&old, &measured(gemm, 50.0));
        let [change] = &comparison.rates[..] else { panic!("{comparison:?}") };
        assert_eq!(change.verdict, verdict, "{comparison}");
        let Interval { low, high } = change.interval.unwrap();
        assert!((low..=high).contains(&(gemm / 80.0)), "{comparison}");
        assert_eq!(comparison.below(0.95).count(), usize::from(gemm < 76.0));
        assert_eq!(comparison.below(0.85).count(), 0);
    }
}

/// A machine that is slower today makes everything slower: no fault of the build.
#[test]
fn what_the_machine_itself_changed_by_is_no_difference() {
    let comparison = compared(&measured(80.0, 50.0), &measured(72.0, 44.0));
    assert!((comparison.drift.unwrap() - 50.0 / 44.0).abs() < 1e-9, "{comparison}");
    assert_eq!(comparison.rates[0].verdict, Verdict::NoDifference);
}

#[test]
fn other_machines_and_other_work_are_refused() {
    let old = measured(80.0, 50.0);
    let refused = |change: fn(&mut Measurements)| {
        let mut new = old.clone();
        change(&mut new);
        Comparison::of_files(&old, &new, "old.json").unwrap_err().to_string()
    };
    for (said, expected) in [
        (
            refused(|new| new.host.machine.cpu = Some("Other CPU".into())),
            "old.json: the CPU was Some CPU there and is Other CPU here: measure both builds on one \
             machine",
        ),
        (
            refused(|new| new.host.machine.os = "\u{1b}[2J\n".into()),
            "old.json: the operating system was linux there and is \\u{1b}[2J\\n here: measure both \
             builds on one machine",
        ),
        (
            refused(|new| new.effort = Effort::Quick),
            "old.json: the effort was full there and is quick here: measure both in the same way",
        ),
        (
            refused(|new| new.gemm = None),
            "old.json: no rate of the engine was measured both there and here: name the same part \
             with --only, and not the peak alone",
        ),
    ] {
        assert_eq!(said, expected);
    }
}

#[test]
fn other_settings_and_disturbances_are_said() {
    let (old, mut new) = (measured(80.0, 50.0), measured(80.0, 50.0));
    new.isa = "avx512".into();
    new.conditions.other_processes = Some(0.5);
    let notes = compared(&old, &new).notes;
    let expected = [
        "the instruction set was avx2 there and is avx512 here",
        "so the FMA peak is another, and does not tell how much the machine itself changed",
        "now, other processes took 50 %",
    ];
    assert_eq!(notes, expected);
    new.isa = "avx\u{1b}\n".into();
    assert!(compared(&new, &old).notes[0].contains("was avx\\u{1b}\\n there"));
}

/// Wider vectors have a higher peak on the same machine.
#[test]
fn the_peak_of_other_instructions_widens_nothing() {
    let (old, mut new) = (measured(80.0, 50.0), measured(160.0, 50.0));
    new.fma_peak_gflops.rounds.one_thread = rounds(200.0);
    assert_eq!(compared(&old, &new).rates[0].verdict, Verdict::NoDifference);
    new.isa = "avx512".into();
    let comparison = compared(&old, &new);
    assert_eq!((comparison.drift, comparison.rates[0].verdict), (Some(1.0), Verdict::Faster));
    // What does not tell is not named.
    assert!(comparison.to_string().contains("touches (matrixmultiply) changed"), "{comparison}");
    let mut same = measured(80.0, 50.0);
    let both = compared(&old, &same);
    assert!(both.to_string().contains("touches (FMA peak, matrixmultiply) changed"), "{both}");
    same.isa = "avx512".into();
    let training = |mut of: Measurements| {
        let model = "mlp".into();
        of.gemm = None;
        of.train = Some(vec![TrainingRate {
            model,
            batch_size: 32,
            threads: 1,
            samples_per_second: 80.0,
            dense_gflops: 1.0,
            of_peak: 0.5,
            flops_per_byte: 1.0,
            rounds: rounds(80.0),
        }]);
        of
    };
    let none = compared(&training(old), &training(same));
    assert_eq!((none.drift, none.controls.len()), (None, 0));
    assert!(!none.to_string().contains("touches"), "{none}");
}

#[test]
fn turns_are_compared_in_pairs() {
    // The machine halves and doubles its speed from round to round: pairs do not see it.
    let speed = |round: u32| f64::from(1 + round % 3);
    let of = |gemm: f64| -> Vec<Measurements> {
        (0..8).map(|round| measured(gemm * speed(round), 50.0 * speed(round))).collect()
    };
    let comparison = Comparison::of_turns(&of(80.0), &of(84.0), Path::new("old")).unwrap();
    let [change] = &comparison.rates[..] else { panic!("{comparison:?}") };
    assert!((change.ratio / 1.05 - 1.0).abs() < 1e-9, "{comparison}");
    assert_eq!(change.verdict, Verdict::Faster);
    let few = Comparison::of_turns(&of(80.0)[..3], &of(84.0)[..3], Path::new("old")).unwrap();
    assert_eq!((few.rates[0].verdict, few.rates[0].interval), (Verdict::TooFewRounds, None));
}
