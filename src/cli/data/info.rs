//! `mnistry data info`: says what is in a data set.

use std::path::PathBuf;

use clap::Args;
use mnistry::report::Overview;

use super::Shown;
use crate::cli::common::dataset;
use crate::cli::{Failure, Outcome, output};

/// Say what is in a data set: counts, pixels, and how the images look
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Info {
    /// The data set, as for --data of the other commands: `mnist`, `fashion`, `generated`, or the
    /// path of an archive, a .csv file or a folder
    #[arg(value_name = "WHERE")]
    data: PathBuf,

    #[command(flatten)]
    shown: Shown,
}

const EXAMPLES: &str = "\
Examples:
  mnistry data info mnist
  mnistry data info mnist.npz --json | jq .train.mean";

impl Info {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let data = dataset(Some(&self.data), self.shown.quiet)?;
        let overview = Overview::new(&data);
        self.shown.print(&overview, || overview.text(&output::palette()))
    }
}
