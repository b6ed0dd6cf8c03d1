//! Why a published data set was not fetched.

use std::error::Error as StdError;
use std::path::PathBuf;

use super::HostFailure;
use crate::data::Problem;
use crate::files::{self, OneLine};

/// Why a published data set was not fetched.
///
/// The text is one line that has in it those of its sources.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The catalogue was not read, or a file in the cache folder not written.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file is no catalogue of data sets that can be fetched.
    #[error("{}: not a catalogue of data sets: {}", path.display(), OneLine(source))]
    Catalogue {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A name in a catalogue could lead out of the cache folder.
    #[error("{}: {name:?} cannot be the name of a data set or a file", path.display())]
    Name {
        /// The file with the catalogue.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// The catalogue has no data set of this name.
    #[error("there is no data set {name} to fetch: there are {}", known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// An archive that was fetched has not in it what it should.
    #[error("{}: {problem}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The platform has no place for what is fetched.
    #[error("there is no cache folder to fetch data sets into: name one with MNISTRY_CACHE_DIR")]
    NoCache,
    /// No host has all files of the data set.
    #[error("cannot fetch {title}: {}; try again later, or another mirror", listed(failures))]
    Unavailable {
        /// The name of the data set.
        title: String,
        /// What went wrong, host after host.
        failures: Vec<HostFailure>,
    },
}

/// A result of a download.
pub(super) type Result<T, E = Error> = std::result::Result<T, E>;

fn listed(failures: &[HostFailure]) -> String {
    match failures {
        [] => "no host is known that has it".into(),
        _ => failures.iter().map(HostFailure::to_string).collect::<Vec<_>>().join("; "),
    }
}
