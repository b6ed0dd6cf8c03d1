//! Saved networks: safetensors with Keras's tensor names and layouts, and as metadata what is
//! needed to use them again. The bytes depend on the network alone.

use std::collections::HashSet;
use std::path::Path;

use super::error::{FileProblem, Result};
use super::record::NetworkRecord;
use super::tensor_file::{TensorFile, TensorFileWriter};
use super::{Architecture, Network};
use crate::data::ClassNames;
use crate::files::{read_bounded, write_atomically};

/// The largest model file that is read: no [`Architecture`] needs more.
pub(crate) const LARGEST_FILE: u64 = 1 << 32;

impl Network {
    /// Writes the network to `path`, by way of a temporary file, so that no half of a model is
    /// ever found there.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        Ok(write_atomically(path, &self.to_bytes(path)?)?)
    }

    /// What [`save`](Self::save) writes to `path`.
    ///
    /// # Errors
    /// When the format cannot say the network.
    pub(crate) fn to_bytes(&self, path: &Path) -> Result<Vec<u8>> {
        let mut file = TensorFileWriter::new(path, NetworkRecord::KEY, &NetworkRecord::of(self))?;
        file.add_tensors("", self.tensors());
        file.into_bytes()
    }

    /// Reads a network that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// When the file cannot be read, is not a safetensors file, was not written by this program,
    /// or its tensors do not fit its architecture.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::from_bytes(path, &read_bounded(path, LARGEST_FILE)?)
    }

    /// The network that the file at `path`, which holds `bytes`, describes.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(crate) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let file = TensorFile::parse(path, bytes)?;
        let record: NetworkRecord = file.metadata(NetworkRecord::KEY)?;
        let architecture = record.architecture().map_err(|problem| problem.at(path))?;
        let network = with_tensors(&file, architecture)?;
        with_names(&file, network, record.into_class_names())
    }

    /// What the safetensors file at `path` says that the classes of its network are called, if it
    /// says so: files of other programs do not.
    ///
    /// # Errors
    /// When the file cannot be read, or what it says is unreadable.
    pub fn saved_class_names(path: impl AsRef<Path>) -> Result<Option<ClassNames>> {
        let path = path.as_ref();
        let bytes = read_bounded(path, LARGEST_FILE)?;
        saved_names(&TensorFile::parse(path, &bytes)?)
    }

    /// A network of `architecture` with the tensors of the safetensors file at `path`, whoever
    /// wrote it; they have Keras's names and layouts. Its classes are called as the file says.
    ///
    /// # Errors
    /// When the file cannot be read or its tensors do not fit.
    pub fn load_weights(path: impl AsRef<Path>, architecture: Architecture) -> Result<Self> {
        let path = path.as_ref();
        Self::weights_from_bytes(path, &read_bounded(path, LARGEST_FILE)?, architecture)
    }

    /// A network of `architecture` with the tensors of the file at `path`, which holds `bytes`.
    ///
    /// # Errors
    /// As [`load_weights`](Self::load_weights).
    pub(crate) fn weights_from_bytes(
        path: &Path,
        bytes: &[u8],
        architecture: Architecture,
    ) -> Result<Self> {
        let file = TensorFile::parse(path, bytes)?;
        let network = with_tensors(&file, architecture)?;
        with_names(&file, network, saved_names(&file)?)
    }
}

/// What our metadata in `file`, if there are any, say that the classes are called.
fn saved_names(file: &TensorFile<'_>) -> Result<Option<ClassNames>> {
    let record: Option<NetworkRecord> = file.optional_metadata(NetworkRecord::KEY)?;
    Ok(record.and_then(NetworkRecord::into_class_names))
}

/// `network`, whose classes `file` says are called so.
fn with_names(
    file: &TensorFile<'_>,
    network: Network,
    names: Option<ClassNames>,
) -> Result<Network> {
    match names {
        Some(names) => network.with_class_names(names).map_err(|error| file.invalid(error.into())),
        None => Ok(network),
    }
}

/// A network of `architecture` with the tensors of `file`, which has no others.
fn with_tensors(file: &TensorFile<'_>, architecture: Architecture) -> Result<Network> {
    check_names(file.names(), &architecture).map_err(|problem| file.invalid(problem))?;
    let tensors = file.tensors("", &architecture)?;
    Network::from_tensors(architecture, tensors).map_err(|error| file.invalid(error.into()))
}

/// Refuses the tensors `names` of a file if one is none of `architecture`.
///
/// # Errors
/// As said.
pub(crate) fn check_names<'a>(
    mut names: impl Iterator<Item = &'a str>,
    architecture: &Architecture,
) -> Result<(), FileProblem> {
    // The network of a small file may have many layers: nothing here may take their square.
    let known: HashSet<_> = architecture.parameters().map(|known| known.name.as_str()).collect();
    match names.find(|name| !known.contains(name)) {
        Some(extra) => Err(FileProblem::ExtraTensor(extra.into())),
        None => Ok(()),
    }
}
