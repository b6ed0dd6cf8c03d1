//! `mnistry data generate`: writes generated digits as IDX files.

use std::path::PathBuf;

use clap::Args;
use mnistry::data::generated;
use mnistry::data::generated::generate;
use mnistry::report::{check_output, write_contact_sheet};
use mnistry::{Dataset, Error};
use serde::Serialize;

use crate::cli::output::OutputOptions;
use crate::cli::{CommandError, Outcome};

/// Write generated digits as IDX files
///
/// As many as MNIST has: 60,000 to train on and 10,000 to test with, 28 × 28 pixels each, in four
/// files of MNIST's names. The same seed gives the same files, everywhere.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Generate {
    /// The folder to write; it must not have such files yet, but those of a run of this that was cut
    /// short
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Decides the digits; --data generated is seed 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Also draw some of the training images as a picture, a row for each digit
    #[arg(long, value_name = "FILE.png")]
    sheet: Option<PathBuf>,

    #[command(flatten)]
    output: OutputOptions,
}

const EXAMPLES: &str = "\
Examples:
  mnistry data generate digits
  mnistry data generate digits --seed 7 --sheet sheet.png
  mnistry train --data digits";

/// Images of each digit on a contact sheet.
const COLUMNS: usize = 30;

/// The JSON of what was generated.
#[derive(Serialize)]
struct Generated {
    path: PathBuf,
    seed: u64,
    train_images: usize,
    test_images: usize,
    sheet: Option<PathBuf>,
}

impl Generate {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        // Told before the work is done.
        Dataset::check_vacant(&self.folder).map_err(Error::from)?;
        if let Some(path) = &self.sheet {
            check_output(path, Dataset::idx_paths(&self.folder))?;
        }
        let data = generate(self.seed, generated::TRAIN, generated::TEST).map_err(Error::from)?;
        data.write_idx(&self.folder).map_err(Error::from)?;
        if let Some(path) = &self.sheet {
            write_contact_sheet(path, &data.train, COLUMNS)?;
        }
        let result = Generated {
            path: self.folder,
            seed: self.seed,
            train_images: data.train.len(),
            test_images: data.test.len(),
            sheet: self.sheet,
        };
        self.output.print(&result, || {
            format!(
                "{} has {} generated digits to train on and {} to test with\n",
                result.path.display(),
                result.train_images,
                result.test_images
            )
        })
    }
}
