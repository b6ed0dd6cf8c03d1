//! A state on disk: `checkpoint.safetensors`.
//!
//! The parameters stand under their own names, what the optimiser keeps beside them under
//! `slot_1.`, `slot_2.` before the name, the network of the lowest validation loss under `best.`;
//! `epochs` is a row of f64 for each completed epoch, `partial` one for the epoch that is not
//! complete. All else is metadata. Every number is kept to the bit.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::early_stopping::Best;
use super::history::{Epoch, Validation};
use super::options::FitOptions;
use super::state::{PartialEpoch, State};
use crate::data::ClassNames;
use crate::exec::layers::loss::Totals;
use crate::files::{read_bounded, write_atomically};
use crate::model::{
    self, Architecture, FileProblem, Network, Tensor, TensorFile, TensorFileWriter,
};

/// The largest checkpoint that is read: parameters, two slots and the best parameters.
const LARGEST_FILE: u64 = 1 << 34;

/// The key of the metadata, one JSON text.
const METADATA_KEY: &str = "mnistry.checkpoint";
const FORMAT: u32 = 1;

/// The prefix of the network of the lowest validation loss.
const BEST: &str = "best.";
/// The columns of `epochs`: loss, accuracy, seconds, and, where there is validation, its loss and
/// accuracy.
const COLUMNS: [usize; 2] = [3, 5];

/// What a checkpoint says besides its tensors.
#[derive(Serialize, Deserialize)]
struct Metadata {
    /// Counts incompatible changes of this record.
    format: u32,
    architecture: Architecture,
    /// What the network's classes are called, if it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class_names: Option<ClassNames>,
    fit: FitOptions,
    /// How many slots the optimiser has, none before the first step.
    slots: usize,
    /// Steps and samples of the epoch that is not complete, and how many of them were right.
    steps: usize,
    samples: usize,
    correct: usize,
    /// The epoch of the lowest validation loss.
    best: Option<usize>,
}

impl State {
    /// Writes the state to `path`, which is replaced as a whole.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), model::Error> {
        let path = path.as_ref();
        Ok(write_atomically(path, &self.to_bytes(path)?)?)
    }

    /// What [`save`](Self::save) writes to `path`.
    ///
    /// # Errors
    /// When the format cannot say the state.
    pub(crate) fn to_bytes(&self, path: &Path) -> Result<Vec<u8>, model::Error> {
        let PartialEpoch { steps, totals, seconds } = self.partial;
        let metadata = Metadata {
            format: FORMAT,
            architecture: self.network.architecture().clone(),
            class_names: self.network.class_names().cloned(),
            fit: self.options,
            slots: self.slots.len(),
            steps,
            samples: totals.samples,
            correct: totals.correct,
            best: self.best.as_ref().map(|best| best.epoch),
        };
        let mut file = TensorFileWriter::new(path, METADATA_KEY, &metadata)?;
        file.add_tensors("", self.network.tensors());
        for (slot, tensors) in self.slots.iter().enumerate() {
            file.add_tensors(&prefix(slot), tensors);
        }
        if let Some(best) = &self.best {
            file.add_tensors(BEST, best.network.tensors());
        }
        let epochs: Vec<f64> = self.epochs.iter().flat_map(row).collect();
        file.add_numbers("epochs", &[self.epochs.len(), columns(&self.options)], &epochs);
        let best_loss = self.best.as_ref().map_or(0.0, |best| best.loss);
        let partial = [totals.loss, seconds, best_loss];
        file.add_numbers("partial", &[partial.len()], &partial);
        file.into_bytes()
    }

    /// Reads a state that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// When the file cannot be read, or is no state of a run.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, model::Error> {
        let path = path.as_ref();
        Self::from_bytes(path, &read_bounded(path, LARGEST_FILE)?)
    }

    /// The state that [`to_bytes`](Self::to_bytes) gave for `path`.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, model::Error> {
        let file = TensorFile::parse(path, bytes)?;
        let metadata: Metadata = file.metadata(METADATA_KEY)?;
        if metadata.format != FORMAT {
            return Err(file.invalid(FileProblem::Format { found: metadata.format, read: FORMAT }));
        }
        let contradiction = || file.invalid(FileProblem::Contradiction);
        let Metadata {
            architecture, class_names, fit, slots, steps, samples, correct, best, ..
        } = metadata;
        fit.check().map_err(|error| file.invalid(FileProblem::Metadata(error.into())))?;
        let kept = fit.optimizer.slots() - 1;
        if slots != 0 && slots != kept {
            return Err(contradiction());
        }
        let network = |prefix: &str| {
            let tensors = file.tensors(prefix, &architecture)?;
            Network::from_tensors(architecture.clone(), tensors)
                .and_then(|network| match &class_names {
                    Some(names) => network.with_class_names(names.clone()),
                    None => Ok(network),
                })
                .map_err(|error| file.invalid(error.into()))
        };
        let slots = (0..slots).map(|slot| file.tensors(&prefix(slot), &architecture));
        let slots: Vec<Vec<Tensor>> = slots.collect::<Result<_, model::Error>>()?;
        let [loss, seconds, best_loss] = file.numbers("partial", 3)?[..] else {
            return Err(contradiction());
        };
        let best = match best {
            Some(epoch) => Some(Best { epoch, loss: best_loss, network: network(BEST)? }),
            None => None,
        };
        let columns = columns(&fit);
        let rows = file.numbers("epochs", columns)?;
        let epochs: Vec<Epoch> = rows.chunks_exact(columns).zip(1..).map(epoch).collect();
        let totals = Totals { samples, loss, correct };
        let partial = PartialEpoch { steps, totals, seconds };
        let is_sound = correct <= samples
            && best.as_ref().is_none_or(|best| (1..=epochs.len()).contains(&best.epoch))
            && (slots.len() == kept || epochs.is_empty() && steps == 0);
        if !is_sound {
            return Err(contradiction());
        }
        Ok(Self { options: fit, network: network("")?, slots, epochs, partial, best })
    }
}

/// What the names of slot `slot` beyond the parameters, counted from 0, begin with.
fn prefix(slot: usize) -> String {
    format!("slot_{}.", slot + 1)
}

/// How many numbers a row of `epochs` has.
fn columns(options: &FitOptions) -> usize {
    COLUMNS[usize::from(options.is_validated())]
}

fn row(epoch: &Epoch) -> impl Iterator<Item = f64> + use<> {
    let validation = epoch.validation.map(|found| [found.loss, found.accuracy]);
    [epoch.loss, epoch.accuracy, epoch.seconds].into_iter().chain(validation.into_iter().flatten())
}

fn epoch((row, number): (&[f64], usize)) -> Epoch {
    let validation = match row[3..] {
        [loss, accuracy] => Some(Validation { loss, accuracy }),
        _ => None,
    };
    let [loss, accuracy, seconds] = [row[0], row[1], row[2]];
    Epoch { epoch: number, loss, accuracy, seconds, validation }
}
