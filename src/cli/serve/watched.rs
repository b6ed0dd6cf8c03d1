//! The page of a run that this process trains: `train --watch`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use super::live::{Live, Told};
use super::place::Place;
use super::runs::OwnRun;
use super::server::Listener;
use super::site::Site;
use super::{CORRECTIONS, PORT, engine, open_in_browser};
use crate::cli::CommandError;

/// The page, which a thread of its own serves.
pub(in crate::cli) struct WatchedRun {
    url: String,
    told: Told,
    server: JoinHandle<Result<(), CommandError>>,
}

impl WatchedRun {
    /// Shows the runs beside the one in `folder`, and that one live, until `stop` is set.
    ///
    /// # Errors
    /// When the system grants no socket or no thread.
    pub(in crate::cli) fn begin(
        folder: &Path,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, CommandError> {
        // The path as it is found among the runs of the folder around it.
        let around = match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = around.join(folder.file_name().unwrap_or_default());
        let told = Told::default();
        let own = OwnRun { folder, told: Arc::clone(&told) };
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        // Another page may have the port.
        let listener = Listener::at(host, PORT).or_else(|_| Listener::at(host, 0))?;
        let url = format!("{}#runs", listener.url());
        let site =
            Site::new(Place::Runs(around.to_owned()), CORRECTIONS.into(), engine()?, Some(own));
        let server = thread::Builder::new()
            .name("mnistry-page".into())
            .spawn(move || listener.serve(Arc::new(site), &stop))
            .map_err(CommandError::Thread)?;
        open_in_browser(&url);
        Ok(Self { url, told, server })
    }

    /// Where the page is.
    pub(in crate::cli) fn url(&self) -> &str {
        &self.url
    }

    /// What tells the page of the run's steps.
    pub(in crate::cli) fn live(&self) -> Live {
        Live::new(Arc::clone(&self.told))
    }

    /// Serves the page until the program is asked to end.
    ///
    /// # Errors
    /// When the server ended before.
    pub(in crate::cli) fn stay(self) -> Result<(), CommandError> {
        // A server that panicked has said why.
        self.server.join().unwrap_or(Ok(()))
    }
}
