//! The command line: one file a command; what they share is in the other files.

mod bench;
mod check;
mod common;
mod data;
mod engine_args;
mod epoch_rate;
mod error;
mod evaluate;
mod export;
mod file_size;
mod frame_clock;
mod import;
mod interrupt;
mod launch;
mod meter;
mod model;
mod output;
mod predict;
mod regularisation;
mod report;
#[cfg(feature = "serve")]
mod serve;
mod settings;
mod sweep;
mod train;
mod transfer;
mod watch;

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use error::CommandError;
use launch::Launch;

/// Learns to read handwritten digits, and reads them.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  mnistry train                      train a network on MNIST, and keep the run in runs/1
  mnistry evaluate runs/1            test it once more
  mnistry predict runs/1 seven.png   classify pictures of your own
  mnistry report runs/1 --open       look at the run in the browser
  mnistry serve --open               draw digits, and have them read at once
  mnistry sweep --seeds 0-9          train it by ten seeds, and say how the results vary
  mnistry export runs/1 digits.onnx  write it for other programs
  mnistry data fetch fashion         fetch another data set
  mnistry check --model lenet5       check the gradients of a network
  mnistry bench                      measure this machine

Exit codes: 0 done, 1 failed (one line on stderr says why), 2 wrong usage, 130 interrupted
(128 and the number of the signal: 143 for SIGTERM; serve ends with 0).";

#[derive(Subcommand)]
enum Command {
    Train(train::Train),
    Evaluate(evaluate::Evaluate),
    Predict(predict::Predict),
    Report(report::Report),
    #[cfg(feature = "serve")]
    Serve(serve::Serve),
    Sweep(Box<sweep::Sweep>),
    Export(Box<export::Export>),
    Import(import::Import),
    Data(data::Data),
    Check(check::Check),
    Bench(bench::Bench),
}

impl Command {
    /// What it is called, if processes that are started together do not share it.
    fn not_shared(&self) -> Option<&'static str> {
        match self {
            Self::Train(_) => None,
            Self::Sweep(sweep) => sweep.not_shared(),
            Self::Evaluate(_) => Some("evaluate"),
            Self::Predict(_) => Some("predict"),
            Self::Report(_) => Some("report"),
            #[cfg(feature = "serve")]
            Self::Serve(_) => Some("serve"),
            Self::Export(_) => Some("export"),
            Self::Import(_) => Some("import"),
            Self::Data(_) => Some("data"),
            Self::Check(_) => Some("check"),
            Self::Bench(_) => Some("bench"),
        }
    }
}

/// How a command ended that did not fail.
enum Outcome {
    Done,
    /// All was done that could be; what could not was said.
    Partly,
    /// With the exit code of a program that a signal ended.
    Interrupted(u8),
}

/// Wrong usage of `command`: its arguments contradict each other.
fn conflict(command: &str, problem: &str) -> clap::Error {
    let mut program = Cli::command();
    program.build();
    match program.find_subcommand_mut(command) {
        Some(command) => command.error(ErrorKind::ArgumentConflict, problem),
        None => program.error(ErrorKind::ArgumentConflict, problem),
    }
}

/// Whether a part of a sweep is asked for.
fn is_shard() -> bool {
    let is_shard = |argument: &OsStr| argument.as_encoded_bytes().starts_with(b"--shard");
    std::env::args_os().any(|argument| is_shard(&argument))
}

/// Whether nothing but errors is to be said.
fn is_quiet() -> bool {
    std::env::args_os().any(|argument| argument == "--quiet" || argument == "-q")
}

/// Does what the arguments of the process ask for.
pub(crate) fn run() -> ExitCode {
    file_size::heed();
    let command = match (Cli::try_parse(), Launch::found().filter(|launch| !launch.is_first())) {
        (Ok(cli), _) => cli.command,
        // Of many that were started to do the same, one says at length that it is wrong; shards have
        // each its own.
        (Err(error), Some(launch)) if error.use_stderr() && !is_shard() => {
            launch.defer();
            return output::exit_code(&error);
        }
        (Err(error), _) => return output::answer(&error),
    };
    if let Some(launch) = Launch::found().filter(|launch| launch.is_first() && !is_quiet())
        && let Some(work) = command.not_shared()
    {
        launch.say_not_shared(work);
    }
    let outcome = match command {
        Command::Train(train) => train.run(),
        Command::Evaluate(evaluate) => evaluate.run(),
        Command::Predict(predict) => predict.run(),
        Command::Report(report) => report.run(),
        #[cfg(feature = "serve")]
        Command::Serve(serve) => serve.run(),
        Command::Sweep(sweep) => sweep.run(),
        Command::Export(export) => export.run(),
        Command::Import(import) => import.run(),
        Command::Data(data) => data.run(),
        Command::Check(check) => check.run(),
        Command::Bench(bench) => bench.run(),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Partly) => ExitCode::FAILURE,
        Ok(Outcome::Interrupted(code)) => ExitCode::from(code),
        Err(CommandError::Usage(error)) => output::answer(&error),
        Err(error) => {
            output::note(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
