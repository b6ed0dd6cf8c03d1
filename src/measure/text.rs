//! Measurements as a person reads them.

use std::fmt;

use super::{GemmRate, Measurements, TrainingRate};

impl fmt::Display for Measurements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peak = &self.fma_peak_gflops;
        write!(f, "FMA peak, {}: {:.1} GFLOP/s of one thread", self.isa, peak.one_thread)?;
        if self.threads > 1 {
            write!(f, ", {:.1} of all {}", peak.all_threads, self.threads)?;
        }
        writeln!(f)?;
        if let Some(rates) = &self.gemm {
            write_gemm(f, rates, peak.one_thread)?;
        }
        if let Some(rates) = &self.train {
            write_training(f, rates)?;
        }
        Ok(())
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

fn write_training(f: &mut fmt::Formatter<'_>, rates: &[TrainingRate]) -> fmt::Result {
    writeln!(f, "\ntraining; GFLOP/s as if products with zero pixels were computed too")?;
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
    use super::super::{FmaPeak, GemmRate, Measurements, TrainingRate};

    #[test]
    fn columns_are_aligned() {
        let shape = |m, operands| Shape { m, n: 100, k: 784, operands };
        let gemm =
            |shape, gflops| GemmRate { shape, threads: 1, gflops, matrixmultiply_gflops: 50.0 };
        let train = |threads, samples_per_second| TrainingRate {
            model: "mlp-100".into(),
            batch_size: 32,
            threads,
            samples_per_second,
            dense_gflops: 90.0,
            of_peak: 0.6,
        };
        let measurements = Measurements {
            isa: "avx512".into(),
            threads: 2,
            fma_peak_gflops: FmaPeak { one_thread: 150.0, all_threads: 300.0 },
            gemm: Some(vec![
                gemm(shape(32, Operands::Plain), 120.0),
                gemm(shape(1024, Operands::LeftTransposed), 75.0),
            ]),
            train: Some(vec![train(1, 281_000.0), train(2, 562_000.0)]),
        };
        let text = "\
FMA peak, avx512: 150.0 GFLOP/s of one thread, 300.0 of all 2

matrix products (GEMM, m × n × k), one thread, GFLOP/s
   m     n     k  form  mnistry  of peak  matrixmultiply  ratio
  32   100   784  A·B     120.0     80 %            50.0   2.40
1024   100   784  Aᵀ·B     75.0     50 %            50.0   1.50

training; GFLOP/s as if products with zero pixels were computed too
model    batch  threads  samples/s  GFLOP/s  of peak  speed-up
mlp-100     32        1     281000     90.0     60 %
mlp-100     32        2     562000     90.0     60 %      2.00
";
        assert_eq!(measurements.to_string(), text);
    }
}
