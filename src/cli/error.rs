//! Why a command ended early: the library's errors, and those of the program itself.

use std::io;
use std::path::{Path, PathBuf};

use mnistry::image::ImageShape;
use mnistry::sweep::Shard;

/// Why a command ended early. The text of each is what a person reads.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// The arguments contradict each other.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// The library could not do what it was asked for.
    #[error(transparent)]
    Failed(#[from] mnistry::Error),
    /// Several networks, each of which would have results of its own.
    #[error("several networks are evaluated together, with --ensemble, or one after the other")]
    ManyModels,
    /// A sweep where a network is named.
    #[error(
        "{}: this is a sweep, not a run: name one of the networks in its folder `models`, which is there \
         if they were kept (--keep best, --keep all)", .0.display()
    )]
    WholeSweep(PathBuf),
    /// A file where a run is named.
    #[error("{}: this is a file, not a run: name the folder that `mnistry train` kept a run in", .0.display())]
    NoRunFolder(PathBuf),
    /// A network where pictures are named.
    #[error(
        "{}: this is a network, not a picture: to ask it too, put --ensemble before it", .0.display()
    )]
    NetworkAmongPictures(PathBuf),
    /// Networks that are not for the same images and classes.
    #[error(
        "{}: {difference}, {}: the two cannot be asked together", other.display(), first.display()
    )]
    OtherKind { first: PathBuf, other: PathBuf, difference: String },
    /// Settings of a sweep that make no training.
    #[error("{}: {}", printable(name), printable(problem))]
    Setting { name: String, problem: String },
    /// Many processes were started to do the same, and cannot work together.
    #[cfg(not(feature = "mpi"))]
    #[error(
        "{processes} processes of this {work} were started at once, by {starter} as {variable} has it, and \
         each would do all of it, as this program was built without MPI: build it with `--features mpi`, or \
         start it once, by `env -u {variable}` where there is but one{}",
        if *.work == "sweep" { ", or give each its part with --shard" } else { "" }
    )]
    NoMpi { work: &'static str, processes: usize, starter: &'static str, variable: &'static str },
    /// Many processes were started to do the same part of a sweep.
    #[error(
        "--shard {shard} is not for each of the {processes} processes that {starter} started, as {variable} \
         has it: give each its own, such as its rank + 1 of {processes}, or leave --shard out to have them \
         work together; if there is but one, start it by `env -u {variable}`"
    )]
    SharedShard { shard: Shard, processes: usize, starter: &'static str, variable: &'static str },
    /// What started the processes is of another MPI than the program.
    #[cfg(feature = "mpi")]
    #[error(
        "{starter} started {started} processes, as {variable} has it, but by the MPI of this program there \
         are {found}: start it by the `mpirun` of the MPI that it was built with, or with `srun \
         --mpi=pmix`; if there is but one, by `env -u {variable}`"
    )]
    OtherMpi { starter: &'static str, variable: &'static str, started: usize, found: usize },
    /// A time that is none.
    #[cfg(feature = "mpi")]
    #[error("{name} is {value:?}: give for how many seconds a rank waits for others, 1 or more")]
    Patience { name: &'static str, value: String },
    /// The engine's gradients are not those of the reference.
    #[error(
        "the gradients of {} differ from the reference's by more than rounding explains, which is a \
         fault of this program: please report it, with the table and the arguments", .0.join(", ")
    )]
    Gradients(Vec<String>),
    /// Another build is faster by more than was allowed.
    #[error("slower than {least} of before, whatever the noise: {}", .slower.join("; "))]
    Slower { least: f64, slower: Vec<String> },
    /// Builds that were to be judged, and cannot be.
    #[error(
        "too few rounds to judge {}: at least {needed} of each build are needed (more --rounds, or no --quick)",
        .undecided.join("; ")
    )]
    TooFewRounds { undecided: Vec<String>, needed: usize },
    /// There are fewer test images than the arguments say.
    #[error("there is no test image {index}: they are 0 to {last}")]
    NoTestImage { index: usize, last: usize },
    /// A picture that would have been left out.
    #[error("{0}; without --strict, up to 1 in 20 pictures are left out")]
    LeftOut(String),
    /// Images that the network does not take.
    #[error("{}the network reads images of {expected}, but these are {found}", prefix(file.as_deref()))]
    ImageShape { file: Option<PathBuf>, expected: ImageShape, found: ImageShape },
    /// A folder whose files are not known.
    #[error("cannot list {}: {source}", path.display())]
    Listing { path: PathBuf, source: io::Error },
    /// A folder with nothing to read in it.
    #[error("{}: no file is in this folder: name one with pictures", .0.display())]
    EmptyFolder(PathBuf),
    /// Nothing of what was named can be read.
    #[error("nothing was read: no digits and no images are in what was named")]
    NoneRead,
    /// A report would replace something else.
    #[error("{}: is no web page, and would be replaced: name a file that ends with .html", .0.display())]
    NoPage(PathBuf),
    /// There is no browser, or it does not start.
    #[error("cannot open {} in a browser: {source}", page.display())]
    Open { page: PathBuf, source: io::Error },
    /// Nothing is there to be served.
    #[cfg(feature = "serve")]
    #[error("cannot serve {}: {source}; train a network first, or name a model, a run or a folder of runs", path.display())]
    Nowhere { path: PathBuf, source: io::Error },
    /// The server cannot listen.
    #[cfg(feature = "serve")]
    #[error("cannot listen at {address}: {source}; --port takes another port, 0 any that is free")]
    Listen { address: std::net::SocketAddr, source: io::Error },
    /// The system grants no thread.
    #[cfg(feature = "serve")]
    #[error("cannot begin a thread: {0}")]
    Thread(#[source] io::Error),
    /// A result that could not be printed.
    #[error("cannot write to standard output: {0}")]
    Print(#[source] io::Error),
    /// Ctrl-C would end the process at once.
    #[error("cannot listen for Ctrl-C: {0}")]
    Interrupt(#[source] io::Error),
}

/// The errors of the library's rooms are taken in as its own.
macro_rules! failed {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                Self::Failed(error.into())
            }
        }
    )*};
}

failed! {
    mnistry::check::Error,
    mnistry::data::Error,
    mnistry::data::Problem,
    mnistry::data::download::Error,
    mnistry::image::Error,
    mnistry::interchange::Error,
    mnistry::model::Error,
    mnistry::EngineError,
    mnistry::ranks::Error,
    mnistry::error::FileError,
    mnistry::measure::Error,
    mnistry::reading::Error,
    mnistry::train::Error,
    mnistry::report::Error,
    mnistry::sweep::Error,
}

/// What is put before a problem of `file`.
fn prefix(file: Option<&Path>) -> String {
    file.map_or_else(String::new, |file| format!("{}: ", file.display()))
}

/// A text on one line, from which a terminal takes no orders: control characters are escaped.
pub(super) fn printable(text: &str) -> String {
    let escaped =
        |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}
