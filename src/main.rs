//! The `mnistry` program: arguments in, the library's work, text or JSON and an exit code out.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
