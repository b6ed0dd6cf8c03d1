//! What is printed: results on stdout, all else on stderr.
//!
//! A reader that closes its end early (`mnistry … | head -1`) has seen enough: that is no failure,
//! and nothing more is written to it.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::Args;
use mnistry::report::Palette;
use serde::Serialize;

use super::launch::Launch;
use super::{CommandError, Outcome};

/// What is printed.
#[derive(Args)]
pub(super) struct OutputOptions {
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,

    /// Print nothing but errors (and the JSON, if asked for)
    #[arg(short, long)]
    pub(super) quiet: bool,
}

impl OutputOptions {
    /// Prints the result of a command as JSON, as text, or not at all, as asked for.
    pub(super) fn print(
        &self,
        result: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<Outcome, CommandError> {
        if self.json {
            print_json(result)?;
        } else if !self.quiet {
            print(&text())?;
        }
        Ok(Outcome::Done)
    }

    /// Says a line on stderr, unless asked to be quiet.
    pub(super) fn note(&self, line: Arguments<'_>) {
        if !self.quiet {
            note(line);
        }
    }
}

/// Prints a result as it is.
pub(super) fn print(text: &str) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CommandError::Print(error)),
        _ => Ok(()),
    }
}

/// Prints a result for machines.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), CommandError> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| CommandError::Print(error.into()))?;
    print(&(text + "\n"))
}

/// The colours that stdout has: none in a pipe or a file, none where `NO_COLOR` is set, and none by
/// `mpirun`, which gives each process a terminal wherever its own output goes, unless they are forced.
pub(super) fn palette() -> Palette {
    let is_forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => Palette::plain(),
        _ if Launch::is_by_mpirun() && !is_forced => Palette::plain(),
        _ => Palette::coloured(),
    }
}

/// Whether progress can be shown as bars: stderr is a terminal that can do more than print.
pub(super) fn has_bars() -> bool {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stderr().is_terminal() && !is_dumb
}

/// Says a line on stderr. Where even that cannot be written, there is nobody to tell.
pub(super) fn note(line: Arguments<'_>) {
    say(&format!("{line}\n"));
}

/// Says what is wrong with the arguments, or the help or version that they ask for, and how the process
/// ends.
pub(super) fn answer(error: &clap::Error) -> ExitCode {
    // Where clap takes colours out, it writes what is between them piece by piece.
    let is_plain = AutoStream::choice(&io::stderr()) == ColorChoice::Never;
    if error.use_stderr() && is_plain {
        say(&error.render().to_string());
    } else {
        let _ = error.print();
    }
    exit_code(error)
}

/// The exit code that goes with it.
pub(super) fn exit_code(error: &clap::Error) -> ExitCode {
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Writes a text to stderr at once: of processes that share it, in pieces, one would end the other's line.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
