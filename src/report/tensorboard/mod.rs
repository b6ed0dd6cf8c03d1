//! Runs as TensorBoard shows them: folders of event files, `train`, `validation` and `test`, whose
//! curves of one name it draws over each other.
//!
//! The names are those of Keras's callback: `epoch_loss`, `epoch_accuracy` and
//! `epoch_learning_rate` by epoch, `batch_loss` and `batch_learning_rate` by step, both counted from
//! 1 over the whole run; `confusion_matrix` is an image.

mod confusion_image;
mod event;
mod event_file;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::TestReport;
use super::error::{Error, Result};
use crate::files::create_folder;
use crate::train::{Epoch, FitOptions, Progress};
use event::Value;
use event_file::EventFile;

/// What is told of the images that are trained on.
const TRAIN: &str = "train";
/// What is told of those that are set aside.
const VALIDATION: &str = "validation";
/// What is told of the test images.
const TEST: &str = "test";

/// The event files of a run that goes on.
#[derive(Debug)]
pub(super) struct TensorBoard {
    folder: PathBuf,
    train: EventFile,
    validation: Option<EventFile>,
    options: FitOptions,
    steps_per_epoch: usize,
    /// Steps over the whole run.
    step: usize,
}

/// Makes `folder` for the events of a new run.
///
/// # Errors
/// When it cannot be made, or has events of another run, whose curves would be taken for one.
pub(super) fn prepare(folder: &Path) -> Result<()> {
    create_folder(folder)?;
    for part in [TRAIN, VALIDATION, TEST] {
        let part = folder.join(part);
        let entries = match fs::read_dir(&part) {
            Err(said) if said.kind() == ErrorKind::NotFound => continue,
            entries => entries.map_err(Error::io("read", &part))?,
        };
        for entry in entries {
            let name = entry.map_err(Error::io("read", &part))?.file_name();
            if name.to_string_lossy().contains(event_file::MARK) {
                return Err(Error::OtherEvents(folder.to_owned()));
            }
        }
    }
    Ok(())
}

impl TensorBoard {
    /// Begins files in `folder`, beside those that are there, of a run with `options` that trains on
    /// `images` images an epoch, of which so many steps are done.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn begin(
        folder: &Path,
        options: FitOptions,
        images: usize,
        step: usize,
    ) -> Result<Self> {
        let train = EventFile::begin(&folder.join(TRAIN))?;
        let steps_per_epoch = images.div_ceil(options.batch_size).max(1);
        Ok(Self {
            folder: folder.to_owned(),
            train,
            validation: None,
            options,
            steps_per_epoch,
            step,
        })
    }

    /// Adds a step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add_step(&mut self, progress: &Progress) -> Result<()> {
        self.step += 1;
        let rate = self.options.learning_rate(self.step, self.steps_per_epoch);
        let values = vec![
            Value::scalar("batch_loss", progress.loss.into()),
            Value::scalar("batch_learning_rate", rate),
        ];
        self.train.add(self.step, values)
    }

    /// Adds a completed epoch; it is shown from then on, with all its steps.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add_epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let last = epoch.epoch * self.steps_per_epoch;
        let rate = self.options.learning_rate(last, self.steps_per_epoch);
        let mut values = scores(epoch.loss, epoch.accuracy);
        values.push(Value::scalar("epoch_learning_rate", rate));
        self.train.add(epoch.epoch, values)?;
        self.train.flush()?;
        let Some(validation) = epoch.validation else { return Ok(()) };
        let file = match &mut self.validation {
            Some(file) => file,
            None => self.validation.insert(EventFile::begin(&self.folder.join(VALIDATION))?),
        };
        file.add(epoch.epoch, scores(validation.loss, validation.accuracy))?;
        file.flush()
    }

    /// Writes what is not written yet.
    ///
    /// # Errors
    /// When that fails.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.train.flush()
    }
}

/// Adds to `folder` how the network is tested after `epoch` epochs.
///
/// # Errors
/// When it cannot be written.
pub(super) fn add_test(folder: &Path, epoch: usize, test: &TestReport) -> Result<()> {
    let mut file = EventFile::begin(&folder.join(TEST))?;
    let mut values = scores(test.loss, test.accuracy);
    let image = confusion_image::encode(&test.confusion_matrix)?;
    values.push(Value::image("confusion_matrix", image));
    file.add(epoch, values)?;
    file.flush()
}

/// How well images are read.
fn scores(loss: f64, accuracy: f64) -> Vec<Value> {
    vec![Value::scalar("epoch_loss", loss), Value::scalar("epoch_accuracy", accuracy)]
}
