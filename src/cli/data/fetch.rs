//! `mnistry data fetch`: gets a published data set into the cache folder.

use std::path::PathBuf;

use clap::Args;
use mnistry::data::download::{Catalogue, Downloader};
use serde::Serialize;

use crate::cli::output::OutputOptions;
use crate::cli::transfer::Transfer;
use crate::cli::{CommandError, Outcome};

/// Fetch a published data set into the cache folder
///
/// Its files come from the hosts that publish them, in turn, and are used only when they have the
/// published size and SHA-256. A download that was cut short is resumed. Proxies are taken from the
/// environment (ALL_PROXY, HTTPS_PROXY, HTTP_PROXY, NO_PROXY); MNISTRY_CACHE_DIR names another cache
/// folder.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Fetch {
    /// The data set: mnist, fashion, kmnist, qmnist, or emnist-letters, -balanced, -byclass, -bymerge,
    /// -digits or -mnist, which are in one archive of 560 MB
    #[arg(value_parser = name)]
    name: String,

    /// Ask the folder at this address instead, which must have the files as they were published
    #[arg(long, value_name = "URL", value_parser = address)]
    mirror: Option<String>,

    /// Keep the archive that a data set of EMNIST is unpacked from, for the others
    #[arg(long)]
    keep_archive: bool,

    #[command(flatten)]
    output: OutputOptions,
}

const EXAMPLES: &str = "\
Examples:
  mnistry data fetch mnist
  mnistry data fetch emnist-letters --keep-archive
  mnistry data fetch fashion --mirror https://example.org/fashion-mnist/
  mnistry train --data \"$(mnistry data fetch mnist --json | jq -r .path)\"";

/// The JSON of a download.
#[derive(Serialize)]
struct Fetched {
    dataset: String,
    path: PathBuf,
    bytes: u64,
}

impl Fetch {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        let downloader = Downloader {
            mirror: self.mirror,
            keep_archives: self.keep_archive,
            ..Downloader::from_env()?
        };
        let mut transfer = Transfer::new(self.output.quiet);
        let fetched = downloader.fetch(&self.name, &mut |event| transfer.tell(&event))?;
        let checked = match fetched.is_unpacked {
            true => "of an archive that had the published checksum",
            false => "that have the published checksum",
        };
        let result = Fetched { dataset: fetched.title, path: fetched.path, bytes: fetched.bytes };
        self.output.print(&result, || {
            format!(
                "{} is in {}, {} bytes {checked}\n",
                result.dataset,
                result.path.display(),
                result.bytes
            )
        })
    }
}

/// A name of the catalogue; where that cannot be read, running says why.
fn name(text: &str) -> Result<String, String> {
    match Catalogue::from_env() {
        Ok(catalogue) if catalogue.get(text).is_none() => {
            let names: Vec<_> = catalogue.names().collect();
            Err(format!("there is no such data set to fetch: give {}", names.join(", ")))
        }
        _ => Ok(text.into()),
    }
}

fn address(text: &str) -> Result<String, String> {
    if text.starts_with("http://") || text.starts_with("https://") {
        Ok(text.into())
    } else {
        Err("give an address that begins with https:// or http://".into())
    }
}
