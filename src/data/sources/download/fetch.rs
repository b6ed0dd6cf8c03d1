//! A download under way: edition after edition, file after file, host after host.

use std::path::Path;
use std::time::{Duration, Instant};

use super::error::Result;
use super::{Downloader, Event, Patience};
use crate::data::sources::download::catalogue::{Edition, PublishedFile};
use crate::data::sources::download::host_failure::{Cause, HostFailure, host_of};
use crate::data::sources::download::partial_file::PartialFile;
use crate::data::sources::download::receive::{ReceiveError, RemoteFile};
use crate::files;

/// How often an address is asked for what is missing, as long as each time something comes.
const ATTEMPTS: usize = 5;

/// A download into a folder.
pub(super) struct Fetch<'a> {
    downloader: &'a Downloader,
    folder: &'a Path,
    failures: Vec<HostFailure>,
    /// How long hosts were waited for that did not answer.
    silence: Duration,
    tell: &'a mut dyn FnMut(Event<'_>),
}

impl<'a> Fetch<'a> {
    pub(super) fn new(
        downloader: &'a Downloader,
        folder: &'a Path,
        tell: &'a mut dyn FnMut(Event<'_>),
    ) -> Self {
        Self { downloader, folder, failures: vec![], silence: Duration::ZERO, tell }
    }

    /// What went wrong.
    pub(super) fn into_failures(self) -> Vec<HostFailure> {
        self.failures
    }

    /// Gets the files of `edition` that are not there; says whether that is now all of them.
    pub(super) fn edition(&mut self, edition: &Edition) -> Result<bool> {
        let hosts = match &self.downloader.mirror {
            Some(mirror) => std::slice::from_ref(mirror),
            None => &edition.hosts,
        };
        for file in &edition.files {
            if !file.is_in(self.folder) && !self.file(file, hosts)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks one host after the other for `file`; says whether one had it.
    fn file(&mut self, file: &PublishedFile, hosts: &[String]) -> Result<bool> {
        for host in hosts {
            let slash = if host.ends_with('/') { "" } else { "/" };
            let url = format!("{host}{slash}{}", file.name);
            if self.is_given_up(&url) {
                continue;
            }
            (self.tell)(Event::Asked { url: &url });
            let begun = Instant::now();
            match self.file_at(&url, file) {
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
        let mut failures = self.failures.iter().filter(|failure| failure.cause.is_of_host());
        self.silence >= self.downloader.patience.silence
            || failures.any(|failure| host_of(&failure.url) == host_of(url))
    }

    /// Gets `file` from `url`, checks it, and gives it its name.
    fn file_at(&mut self, url: &str, file: &PublishedFile) -> Result<(), ReceiveError> {
        let Patience { answer, silence, stall } = self.downloader.patience;
        let left = silence.saturating_sub(self.silence).max(Duration::from_secs(1));
        let remote = RemoteFile { url, file, answer: answer.min(left), stall };
        let mut partial = PartialFile::open(self.folder, &file.name)?;
        let mut attempts = 0;
        loop {
            let before = partial.len();
            let cause = match remote.receive(&mut partial, self.tell) {
                Ok(()) => {
                    let found = partial.sha256()?;
                    if found == file.sha256 {
                        return Ok(self.complete(partial, file)?);
                    }
                    partial.clear()?;
                    Cause::Checksum { found, expected: file.sha256.clone() }
                }
                Err(ReceiveError::Host(cause)) => cause,
                Err(error) => return Err(error),
            };
            attempts += 1;
            let is_worth_another = match cause {
                // The bytes that were there before may have been wrong.
                Cause::Checksum { .. } => before > 0,
                Cause::Cut { .. } | Cause::Stalled { .. } => partial.len() > before,
                _ => false,
            };
            if attempts == ATTEMPTS || !is_worth_another {
                return Err(cause.into());
            }
        }
    }

    /// Gives the checked `partial` file the name of `file`, and removes what else there is of it.
    fn complete(&self, partial: PartialFile, file: &PublishedFile) -> files::Result<()> {
        // Some systems do not replace a file that is in use. Another process then has the same one.
        match partial.rename(&self.folder.join(&file.name)) {
            Err(refused) if !file.is_in(self.folder) => return Err(refused),
            _ => {}
        }
        PartialFile::sweep(self.folder, &file.name)
    }
}
