//! `mnistry bench`: measures this machine, and the engine on it.

use clap::{Args, ValueEnum};
use mnistry::data::generated::generate;
use mnistry::measure::{Effort, Measurements, SHAPES, gemm_rates, training_rates};
use mnistry::{Result, Split};

use super::common::Common;
use super::{CommandError, Outcome};

/// Measure this machine, and how much of it the engine uses
///
/// The peak rate of fused multiply-adds (FMA); matrix products (GEMM) on one thread, against the crate
/// matrixmultiply; and training of networks with one hidden layer and of LeNet-5, on the first
/// images of the data set, or on generated digits where none is named. Rates are medians of runs
/// that take turns, but anything else that the machine does meanwhile still shows.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Bench {
    /// Measure this part alone (and the peak that it is compared with)
    #[arg(long, value_enum, value_name = "PART")]
    only: Option<Benchmark>,

    /// Measure so briefly that it shows little more than that everything runs
    #[arg(long)]
    quick: bool,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  mnistry bench
  mnistry bench --only train --data mnist.npz --threads 2
  mnistry bench --only gemm --isa avx2
  mnistry bench --json | jq .fma_peak_gflops.one_thread";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// The peak rate of fused multiply-adds (FMA)
    Peak,
    /// Matrix products (GEMM)
    Gemm,
    /// Training
    Train,
}

impl Bench {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        let engine = self.common.engine()?;
        let effort = if self.quick { Effort::Quick } else { Effort::Full };
        let wants = |benchmark| self.only.is_none_or(|only| only == benchmark);
        // Read first: what cannot be read is known at once.
        let images = if wants(Benchmark::Train) { Some(self.images(effort)?) } else { None };
        let mut measurements = Measurements::new(&engine);
        if wants(Benchmark::Gemm) {
            measurements.gemm = Some(gemm_rates(engine.isa(), &SHAPES, effort));
        }
        if let Some(images) = images {
            let peak = &measurements.fma_peak_gflops;
            measurements.train = Some(training_rates(&engine, &images, peak, effort)?);
        }
        self.common.output.print(&measurements, || measurements.to_string())
    }

    /// The images to train on.
    fn images(&self, effort: Effort) -> Result<Split, CommandError> {
        // Whole minibatches of every size that is measured.
        let count = match effort {
            Effort::Full => 12_800,
            Effort::Quick => 512,
        };
        let is_named = std::env::var_os("MNISTRY_DATA_DIR").is_some_and(|name| !name.is_empty());
        if self.common.data.is_some() || is_named {
            Ok(self.common.dataset()?.train.take(count)?)
        } else {
            Ok(generate(0, count, 10)?.train)
        }
    }
}
