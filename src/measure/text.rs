//! Measurements as a person reads them.

use std::fmt;

use super::{
    Build, Conditions, GemmRate, Host, Measurements, TrainingImages, TrainingRate, TurnsTaken,
};

impl fmt::Display for Measurements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peak = &self.fma_peak_gflops;
        write!(f, "{}\nmnistry {}\n\n", self.host, self.build)?;
        write!(f, "FMA peak, {}: {:.1} GFLOP/s of one thread", self.isa, peak.one_thread)?;
        if self.threads > 1 {
            write!(f, ", {:.1} of all {}", peak.all_threads, self.threads)?;
        }
        writeln!(f)?;
        if let Some(memory) = self.memory_bandwidth {
            write!(f, "memory: {:.1} GB/s of one thread", memory.one_thread)?;
            if self.threads > 1 {
                write!(f, ", {:.1} of all {}", memory.all_threads, self.threads)?;
            }
            writeln!(f)?;
        }
        if let Some(rates) = &self.gemm {
            write_gemm(f, rates, peak.one_thread)?;
        }
        if let Some(rates) = &self.train {
            write_training(f, rates, self.images)?;
        }
        write!(f, "\n{}", self.conditions)
    }
}

impl fmt::Display for TurnsTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, old, new, rounds, conditions, comparison } = self;
        let s = if *rounds == 1 { "" } else { "s" };
        writeln!(
            f,
            "{host}\nold: mnistry {old}\nnew: mnistry {new}\n{rounds} round{s}, in turns\n"
        )?;
        write!(f, "{comparison}\n{conditions}")
    }
}

/// `Some CPU, 2 cores (4 threads), caches L1 Data 32 KiB, L2 1024 KiB, x86_64 linux`
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        f.write_str(machine.cpu.as_deref().unwrap_or("a CPU of unknown name"))?;
        let cores = if self.physical_cores == 1 { "core" } else { "cores" };
        write!(f, ", {} {cores} ({} threads)", self.physical_cores, machine.logical_cpus)?;
        for (index, cache) in self.caches.iter().enumerate() {
            let before = if index == 0 { ", caches " } else { ", " };
            let kind = if cache.kind == "Unified" { "" } else { &cache.kind };
            write!(f, "{before}L{}{} {} KiB", cache.level, short(kind), cache.kib)?;
        }
        write!(f, ", {} {}", machine.architecture, machine.os)
    }
}

/// What is in a cache, as `L1d` has it.
fn short(kind: &str) -> String {
    kind.chars().take(1).map(|first| first.to_ascii_lowercase()).collect()
}

/// `0.1.0, program 0123456789abcdef`
impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.version)?;
        if !self.is_optimised {
            f.write_str(", built for debugging: nothing of its speed tells of a release")?;
        }
        self.program.as_ref().map_or(Ok(()), |program| write!(f, ", program {program}"))
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "measured in {:.1} s", self.seconds)?;
        if let Some([before, after]) = self.clock_ghz {
            write!(f, "; clock {before:.2} GHz before, {after:.2} after")?;
        }
        if let Some(load) = self.load_before {
            write!(f, "; load before {load:.2}")?;
        }
        let percent = |share: f64| 100.0 * share;
        if let Some(others) = self.other_processes {
            write!(f, "; other processes {:.1} % of all CPUs", percent(others))?;
        }
        if let Some(stolen) = self.stolen {
            write!(f, ", stolen {:.1} %", percent(stolen))?;
        }
        if let Some(switches) = self.involuntary_switches {
            write!(f, "; involuntary context switches: {switches}")?;
        }
        if let Some(spread) = self.spread {
            write!(f, "; rounds differ by {:.1} %", percent(spread))?;
        }
        writeln!(f)?;
        match &self.disturbances()[..] {
            [] => Ok(()),
            disturbances => writeln!(f, "disturbed: {}", disturbances.join(", ")),
        }
    }
}

fn write_gemm(f: &mut fmt::Formatter<'_>, rates: &[GemmRate], peak: f64) -> fmt::Result {
    writeln!(f, "\nmatrix products (GEMM, m × n × k), one thread, GFLOP/s")?;
    writeln!(f, "   m     n     k  form  mnistry  of peak  matrixmultiply  ratio")?;
    for rate in rates {
        let (shape, gflops, other) = (rate.shape, rate.gflops, rate.matrixmultiply_gflops);
        writeln!(
            f,
            "{:>4}  {:>4}  {:>4}  {:<4}  {gflops:>7.1}  {:>5.0} %  {other:>14.1}  {:>5.2}",
            shape.m,
            shape.n,
            shape.k,
            shape.operands.formula(),
            100.0 * gflops / peak,
            gflops / other,
        )?;
    }
    Ok(())
}

fn write_training(
    f: &mut fmt::Formatter<'_>,
    rates: &[TrainingRate],
    images: Option<TrainingImages>,
) -> fmt::Result {
    write!(f, "\ntraining")?;
    if let Some(images) = images {
        write!(f, " on {images}")?;
    }
    writeln!(f, "\nGFLOP/s as if products with zero pixels were computed too")?;
    writeln!(f, "model    batch  threads  samples/s  GFLOP/s  of peak  speed-up")?;
    for rate in rates {
        write!(
            f,
            "{:<7}  {:>5}  {:>7}  {:>9.0}  {:>7.1}  {:>5.0} %",
            rate.model,
            rate.batch_size,
            rate.threads,
            rate.samples_per_second,
            rate.dense_gflops,
            100.0 * rate.of_peak,
        )?;
        let single = rates
            .iter()
            .find(|other| other.threads == 1 && rate.threads > 1 && is_same_work(other, rate));
        match single {
            Some(single) => {
                writeln!(f, "  {:>8.2}", rate.samples_per_second / single.samples_per_second)?;
            }
            None => writeln!(f)?,
        }
    }
    Ok(())
}

fn is_same_work(a: &TrainingRate, b: &TrainingRate) -> bool {
    a.model == b.model && a.batch_size == b.batch_size
}

#[cfg(test)]
mod tests {
    use super::super::gemm::{Operands, Shape};
    use super::super::{Cache, Effort, FmaPeak, GemmRounds, Machine, MemoryBandwidth, PeakRounds};
    use super::*;
    use crate::kernels::gemm::GemmBackend;

    /// A machine, with what else it did.
    fn conditions() -> Conditions {
        Conditions {
            seconds: 30.25,
            clock_ghz: Some([3.5, 3.25]),
            load_before: Some(0.5),
            other_processes: Some(0.125),
            stolen: Some(0.0),
            involuntary_switches: Some(12),
            spread: Some(0.03),
        }
    }

    fn host() -> Host {
        let cache = |level, kind: &str, kib| Cache { level, kind: kind.into(), kib };
        let machine = Machine {
            cpu: Some("Some CPU".into()),
            logical_cpus: 4,
            architecture: "x86_64".into(),
            os: "linux".into(),
        };
        let caches = vec![cache(1, "Data", 32), cache(2, "Unified", 1024)];
        Host { machine, physical_cores: 2, caches }
    }

    #[test]
    fn columns_are_aligned() {
        let shape = |m, operands| Shape { m, n: 100, k: 784, operands };
        let gemm = |shape, gflops| {
            let rounds = GemmRounds::default();
            GemmRate { shape, threads: 1, gflops, matrixmultiply_gflops: 50.0, rounds }
        };
        let train = |threads, samples_per_second| TrainingRate {
            model: "mlp-100".into(),
            batch_size: 32,
            threads,
            samples_per_second,
            dense_gflops: 90.0,
            of_peak: 0.6,
            flops_per_byte: 4.0,
            rounds: Vec::new(),
        };
        let rounds = PeakRounds::default();
        let measurements = Measurements {
            format: Measurements::FORMAT,
            build: Build {
                version: "1.2.3".into(),
                is_optimised: true,
                program: Some("0123456789abcdef".into()),
            },
            host: host(),
            isa: "avx512".into(),
            threads: 2,
            gemm_backend: GemmBackend::Engine,
            effort: Effort::Full,
            fma_peak_gflops: FmaPeak { one_thread: 150.0, all_threads: 300.0, rounds },
            memory_bandwidth: Some(MemoryBandwidth { one_thread: 12.0, all_threads: 20.0 }),
            images: Some(TrainingImages {
                count: 12_800,
                pixels: 784,
                classes: 10,
                nonzero_pixels: 1_913_478,
            }),
            conditions: conditions(),
            gemm: Some(vec![
                gemm(shape(32, Operands::Plain), 120.0),
                gemm(shape(1024, Operands::LeftTransposed), 75.0),
            ]),
            train: Some(vec![train(1, 281_000.0), train(2, 562_000.0)]),
        };
        let text = "\
Some CPU, 2 cores (4 threads), caches L1d 32 KiB, L2 1024 KiB, x86_64 linux
mnistry 1.2.3, program 0123456789abcdef

FMA peak, avx512: 150.0 GFLOP/s of one thread, 300.0 of all 2
memory: 12.0 GB/s of one thread, 20.0 of all 2

matrix products (GEMM, m × n × k), one thread, GFLOP/s
   m     n     k  form  mnistry  of peak  matrixmultiply  ratio
  32   100   784  A·B     120.0     80 %            50.0   2.40
1024   100   784  Aᵀ·B     75.0     50 %            50.0   1.50

training on 12800 images of 784 pixels in 10 classes, 1913478 pixels not zero
GFLOP/s as if products with zero pixels were computed too
model    batch  threads  samples/s  GFLOP/s  of peak  speed-up
mlp-100     32        1     281000     90.0     60 %
mlp-100     32        2     562000     90.0     60 %      2.00

measured in 30.2 s; clock 3.50 GHz before, 3.25 after; load before 0.50; other processes 12.5 % of all \
CPUs, stolen 0.0 %; involuntary context switches: 12; rounds differ by 3.0 %
disturbed: other processes took 12 %
";
        assert_eq!(measurements.to_string(), text);
    }
}
