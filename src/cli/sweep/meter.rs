//! How far a sweep is: a bar on a terminal, now and then a line elsewhere, both on stderr.

use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mnistry::sweep::SweepProgress;

use crate::cli::output;

/// Shows the progress of a sweep.
pub(super) struct SweepMeter {
    start: Instant,
    display: Display,
}

enum Display {
    Bar(ProgressBar),
    /// When the last line was said.
    Lines(Option<Instant>),
    Nothing,
}

/// Into how many parts a bar divides the work.
const PARTS: u64 = 10_000;

/// So long after one line comes the next.
const APART: Duration = Duration::from_secs(10);

impl SweepMeter {
    pub(super) fn new(quiet: bool) -> Self {
        let display = match (quiet, output::has_bars()) {
            (true, _) => Display::Nothing,
            (false, true) => Display::Bar(bar()),
            (false, false) => Display::Lines(None),
        };
        Self { start: Instant::now(), display }
    }

    /// After each run.
    pub(super) fn tell(&mut self, progress: &SweepProgress<'_>) {
        let &SweepProgress { done, of, rung, best, share, .. } = progress;
        let left = self.start.elapsed().mul_f64((1.0 - share).max(0.0) / share.max(f64::EPSILON));
        let rung = rung.map_or_else(String::new, |rung| format!("rung {}: ", rung.number));
        let best = best.and_then(|best| best.outcome.judged());
        let best = best.map_or_else(String::new, |best| format!("  best {:.2} %", 100.0 * best));
        let said = format!(
            "{rung}{done}/{of} run{}  {} left{best}",
            if of == 1 { "" } else { "s" },
            HumanDuration(left)
        );
        match &mut self.display {
            Display::Bar(bar) => {
                bar.set_length(PARTS);
                bar.set_position((share * PARTS as f64) as u64);
                bar.set_message(said);
            }
            Display::Lines(last) => {
                if done == of || last.is_none_or(|last| last.elapsed() >= APART) {
                    *last = Some(Instant::now());
                    output::note(format_args!("{said}"));
                }
            }
            Display::Nothing => {}
        }
    }

    /// Leaves the bar as it is, so that text can follow.
    pub(super) fn end(&self) {
        if let Display::Bar(bar) = &self.display {
            bar.abandon();
        }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─");
    ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr()).with_style(style)
}
