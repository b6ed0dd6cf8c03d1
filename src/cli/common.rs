//! The arguments that every command has.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use mnistry::data::generated;
use mnistry::gemm::Products;
use mnistry::report::MODEL_FILE;
use mnistry::simd::{ISA_NAMES, Isa};
use mnistry::{Dataset, Engine, EngineOptions, Network, Result};

use super::output::note;

/// Where the data are, what is computed with, and what is shown.
#[derive(Args)]
pub(super) struct Common {
    /// The data set: a folder with MNIST's four IDX files (plain or gzipped), an .npz archive, a
    /// .csv file or a folder with train.csv and test.csv, a folder of pictures for each class, or
    /// `generated`; where it is not given, the environment variable MNISTRY_DATA_DIR names it,
    /// else digits are generated. Of images in one part every seventh is kept to test with
    #[arg(long, value_name = "WHERE")]
    pub(super) data: Option<PathBuf>,

    /// The number of threads; one a core where it is not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// The instruction set; the best that the CPU has, or the one that the environment variable
    /// MNISTRY_ISA names, where it is not given. All but portable give the same bits
    #[arg(long, value_name = "ISA", value_parser = isa_names())]
    isa: Option<String>,

    /// Who computes the dense products
    #[arg(long, value_enum, default_value_t = Gemm::Engine)]
    gemm: Gemm,

    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,

    /// Print nothing but errors (and the JSON, if asked for)
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Gemm {
    /// The engine's own kernels
    Engine,
    /// The crate matrixmultiply: a second opinion, whose last bits may differ
    Matrixmultiply,
}

fn isa_names() -> PossibleValuesParser {
    std::iter::once("auto").chain(ISA_NAMES).collect::<Vec<_>>().into()
}

const GENERATED_INSTEAD: &str = "no data set was named: these are generated digits; for MNIST, \
    download https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz and name it \
    with --data or MNISTRY_DATA_DIR";

impl Common {
    /// The data set that was named, or the one that stands in for it, which is then said.
    pub(super) fn dataset(&self) -> Result<Dataset> {
        let data = Dataset::find(self.data.as_deref())?;
        if data.name == generated::NAME && self.data.is_none() && !self.quiet {
            note(format_args!("{GENERATED_INSTEAD}"));
        }
        Ok(data)
    }

    /// An engine as asked for.
    pub(super) fn engine(&self) -> Result<Engine> {
        let isa = self.isa.as_deref().map(Isa::named).transpose()?;
        let products = match self.gemm {
            Gemm::Engine => Products::Engine,
            Gemm::Matrixmultiply => Products::Matrixmultiply,
        };
        Engine::new(EngineOptions { isa, products, threads: self.threads.map(usize::from) })
    }
}

/// The network at `path`: a model file, or a run folder that holds one.
pub(super) fn load(path: &Path) -> Result<Network> {
    if path.is_dir() { Network::load(path.join(MODEL_FILE)) } else { Network::load(path) }
}
