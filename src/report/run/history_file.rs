//! `history.csv`: a line an epoch.

use std::path::PathBuf;

use serde::Deserialize;

use crate::files::{LineFile, csv_text, whole_lines};
use crate::report::error::Result;
use crate::train::{Epoch, Validation};

/// The columns; the last two only where there is validation.
const COLUMNS: [&str; 6] =
    ["epoch", "loss", "accuracy", "seconds", "validation_loss", "validation_accuracy"];

/// The history of a run, to which epochs are added line by line.
#[derive(Debug)]
pub(super) struct HistoryFile {
    path: PathBuf,
    /// Since the first line was added.
    lines: Option<LineFile>,
}

impl HistoryFile {
    /// The file at `path`, which is there when the first epoch is added.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path, lines: None }
    }

    /// The text of a file with `epochs`.
    pub(super) fn text(epochs: &[Epoch], is_validated: bool) -> Result<Vec<u8>> {
        let columns = if is_validated { 6 } else { 4 };
        let header = COLUMNS[..columns].iter().map(|&name| name.to_owned()).collect();
        Ok(csv_text(std::iter::once(header).chain(epochs.iter().map(row)))?)
    }

    /// The epochs of a file that holds `bytes`.
    pub(super) fn epochs(bytes: &[u8]) -> Result<Vec<Epoch>, csv::Error> {
        let mut lines = csv::Reader::from_reader(whole_lines(bytes));
        let epochs = lines.deserialize().map(|line| line.map(Line::epoch));
        epochs.collect()
    }

    /// Whether a line was added.
    pub(super) fn is_open(&self) -> bool {
        self.lines.is_some()
    }

    /// Adds a completed epoch.
    ///
    /// # Errors
    /// When the file cannot be written; it then has no half line.
    pub(super) fn add(&mut self, epoch: &Epoch) -> Result<()> {
        let lines = match &mut self.lines {
            Some(lines) => lines,
            None => self.lines.insert(LineFile::open(&self.path)?),
        };
        Ok(lines.add(&csv_text(std::iter::once(row(epoch)))?)?)
    }

    /// Waits until all lines are on the disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn sync(&self) -> Result<()> {
        Ok(self.lines.as_ref().map_or(Ok(()), LineFile::sync)?)
    }
}

/// A line as it is read.
#[derive(Deserialize)]
struct Line {
    epoch: usize,
    loss: f64,
    accuracy: f64,
    seconds: f64,
    validation_loss: Option<f64>,
    validation_accuracy: Option<f64>,
}

impl Line {
    fn epoch(self) -> Epoch {
        let Self { epoch, loss, accuracy, seconds, validation_loss, validation_accuracy } = self;
        let validation = validation_loss.zip(validation_accuracy);
        let validation = validation.map(|(loss, accuracy)| Validation { loss, accuracy });
        Epoch { epoch, loss, accuracy, seconds, validation }
    }
}

fn row(epoch: &Epoch) -> Vec<String> {
    let numbers = [epoch.loss, epoch.accuracy, epoch.seconds];
    let validation = epoch.validation.map(|of| [of.loss, of.accuracy]);
    let numbers = numbers.into_iter().chain(validation.into_iter().flatten());
    std::iter::once(epoch.epoch.to_string()).chain(numbers.map(|n| n.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_but_for_a_line_without_an_end() {
        let epoch = |epoch, validation| Epoch {
            epoch,
            loss: 0.1 + 0.2,
            accuracy: 1.0 / 3.0,
            seconds: 1e-9,
            validation,
        };
        let validation = Some(Validation { loss: 0.1, accuracy: 0.9 });
        for validation in [None, validation] {
            let epochs = [epoch(1, validation), epoch(2, validation)];
            let mut text = HistoryFile::text(&epochs, validation.is_some()).unwrap();
            text.extend(b"3,0.1");
            assert_eq!(HistoryFile::epochs(&text).unwrap(), epochs);
            text.push(b'\n');
            assert!(HistoryFile::epochs(&text).is_err());
        }
        assert_eq!(HistoryFile::epochs(b"").unwrap(), []);
    }
}
