//! How far a download is: a bar a file on a terminal, a line a file elsewhere, both on stderr.

use indicatif::{DecimalBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mnistry::data::download::Event;

use super::output;

/// Shows the progress of a download, from its first byte on: what cannot be fetched is told by
/// whoever wanted it.
pub(super) struct Transfer {
    quiet: bool,
    /// The address that was asked last.
    url: String,
    state: State,
}

enum State {
    /// Nothing has come.
    Waiting,
    /// Something has, and that was said.
    Said,
    /// Something has, and is shown.
    Shown(ProgressBar),
}

impl Transfer {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet, url: String::new(), state: State::Waiting }
    }

    /// To be told of every event.
    pub(super) fn tell(&mut self, event: &Event<'_>) {
        if self.quiet {
            return;
        }
        match (event, &self.state) {
            (Event::Asked { url }, _) => {
                self.url.clear();
                self.url.push_str(url);
            }
            (Event::Received { bytes, of }, State::Waiting) => self.state = self.begin(*bytes, *of),
            (Event::Received { bytes, .. }, State::Shown(bar)) => bar.set_position(*bytes),
            (Event::Received { .. }, State::Said) => {}
            (Event::Checked | Event::Failed(_), state) => {
                if let State::Shown(bar) = state {
                    bar.abandon();
                }
                self.state = State::Waiting;
            }
            (Event::Unpacked { archive, bytes, is_kept }, _) => {
                let size = DecimalBytes(*bytes);
                match is_kept {
                    true => output::note(format_args!(
                        "{} ({size}) is kept, for the other data sets in it; it may be deleted",
                        archive.display()
                    )),
                    false => output::note(format_args!(
                        "the archive ({size}) is not kept; with `data fetch --keep-archive` it stays \
                         for the other data sets in it"
                    )),
                }
            }
            _ => {}
        }
    }

    /// Shows or says that the first bytes have come.
    fn begin(&self, bytes: u64, of: u64) -> State {
        if !output::has_bars() {
            output::note(format_args!("fetching {} ({})", self.url, DecimalBytes(of)));
            return State::Said;
        }
        let template = "fetching {prefix} {wide_bar} {decimal_bytes} of {decimal_total_bytes}  \
                        {decimal_bytes_per_sec}";
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸─");
        let bar = ProgressBar::with_draw_target(Some(of), ProgressDrawTarget::stderr())
            .with_style(style)
            .with_prefix(self.url.rsplit('/').next().unwrap_or_default().to_owned())
            .with_position(bytes);
        State::Shown(bar)
    }
}
