//! The run folder: `config.json`, `history.csv`, `model.safetensors`, `report.json` and
//! `confusion_matrix.csv`.
//!
//! Each file is replaced as a whole, and none is left from an earlier run, so that whatever
//! interrupts a run, the folder speaks of that run alone and its model can be used.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::RunConfig;
use crate::files::{create_folder, read_bounded, write_atomically};
use crate::model::Network;
use crate::report::Report;
use crate::report::error::{Error, Result};
use crate::train::{ConfusionMatrix, Epoch};

/// The name of the trained network in a run folder.
pub const MODEL_FILE: &str = "model.safetensors";

/// More bytes than any `config.json` of ours has.
const LARGEST_CONFIG: u64 = 1 << 20;

const CONFIG_FILE: &str = "config.json";
const HISTORY_FILE: &str = "history.csv";
/// The columns of `history.csv`; the last two only where there is validation.
const HISTORY: [&str; 6] =
    ["epoch", "loss", "accuracy", "seconds", "validation_loss", "validation_accuracy"];
const REPORT_FILE: &str = "report.json";
const CONFUSION_FILE: &str = "confusion_matrix.csv";
/// What a run leaves beside its `config.json`.
const RESULT_FILES: [&str; 4] = [REPORT_FILE, CONFUSION_FILE, HISTORY_FILE, MODEL_FILE];

/// A folder that keeps one run.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    history: Vec<Epoch>,
}

impl RunFolder {
    /// The folder at `path`, made where it does not exist; the files of an earlier run in it are
    /// removed, other files are left alone.
    ///
    /// # Errors
    /// When the system refuses, or the folder holds a `config.json` that no run wrote, or files
    /// under our names without one.
    pub(super) fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        create_folder(&path)?;
        check_replaceable(&path.join(CONFIG_FILE))?;
        // The settings last: without them, the other files would not be known as a run's.
        for name in RESULT_FILES.into_iter().chain([CONFIG_FILE]) {
            let file = path.join(name);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io("replace", file)(error));
                }
                _ => {}
            }
        }
        Ok(Self { path, history: Vec::new() })
    }

    /// A new folder in `parent`, named by the first number from 1 that is free: runs count up,
    /// and two that start at once do not meet.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn create_next_in(parent: impl AsRef<Path>) -> Result<Self> {
        let parent = parent.as_ref();
        create_folder(parent)?;
        let mut number = 1 + greatest_number_in(parent)?;
        loop {
            let path = parent.join(number.to_string());
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path, history: Vec::new() }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(Error::io("create the folder", path)(error)),
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where its network is.
    pub(super) fn model_path(&self) -> PathBuf {
        self.path.join(MODEL_FILE)
    }

    /// Writes down what the run will do, and the network that it starts from.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn start(&self, config: &RunConfig, network: &Network) -> Result<()> {
        self.write_json(CONFIG_FILE, config)?;
        self.write_history()?;
        self.save(network)
    }

    /// Adds a completed epoch to the history, and keeps the network as it is after it.
    ///
    /// # Errors
    /// When a file cannot be written, or the network holds a number that is not finite; the
    /// folder then keeps what it had.
    pub(super) fn record(&mut self, epoch: &Epoch, network: &Network) -> Result<()> {
        self.save(network)?;
        self.history.push(*epoch);
        self.write_history()
    }

    /// Keeps the network as it is now.
    ///
    /// # Errors
    /// When the file cannot be written, or the network holds a number that is not finite; the
    /// folder then keeps the one that it had.
    pub(super) fn save(&self, network: &Network) -> Result<()> {
        for tensor in network.tensors() {
            if tensor.values.iter().any(|value| !value.is_finite()) {
                return Err(Error::NotFinite {
                    epoch: self.history.len() + 1,
                    tensor: tensor.name.clone(),
                });
            }
        }
        Ok(network.save(self.model_path())?)
    }

    /// Writes the report of the completed run.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn finish(&self, report: &Report) -> Result<()> {
        self.write_confusion_matrix(&report.test.confusion_matrix)?;
        self.write_json(REPORT_FILE, report)
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let path = self.path.join(name);
        let mut text = serde_json::to_vec_pretty(value)
            .map_err(|error| Error::Unwritable { path: path.clone(), source: error.into() })?;
        text.push(b'\n');
        Ok(write_atomically(&path, &text)?)
    }

    fn write_history(&self) -> Result<()> {
        let is_validated = self.history.iter().any(|epoch| epoch.validation.is_some());
        let rows = self.history.iter().map(|epoch| {
            let numbers = [epoch.loss, epoch.accuracy, epoch.seconds];
            let validation = epoch.validation.map(|of| [of.loss, of.accuracy]);
            let numbers = numbers.into_iter().chain(validation.into_iter().flatten());
            let row = std::iter::once(epoch.epoch.to_string());
            row.chain(numbers.map(|number| number.to_string())).collect::<Vec<_>>()
        });
        let columns = if is_validated { 6 } else { 4 };
        let header = HISTORY[..columns].iter().map(|&name| name.to_owned()).collect();
        self.write_csv(HISTORY_FILE, std::iter::once(header).chain(rows))
    }

    /// The true class down, in the first column; the predicted class across, in the header.
    fn write_confusion_matrix(&self, matrix: &ConfusionMatrix) -> Result<()> {
        let numbered = |first: String, others: &mut dyn Iterator<Item = String>| {
            std::iter::once(first).chain(others).collect::<Vec<_>>()
        };
        let classes = matrix.rows().len();
        let header = numbered("true\\predicted".into(), &mut (0..classes).map(|c| c.to_string()));
        let rows =
            matrix.rows().iter().enumerate().map(|(class, row)| {
                numbered(class.to_string(), &mut row.iter().map(u64::to_string))
            });
        self.write_csv(CONFUSION_FILE, std::iter::once(header).chain(rows))
    }

    fn write_csv<Row>(&self, name: &str, rows: impl Iterator<Item = Row>) -> Result<()>
    where
        Row: IntoIterator<Item = String>,
    {
        let path = self.path.join(name);
        let refused = |error: csv::Error| Error::io("write", &path)(error.into());
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in rows {
            writer.write_record(row).map_err(refused)?;
        }
        let text = writer.into_inner().map_err(|error| refused(error.into_error().into()))?;
        Ok(write_atomically(&path, &text)?)
    }
}

/// Refuses a `config.json` of something else, or files of our names without one: that folder was
/// surely not meant.
fn check_replaceable(config: &Path) -> Result<()> {
    if !config.exists() {
        let results = RESULT_FILES.map(|name| config.with_file_name(name));
        return match results.iter().find(|file| file.exists()) {
            Some(file) => Err(Error::NoRun(file.clone())),
            None => Ok(()),
        };
    }
    let bytes = read_bounded(config, LARGEST_CONFIG)?;
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if value.get("architecture").is_some() {
        return Ok(());
    }
    Err(Error::ForeignConfig(config.to_owned()))
}

/// The greatest number that names something in `folder`; 0 where none does.
fn greatest_number_in(folder: &Path) -> Result<u64> {
    let mut greatest = 0;
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let name = entry.map_err(Error::io("read", folder))?.file_name();
        let number = name.to_str().and_then(|name| name.parse::<u32>().ok()).unwrap_or(0);
        greatest = greatest.max(u64::from(number));
    }
    Ok(greatest)
}
