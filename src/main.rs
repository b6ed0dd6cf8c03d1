//! The `mnistry` program: arguments in, the library's work, text or JSON and an exit code out.

// Nothing from outside is unwrapped; tests may.
#![warn(clippy::unwrap_used)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
