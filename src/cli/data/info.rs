//! `mnistry data info`: says what is in a data set.

use std::path::PathBuf;

use clap::Args;
use mnistry::report::Overview;

use crate::cli::common::{Place, ReadArgs, find_silently};
use crate::cli::output::OutputOptions;
use crate::cli::{CommandError, Outcome, output};

/// Say what is in a data set: counts, pixels, and how the images look
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Info {
    /// The data set, as for --data of the other commands: `mnist`, `emnist-letters`, `generated`, or
    /// the path of an archive, a .csv file or a folder
    #[arg(value_name = "WHERE")]
    data: PathBuf,

    #[command(flatten)]
    read: ReadArgs,

    #[command(flatten)]
    output: OutputOptions,
}

const EXAMPLES: &str = "\
Examples:
  mnistry data info mnist
  mnistry data info mnist.npz --json | jq .train.mean";

impl Info {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        let place = Place { data: Some(&self.data), read: self.read.options() };
        let data = find_silently(&place, &self.output)?.data;
        let overview = Overview::new(&data);
        data.check_unchanged()?;
        self.output.print(&overview, || overview.text(&output::palette()))
    }
}
