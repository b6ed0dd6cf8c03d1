//! `mnistry serve`: a page on this machine, to draw digits on and to look at runs.
//!
//! - `place`: what is served: a model, a run, or a folder of runs; nothing else is ever read;
//! - `server`: who may connect, and how many at once;
//! - `guard`: which requests are from the page itself;
//! - `site`: what is answered to which request;
//! - `drawing`, `models`, `corrections`: pictures that are read, by which network, and what they were;
//! - `runs`, `events`, `live`: what runs there are, and how those in progress do;
//! - `watched`: the page of a run that this process trains;
//! - `page/`: what the browser shows.

mod corrections;
mod drawing;
mod events;
mod guard;
mod live;
mod models;
mod place;
mod refusal;
mod runs;
mod server;
mod site;
mod watched;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use mnistry::{Engine, EngineOptions};
use serde::Serialize;

use super::interrupt::Interrupt;
use super::output::OutputOptions;
use super::{CommandError, Outcome, output};
pub(super) use live::Live;
use place::Place;
use server::Listener;
use site::Site;
pub(super) use watched::WatchedRun;

/// Where the page is, unless another port is asked for.
const PORT: u16 = 8484;
/// The folder that corrections are saved in, unless another is named.
const CORRECTIONS: &str = "corrections";

/// Serve a page to draw digits on, and to look at runs
///
/// The page has two views. Draw reads what is drawn with mouse, pen, finger or keys, and pictures
/// that are dropped or pasted, and shows what the network sees; a correction is saved as a labelled
/// picture, in a folder that `train --data` reads. Runs lists the runs of the folder, with their
/// reports, and shows those in progress live. Nothing leaves this machine. Ctrl-C ends it.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// A model file, a run folder, or a folder of run folders
    #[arg(value_name = "WHERE", default_value = "runs")]
    place: PathBuf,

    /// The port; 0 takes any that is free
    #[arg(long, value_name = "N", default_value_t = PORT)]
    port: u16,

    /// The address to listen on. Other than the loopback address, it lets everyone who reaches this
    /// machine use the page, unencrypted
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// Open the page in the browser
    #[arg(long)]
    open: bool,

    /// The folder that corrections are saved in
    #[arg(long, value_name = "DIR", default_value = CORRECTIONS)]
    corrections: PathBuf,

    #[command(flatten)]
    output: OutputOptions,
}

const EXAMPLES: &str = "\
Examples:
  mnistry serve --open                   the runs in the folder runs
  mnistry serve runs/1                   one run
  mnistry serve model.safetensors        a model file
  mnistry serve --port 0 --json          on any free port; prints the address as JSON";

/// The JSON of where the page is.
#[derive(Serialize)]
struct Address<'a> {
    url: &'a str,
}

impl Serve {
    pub(super) fn run(self) -> Result<Outcome, CommandError> {
        let place = Place::at(&self.place)?;
        let engine = engine()?;
        let _interrupt = Interrupt::listen(engine.stop_flag())?;
        let listener = Listener::at(self.host, self.port)?;
        if !self.host.is_loopback() {
            self.output.note(format_args!(
                "everyone who reaches this machine at port {} can use the page and see the runs",
                listener.port()
            ));
        }
        let url = listener.url();
        self.output
            .print(&Address { url: &url }, || format!("the page is at {url} until Ctrl-C\n"))?;
        if self.open {
            open_in_browser(&url);
        }
        let stop = engine.stop_flag();
        let site = Site::new(place, self.corrections, engine, None);
        listener.serve(Arc::new(site), &stop)?;
        Ok(Outcome::Done)
    }
}

/// One that leaves the other cores to whoever trains meanwhile.
fn engine() -> Result<Engine, CommandError> {
    let options = EngineOptions { threads: Some(1), ..EngineOptions::default() };
    Ok(Engine::new(options).map_err(mnistry::Error::from)?)
}

/// Opens the page at `url`. Where there is no browser, a person can still go there.
fn open_in_browser(url: &str) {
    if let Err(error) = open::that_detached(url) {
        output::note(format_args!("cannot open a browser ({error}): go to {url}"));
    }
}
