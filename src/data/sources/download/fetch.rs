//! A download under way: edition after edition, file after file, host after host.

use std::path::Path;
use std::time::{Duration, Instant};

use super::error::Result;
use super::{Downloader, Event};
use crate::data::sources::download::catalogue::{Edition, PublishedFile};
use crate::data::sources::download::host_failure::{Cause, HostFailure, host_of};
use crate::data::sources::download::pace::{Deadline, LeastRate};
use crate::data::sources::download::partial_file::PartialFile;
use crate::data::sources::download::receive::{ReceiveError, RemoteFile};
use crate::data::sources::download::unpacked::Archive;
use crate::files::{self, create_folder};

/// How often in turn an address is asked for what is missing when nothing of it comes.
const FRUITLESS: usize = 5;

/// A download.
pub(super) struct Fetch<'a> {
    downloader: &'a Downloader,
    failures: Vec<HostFailure>,
    /// How long hosts were waited for that did not answer.
    silence: Duration,
    deadline: Deadline,
    tell: &'a mut dyn FnMut(Event<'_>),
}

impl<'a> Fetch<'a> {
    pub(super) fn new(downloader: &'a Downloader, tell: &'a mut dyn FnMut(Event<'_>)) -> Self {
        let deadline = Deadline::after(downloader.patience.total);
        Self { downloader, failures: vec![], silence: Duration::ZERO, deadline, tell }
    }

    /// What went wrong.
    pub(super) fn into_failures(self) -> Vec<HostFailure> {
        self.failures
    }

    /// Gets `archive`, the only file of `edition`, into a folder of its own in the `cache`, unless it
    /// is there, and unpacks its part for the data set into `folder`. Returns the size of that part;
    /// `None` where no host had the archive.
    pub(super) fn archive(
        &mut self,
        edition: &Edition,
        archive: Archive<'_>,
        cache: &Path,
        folder: &Path,
    ) -> Result<Option<u64>> {
        let from = archive.folder(cache);
        let path = from.join(&archive.file.name);
        let is_kept = self.downloader.keep_archives || path.is_file();
        create_folder(&from)?;
        if !self.edition(edition, &from)? {
            return Ok(None);
        }
        let bytes = archive.unpack(&from, folder)?;
        if !is_kept {
            archive.remove(&from)?;
        }
        (self.tell)(Event::Unpacked { archive: &path, bytes: archive.file.bytes, is_kept });
        Ok(Some(bytes))
    }

    /// Gets the files of `edition` that are not in `folder`; says whether that is now all of them.
    pub(super) fn edition(&mut self, edition: &Edition, folder: &Path) -> Result<bool> {
        let hosts = match &self.downloader.mirror {
            Some(mirror) => std::slice::from_ref(mirror),
            None => &edition.hosts,
        };
        for file in &edition.files {
            if !file.is_in(folder) && !self.file(file, hosts, folder)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks one host after the other for `file`, to be put in `folder`; says whether one had it.
    fn file(&mut self, file: &PublishedFile, hosts: &[String], folder: &Path) -> Result<bool> {
        for host in hosts {
            let slash = if host.ends_with('/') { "" } else { "/" };
            let url = format!("{host}{slash}{}", file.name);
            if self.is_given_up(&url) {
                continue;
            }
            (self.tell)(Event::Asked { url: &url });
            let begun = Instant::now();
            match self.file_at(&url, file, folder) {
                Ok(()) => {
                    (self.tell)(Event::Checked);
                    return Ok(true);
                }
                Err(ReceiveError::File(error)) => return Err(error.into()),
                Err(ReceiveError::Host(cause)) => {
                    if cause.is_of_host() {
                        self.silence += begun.elapsed();
                    }
                    let failure = HostFailure { url, cause };
                    (self.tell)(Event::Failed(&failure));
                    self.failures.push(failure);
                }
            }
        }
        Ok(false)
    }

    /// Whether there is no use in asking: the host failed already, or all of them do.
    fn is_given_up(&self, url: &str) -> bool {
        let is_final = |cause: &Cause| cause.is_of_host() || cause.is_slowness();
        let mut failures = self.failures.iter().filter(|failure| is_final(&failure.cause));
        self.silence >= self.downloader.patience.silence
            || self.deadline.left().is_none()
            || failures.any(|failure| host_of(&failure.url) == host_of(url))
    }

    /// Gets `file` from `url`, checks it, and gives it its name.
    fn file_at(
        &mut self,
        url: &str,
        file: &PublishedFile,
        folder: &Path,
    ) -> Result<(), ReceiveError> {
        let patience = self.downloader.patience;
        let left = patience.silence.saturating_sub(self.silence).max(Duration::from_secs(1));
        let mut rate = LeastRate::of(&patience);
        let remote = RemoteFile { url, file, patience, answers: left, deadline: self.deadline };
        let mut partial = PartialFile::open(folder, &file.name)?;
        let mut attempts = Attempts::from(partial.len());
        loop {
            let cause = match remote.receive(&mut partial, &mut rate, self.tell) {
                Ok(()) => {
                    let found = partial.sha256()?;
                    if found == file.sha256 {
                        return Ok(complete(partial, file, folder)?);
                    }
                    partial.clear()?;
                    Cause::Checksum { found, expected: file.sha256.clone() }
                }
                Err(ReceiveError::Host(cause)) => {
                    if cause.is_slowness() {
                        // Another connection is another chance.
                        rate = LeastRate::of(&patience);
                    }
                    cause
                }
                Err(error) => return Err(error),
            };
            if !attempts.are_worth_another(&cause, partial.len(), patience.least) {
                return Err(cause.into());
            }
        }
    }
}

/// Gives the checked `partial` file the name of `file` in `folder`, and removes what else there is of
/// it.
fn complete(partial: PartialFile, file: &PublishedFile, folder: &Path) -> files::Result<()> {
    // Some systems do not replace a file that is in use. Another process then has the same one.
    match partial.rename(&folder.join(&file.name)) {
        Err(refused) if !file.is_in(folder) => return Err(refused),
        _ => {}
    }
    PartialFile::sweep(folder, &file.name)
}

/// The attempts at one address.
struct Attempts {
    /// Whether there are bytes that another attempt may have got wrong.
    is_resumed: bool,
    /// How many bytes there were at most.
    furthest: u64,
    /// Whether this host has given some of them.
    has_given: bool,
    /// How many attempts in turn gave nothing new.
    fruitless: usize,
}

impl Attempts {
    /// None yet, where `start` bytes have been left.
    fn from(start: u64) -> Self {
        Self { is_resumed: start > 0, furthest: start, has_given: false, fruitless: 0 }
    }

    /// Whether to ask again after an attempt that ended by `cause` with `len` bytes; a stop is
    /// borne with only after `least` new ones.
    fn are_worth_another(&mut self, cause: &Cause, len: u64, least: u64) -> bool {
        let came = len.saturating_sub(self.furthest);
        self.furthest = self.furthest.max(len);
        self.has_given |= came > 0;
        self.fruitless = if came > 0 { 0 } else { self.fruitless + 1 };
        match cause {
            // Once from the start: the bytes that were there before may have been wrong.
            Cause::Checksum { .. } => {
                self.furthest = 0;
                std::mem::take(&mut self.is_resumed)
            }
            Cause::Stalled { .. } => came >= least,
            Cause::Cut { .. } => {
                self.is_resumed = true;
                self.fruitless < FRUITLESS
            }
            Cause::Unreachable(_) => self.has_given && self.fruitless < FRUITLESS,
            _ => false,
        }
    }
}
