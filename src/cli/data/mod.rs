//! `mnistry data`: fetches, generates and describes data sets.

mod fetch;
mod generate;
mod info;

use clap::{Args, Subcommand};

use super::{Failure, Outcome, output};

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
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        match self.command {
            Command::Fetch(fetch) => fetch.run(),
            Command::Generate(generate) => generate.run(),
            Command::Info(info) => info.run(),
        }
    }
}

/// What is shown.
#[derive(Args)]
struct Shown {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    /// Print nothing but errors (and the JSON, if asked for)
    #[arg(short, long)]
    quiet: bool,
}

impl Shown {
    /// Prints a result as JSON, as text, or not at all, as asked for.
    fn print(
        &self,
        result: &impl serde::Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<Outcome, Failure> {
        if self.json {
            output::print_json(result)?;
        } else if !self.quiet {
            output::print(&text())?;
        }
        Ok(Outcome::Done)
    }
}
