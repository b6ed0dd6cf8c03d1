//! Why nothing was measured, or measurements are not compared.

use std::io;
use std::path::PathBuf;

use crate::files::{self, OneLine};
use crate::memory::Shortage;
use crate::train;

/// Why nothing was measured, or measurements are not compared. The text is one line for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file was not read or written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file that holds no measurements.
    #[error("{}: is not what `mnistry bench --save` writes: {}", path.display(), OneLine(problem))]
    NotMeasurements {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Measurements by a version with another format.
    #[error(
        "{}: has measurements in format {found}, and this version reads format {known}: measure that \
         build anew, or take turns with it (--compare-with)",
        path.display()
    )]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The format of this version.
        known: u32,
    },
    /// Measurements of what cannot be compared.
    #[error(
        "{}: {what} was {} there and is {} here: {advice}",
        path.display(), OneLine(old), OneLine(new)
    )]
    Incomparable {
        /// The file, or the program, that measured before.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// What it was.
        old: String,
        /// What it is.
        new: String,
        /// What to do.
        advice: &'static str,
    },
    /// Measurements of other things.
    #[error(
        "{}: no rate of the engine was measured both there and here: name the same part with --only, and \
         not the peak alone",
        .0.display()
    )]
    NothingInCommon(PathBuf),
    /// So few rounds that nothing would be certain.
    #[error(
        "{rounds} {} too few to judge {rates} rate{}: at least {needed} are needed (--rounds)",
        if *rounds == 1 { "round is" } else { "rounds are" }, if *rates == 1 { "" } else { "s" }
    )]
    TooFewRounds {
        /// How many there would be.
        rounds: usize,
        /// How many rates are measured in each.
        rates: usize,
        /// How many rounds there must be.
        needed: usize,
    },
    /// A program that cannot be run.
    #[error("{}: cannot be run: {source}", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program that is something else.
    #[error("{}: is no mnistry, as it does not say so when it is asked for its --version", .0.display())]
    NoMnistry(PathBuf),
    /// A build that knows too little.
    #[error(
        "{}: is too old to take turns with: it does not know `bench --turn`; compare what `mnistry bench` \
         prints for both by hand",
        .0.display()
    )]
    TooOld(PathBuf),
    /// A build that failed.
    #[error("{}: failed to measure: {}", path.display(), OneLine(said))]
    Failed {
        /// The program.
        path: PathBuf,
        /// What it said last.
        said: String,
    },
    /// A program that does not end.
    #[error("{}: did not answer within {seconds} s", path.display())]
    Silent {
        /// The program.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Training failed.
    #[error(transparent)]
    Train(#[from] train::Error),
    /// There is not enough memory.
    #[error(transparent)]
    Memory(#[from] Shortage),
}

/// A result of this room.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;
