//! Published data sets: fetched once, checked, and kept in the cache folder.
//!
//! Each has a folder of its own there, as the files of MNIST and Fashion-MNIST have the same
//! names. A file gets its name in that folder when all its bytes are there and have the published
//! checksum, which is looked at again whenever the file is used. Until then it is a partial file,
//! which several processes have one each of; whoever is first gives the file its name.

mod catalogue;
mod error;
mod fetch;
mod host_failure;
mod pace;
mod partial_file;
mod receive;
mod redirect;
mod unpacked;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Cache;
use crate::data::checksum::sha256;
use crate::data::{self, Dataset};
use crate::files::{Bytes, create_folder, is_of_no_stranger, open_unfollowed};

pub use catalogue::{Catalogue, Publication};
pub use error::Error;
pub use host_failure::{Cause, HostFailure};

use catalogue::{Edition, PublishedFile};
use error::Result;
use fetch::Fetch;

/// How long hosts are waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the answer of one host: its address, the connection, and what it says, each.
    pub answer: Duration,
    /// For hosts that do not answer, in all.
    pub silence: Duration,
    /// For the next [`least`](Self::least) bytes.
    pub stall: Duration,
    /// Bytes that must come in that time; a host that sends fewer is too slow.
    pub least: u64,
    /// For all files of a data set together, whatever happens.
    pub total: Duration,
}

impl Patience {
    /// What suits a person who asked for a download: 10 kB a second will do.
    pub const USUAL: Self = Self {
        answer: Duration::from_secs(5),
        silence: Duration::from_secs(15),
        stall: Duration::from_secs(20),
        least: 200_000,
        total: Duration::from_secs(3600),
    };

    /// What suits a person who asked for something else, and may have no network, or a slow one:
    /// at 100 kB a second MNIST comes within two minutes.
    pub const BRIEF: Self = Self {
        answer: Duration::from_secs(3),
        silence: Duration::from_secs(4),
        stall: Duration::from_secs(10),
        least: 1_000_000,
        total: Duration::from_secs(120),
    };
}

/// What happens during a download.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A host is asked for a file.
    Asked {
        /// The address of the file.
        url: &'a str,
    },
    /// More of the file has come.
    Received {
        /// How much there is now.
        bytes: u64,
        /// How long the file is.
        of: u64,
    },
    /// The file is there, and is what it should be.
    Checked,
    /// Files were unpacked from an archive.
    Unpacked {
        /// The archive.
        archive: &'a Path,
        /// Its size.
        bytes: u64,
        /// Whether it stays where it is.
        is_kept: bool,
    },
    /// The host did not give the file; another one may.
    Failed(&'a HostFailure),
}

/// A published data set that is in the cache folder, all its files checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// What a report calls it.
    pub title: String,
    /// An archive, or a folder of IDX files.
    pub path: PathBuf,
    /// The size of the files together.
    pub bytes: u64,
    /// Whether they were unpacked from an archive: it is that which had the published checksum.
    pub is_unpacked: bool,
}

/// Fetches published data sets.
#[derive(Clone, Debug)]
pub struct Downloader {
    /// What is published where.
    pub catalogue: Catalogue,
    /// The cache folder.
    pub cache: Cache,
    /// The address of a folder with the published files, asked instead of the catalogue's hosts.
    pub mirror: Option<String>,
    /// Whether an archive stays that more than one data set is in.
    pub keep_archives: bool,
    /// How long hosts are waited for.
    pub patience: Patience,
}

impl Downloader {
    /// A downloader with the catalogue and the cache folder that the environment names, or the
    /// usual ones.
    ///
    /// # Errors
    /// When the environment names a catalogue that cannot be read.
    pub fn from_env() -> Result<Self> {
        let (catalogue, cache) = (Catalogue::from_env()?, Cache::from_env());
        Ok(Self { catalogue, cache, mirror: None, keep_archives: false, patience: Patience::USUAL })
    }

    /// The data set called `name`, if all its files are in the cache folder.
    ///
    /// # Errors
    /// When there is no data set of that name.
    pub fn cached(&self, name: &str) -> Result<Option<Fetched>> {
        let publication = self.publication(name)?;
        let Some(folder) = self.cache.folder() else { return Ok(None) };
        let folder = folder.join(name);
        let whole = publication.editions.iter().find_map(|edition| match edition.archive() {
            Some(archive) => {
                let bytes = archive.unpacked(&folder)?;
                Some(Fetched::unpacked(publication, &folder, bytes))
            }
            None => edition
                .files
                .iter()
                .all(|file| file.is_in(&folder))
                .then(|| Fetched::new(publication, edition, &folder)),
        });
        Ok(whole)
    }

    /// Gets the data set called `name` into the cache folder, unless it is there; `tell` is told
    /// how it goes.
    ///
    /// A connection that ends early is resumed, as often as bytes come, and so is what an earlier
    /// process left. Several processes may fetch the same data set at once. The whole wait is
    /// bounded by the [`patience`](Self::patience).
    ///
    /// # Errors
    /// When there is no data set of that name, when the cache folder cannot be written, or when no
    /// host has all files of an edition.
    pub fn fetch(&self, name: &str, tell: &mut dyn FnMut(Event<'_>)) -> Result<Fetched> {
        if let Some(fetched) = self.cached(name)? {
            return Ok(fetched);
        }
        let publication = self.publication(name)?;
        let Some(folder) = self.cache.folder() else {
            return Err(Error::NoCache);
        };
        let (cache, folder) = (folder, &folder.join(name));
        let mut fetch = Fetch::new(self, tell);
        for edition in &publication.editions {
            match edition.archive() {
                Some(archive) => {
                    if let Some(bytes) = fetch.archive(edition, archive, cache, folder)? {
                        return Ok(Fetched::unpacked(publication, folder, bytes));
                    }
                }
                None => {
                    create_folder(folder)?;
                    if fetch.edition(edition, folder)? {
                        return Ok(Fetched::new(publication, edition, folder));
                    }
                }
            }
        }
        Err(Error::Unavailable {
            title: publication.title.clone(),
            failures: fetch.into_failures(),
        })
    }

    /// Opens the data set called `name`, which is fetched first if need be.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn open(&self, name: &str, tell: &mut dyn FnMut(Event<'_>)) -> data::Result<Dataset> {
        let fetched = self.fetch(name, tell)?;
        let data = Dataset::open_with(&fetched.path, &self.cache)?;
        Ok(Dataset { name: fetched.title, ..data })
    }

    fn publication(&self, name: &str) -> Result<&Publication> {
        self.catalogue.get(name).ok_or_else(|| {
            let known = self.catalogue.names().map(str::to_owned).collect();
            Error::Unknown { name: name.to_owned(), known }
        })
    }
}

impl Fetched {
    fn new(publication: &Publication, edition: &Edition, folder: &Path) -> Self {
        let path = match edition.files.as_slice() {
            [archive] => folder.join(&archive.name),
            _ => folder.to_owned(),
        };
        let bytes = edition.files.iter().map(|file| file.bytes).sum();
        Self { title: publication.title.clone(), path, bytes, is_unpacked: false }
    }

    fn unpacked(publication: &Publication, folder: &Path, bytes: u64) -> Self {
        let (title, path) = (publication.title.clone(), folder.to_owned());
        Self { title, path, bytes, is_unpacked: true }
    }
}

impl PublishedFile {
    /// Whether `folder` has this file, every byte of it: the file itself, not a link, which may lead
    /// to another one when it is used.
    fn is_in(&self, folder: &Path) -> bool {
        let path = folder.join(&self.name);
        let Ok(file) = open_unfollowed(File::options().read(true), &path) else {
            return false;
        };
        file.metadata().is_ok_and(|found| found.len() == self.bytes)
            && is_of_no_stranger(&file, folder)
            && Bytes::map_file(file, &path).is_ok_and(|bytes| sha256(&bytes) == self.sha256)
    }
}
