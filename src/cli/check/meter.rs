//! How far a check is: a bar on a terminal, now and then a line elsewhere, both on stderr.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::output;

/// Shows the progress of a check.
pub(super) struct CheckMeter {
    cases: usize,
    display: Display,
}

enum Display {
    Bar(ProgressBar),
    /// When the last line was said, or the check began.
    Lines(Instant),
    Nothing,
}

/// So long after one line comes the next.
const APART: Duration = Duration::from_secs(10);

impl CheckMeter {
    /// A meter of a check of so many `cases`.
    pub(super) fn new(cases: usize, quiet: bool) -> Self {
        let display = match (quiet, output::has_bars()) {
            (true, _) => Display::Nothing,
            (false, true) => Display::Bar(bar(cases)),
            (false, false) => Display::Lines(Instant::now()),
        };
        Self { cases, display }
    }

    /// After each case, so many being `done`.
    pub(super) fn tell(&mut self, done: usize) {
        match &mut self.display {
            Display::Bar(bar) => bar.set_position(done as u64),
            Display::Lines(last) => {
                if done < self.cases && last.elapsed() >= APART {
                    *last = Instant::now();
                    output::note(format_args!("{done}/{} cases", self.cases));
                }
            }
            Display::Nothing => {}
        }
    }

    /// Takes the bar away, so that text can follow.
    pub(super) fn end(&self) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
    }
}

fn bar(cases: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} cases  {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─");
    ProgressBar::with_draw_target(Some(cases as u64), ProgressDrawTarget::stderr())
        .with_style(style)
}
