//! How far a run is: a bar an epoch on a terminal, a line an epoch elsewhere, both on stderr.

use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mnistry::train::{Epoch, Progress};

use super::epoch_rate::EpochRate;
use super::frame_clock::FrameClock;
use super::output;

/// Shows the progress of a run.
pub(super) struct Meter {
    epochs: usize,
    samples: usize,
    rate: EpochRate,
    display: Display,
}

enum Display {
    Bar { bar: ProgressBar, clock: FrameClock },
    Lines,
    Nothing,
}

/// How often a bar is drawn.
const FRAME: Duration = Duration::from_millis(50);

impl Meter {
    /// A meter of a run of `epochs`, each of `samples`.
    pub(super) fn new(epochs: usize, samples: usize, quiet: bool) -> Self {
        let display = if quiet {
            Display::Nothing
        } else if output::has_bars() {
            Display::Bar { bar: bar(1, epochs, samples), clock: FrameClock::new(FRAME) }
        } else {
            Display::Lines
        };
        Self { epochs, samples, rate: EpochRate::default(), display }
    }

    /// After each step; costs a few nanoseconds but once in a [`FRAME`].
    pub(super) fn step(&mut self, progress: &Progress) {
        let Display::Bar { bar, clock } = &mut self.display else { return };
        self.rate.step(progress.samples);
        if !clock.due() {
            return;
        }
        let Some(rate) = self.rate.at(progress.samples) else { return };
        let left = (self.samples - progress.samples) as f64 / rate;
        bar.set_message(format!(
            "loss {:.4}  accuracy {:.2} %  {} images/s  {:.0} s left",
            progress.epoch_loss,
            100.0 * progress.epoch_accuracy,
            HumanCount(rate as u64),
            left.ceil(),
        ));
        bar.set_position(progress.samples as u64);
    }

    /// After each epoch.
    pub(super) fn epoch(&mut self, epoch: &Epoch) {
        let rate = self.samples as f64 / epoch.seconds;
        let validation = epoch.validation.map_or_else(String::new, |validation| {
            let (loss, accuracy) = (validation.loss, 100.0 * validation.accuracy);
            format!("  validation loss {loss:.4}  accuracy {accuracy:.2} %")
        });
        let summary = format!(
            "loss {:.4}  accuracy {:.2} %{validation}  {} images/s  {:.2} s",
            epoch.loss,
            100.0 * epoch.accuracy,
            HumanCount(rate as u64),
            epoch.seconds,
        );
        match &mut self.display {
            Display::Bar { bar: current, .. } => {
                current.finish_with_message(summary);
                if epoch.epoch < self.epochs {
                    *current = bar(epoch.epoch + 1, self.epochs, self.samples);
                }
            }
            Display::Lines => {
                output::note(format_args!("epoch {}/{}  {summary}", epoch.epoch, self.epochs));
            }
            Display::Nothing => {}
        }
        self.rate = EpochRate::default();
    }

    /// Leaves the bar of an unfinished epoch as it is, so that text can follow.
    pub(super) fn abandon(&self) {
        if let Display::Bar { bar, .. } = &self.display
            && !bar.is_finished()
        {
            bar.abandon();
        }
    }
}

fn bar(epoch: usize, epochs: usize, samples: usize) -> ProgressBar {
    let frames_a_second = (Duration::from_secs(1).as_millis() / FRAME.as_millis()) as u8;
    let target = ProgressDrawTarget::stderr_with_hz(frames_a_second);
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─");
    ProgressBar::with_draw_target(Some(samples as u64), target)
        .with_style(style)
        .with_prefix(format!("epoch {epoch}/{epochs}"))
}
