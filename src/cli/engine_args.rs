//! What is computed with: the arguments of every command that has an engine.

use std::str::FromStr;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use mnistry::simd::{ISA_NAMES, Isa};
use mnistry::{EngineOptions, GemmBackend, Result};

/// What is computed with.
#[derive(Args)]
pub(super) struct EngineArgs {
    /// The number of threads, or auto: one a core, and for training as many of them as turn out to be
    /// the fastest while it goes on. The bits do not depend on it
    #[arg(long, value_name = "N", default_value = "auto")]
    threads: Threads,

    /// The instruction set; the best that the CPU has, or the one that the environment variable
    /// MNISTRY_ISA names, where it is not given. All but portable give the same bits
    #[arg(long, value_name = "ISA", value_parser = isa_names())]
    isa: Option<String>,

    /// What computes the matrix products (GEMM)
    #[arg(long, value_enum, default_value_t = Gemm::Engine)]
    gemm: Gemm,
}

/// How many threads are used.
#[derive(Clone, Copy)]
struct Threads(Option<u16>);

impl FromStr for Threads {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = || text.parse().ok().filter(|threads| (1..=1024).contains(threads));
        match text {
            "auto" => Ok(Self(None)),
            _ => number()
                .map(|threads| Self(Some(threads)))
                .ok_or_else(|| "give auto, or a number from 1 to 1024".into()),
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Gemm {
    /// The engine's own kernels
    Engine,
    /// The crate matrixmultiply, to compare with: its last bits may differ
    Matrixmultiply,
}

fn isa_names() -> PossibleValuesParser {
    std::iter::once("auto").chain(ISA_NAMES).collect::<Vec<_>>().into()
}

impl EngineArgs {
    pub(super) fn options(&self) -> Result<EngineOptions> {
        let gemm = match self.gemm {
            Gemm::Engine => GemmBackend::Engine,
            Gemm::Matrixmultiply => GemmBackend::Matrixmultiply,
        };
        let isa = self.isa.as_deref().map(Isa::named).transpose()?;
        Ok(EngineOptions { isa, gemm, threads: self.threads.0.map(usize::from) })
    }
}
