//! Saved networks: safetensors with Keras's tensor names and layouts, and as metadata what is
//! needed to use them again. The bytes depend on the network alone.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use super::error::{Error, FileProblem, Result};
use super::network::{WEIGHTS, check_memory};
use super::{Architecture, Network, ParameterSpec, Sequential, Tensor};
use crate::files::{read_bounded, write_atomically};
use crate::memory::reserve;

/// The largest model file that is read: no [`Architecture`] needs more.
const LARGEST_FILE: u64 = 1 << 32;

/// The key of our metadata, one JSON text.
const METADATA_KEY: &str = "mnistry";

/// What a model file says besides its tensors.
#[derive(Serialize, Deserialize)]
struct Metadata {
    /// Counts incompatible changes of this record.
    format: u32,
    architecture: Sequential,
    classes: usize,
    /// What is done to a pixel before the first layer.
    scaling: Cow<'static, str>,
}

const FORMAT: u32 = 1;
const SCALING: &str = "x/255";

impl Network {
    /// Writes the network to `path`, by way of a temporary file, so that no half of a model is
    /// ever found there.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let classes = self.architecture().classes();
        let architecture = self.architecture().clone().into();
        let metadata = Metadata { format: FORMAT, architecture, classes, scaling: SCALING.into() };
        let text = serde_json::to_string(&metadata)
            .map_err(|error| FileProblem::Unwritable(error.into()).at(path))?;
        // A single key: a map of more would be written in an order that varies from run to run.
        let metadata = HashMap::from([(METADATA_KEY.to_owned(), text)]);
        let views = self.tensors().iter().map(|tensor| (tensor.name.as_str(), TensorView(tensor)));
        let bytes = safetensors::serialize(views, Some(metadata))
            .map_err(|error| FileProblem::Unwritable(error.into()).at(path))?;
        Ok(write_atomically(path, &bytes)?)
    }

    /// Reads a network that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// When the file cannot be read, is not a safetensors file, was not written by this program,
    /// or its tensors do not fit its architecture.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = read_bounded(path, LARGEST_FILE)?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(not_safetensors(path))?;
        let text = header
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(METADATA_KEY))
            .ok_or_else(|| FileProblem::Foreign.at(path))?;
        let metadata: Metadata = serde_json::from_str(text)
            .map_err(|error| FileProblem::Metadata(error.into()).at(path))?;
        if metadata.format != FORMAT {
            return Err(FileProblem::Format { found: metadata.format, read: FORMAT }.at(path));
        }
        let architecture = Architecture::new(metadata.architecture)
            .map_err(|error| FileProblem::from(error).at(path))?;
        if metadata.scaling != SCALING || metadata.classes != architecture.classes() {
            return Err(FileProblem::Contradiction.at(path));
        }
        with_tensors(path, &bytes, architecture)
    }

    /// A network of `architecture` with the tensors of the safetensors file at `path`, whoever
    /// wrote it; they have Keras's names and layouts.
    ///
    /// # Errors
    /// When the file cannot be read or its tensors do not fit.
    pub fn load_weights(path: impl AsRef<Path>, architecture: Architecture) -> Result<Self> {
        let path = path.as_ref();
        with_tensors(path, &read_bounded(path, LARGEST_FILE)?, architecture)
    }
}

fn not_safetensors(path: &Path) -> impl Fn(safetensors::SafeTensorError) -> Error {
    move |error| FileProblem::NotSafetensors(error.into()).at(path)
}

fn with_tensors(path: &Path, bytes: &[u8], architecture: Architecture) -> Result<Network> {
    let file = SafeTensors::deserialize(bytes).map_err(not_safetensors(path))?;
    // The network of a small file may have many layers: nothing here may take their square.
    let known: HashSet<_> = architecture.parameters().map(|known| known.name.as_str()).collect();
    if let Some(extra) = file.names().into_iter().find(|name| !known.contains(name)) {
        return Err(FileProblem::ExtraTensor(extra.into()).at(path));
    }
    check_memory(&architecture).map_err(|error| FileProblem::from(error).at(path))?;
    let tensors = architecture.parameters().map(|expected| {
        let ParameterSpec { name, shape, .. } = expected;
        let missing = |_| FileProblem::MissingTensor(name.clone()).at(path);
        let view = file.tensor(name).map_err(missing)?;
        if view.dtype() != Dtype::F32 {
            let (name, found) = (name.clone(), view.dtype().to_string());
            return Err(FileProblem::TensorType { name, found }.at(path));
        }
        if view.shape() != shape {
            let (found, expected) = (view.shape().to_vec(), expected.clone());
            return Err(FileProblem::TensorShape { found, expected }.at(path));
        }
        let (numbers, _) = view.data().as_chunks::<4>();
        let mut values = Vec::new();
        reserve(&mut values, numbers.len(), WEIGHTS)
            .map_err(|error| FileProblem::from(error).at(path))?;
        values.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        Ok(Tensor { name: name.clone(), shape: shape.clone(), values })
    });
    let tensors = tensors.collect::<Result<_>>()?;
    Network::from_tensors(architecture, tensors).map_err(|error| FileProblem::from(error).at(path))
}

/// A tensor as the safetensors crate wants to see it.
struct TensorView<'a>(&'a Tensor);

impl View for TensorView<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        &self.0.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        self.0.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
    fn data_len(&self) -> usize {
        self.0.values.len() * size_of::<f32>()
    }
}
