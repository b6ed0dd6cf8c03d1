//! `mnistry data`: fetches, generates and describes data sets.

mod fetch;
mod generate;
mod info;

use clap::{Args, Subcommand};

use super::{CommandError, Outcome};

/// Fetch, generate or describe data sets
#[derive(Args)]
#[command(arg_required_else_help = true, after_help = EXAMPLES)]
pub(super) struct Data {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  mnistry data fetch mnist
  mnistry data generate digits --seed 1 --sheet sheet.png
  mnistry data info mnist";

#[derive(Subcommand)]
enum Command {
    Fetch(fetch::Fetch),
    Generate(generate::Generate),
    Info(info::Info),
}

impl Data {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        match self.command {
            Command::Fetch(fetch) => fetch.run(),
            Command::Generate(generate) => generate.run(),
            Command::Info(info) => info.run(),
        }
    }
}
