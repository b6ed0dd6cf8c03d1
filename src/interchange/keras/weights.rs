//! The weights of a model, as HDF5: `layers/conv2d/vars/0` is the kernel of the first convolution,
//! `layers/conv2d_1/vars/1` the bias of the second. The groups are named after the kind of a layer
//! and counted within it, whatever the layers themselves are called; kernels have their channels
//! last. All that is as our own tensors are.

use std::collections::HashMap;
use std::path::Path;

use hdf5_pure::{AttrValue, DType, Dataset, File, FileBuilder, Group};

use super::bounded_source::BoundedSource;
use super::float_type::{has_altered_f32, is_f32};
use super::{KerasProblem, LARGEST_FILE};
use crate::files::{read_bounded, write_output};
use crate::interchange::error::{Problem, Result};
use crate::interchange::{ExportOptions, ModelFormat, memory, written_as};
use crate::model::{Architecture, FileProblem, Network, ParameterSpec, Tensor};

/// The group of all layers.
const LAYERS: &str = "layers";
/// The group of a layer's own weights.
const VARIABLES: &str = "vars";

/// Writes the weights of `network` to `path`, for `load_weights` of a Keras model of the same
/// layers.
///
/// # Errors
/// When the file cannot be written, or there is too little memory to put it together.
pub fn write_weights(network: &Network, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let bytes = written_as(ModelFormat::KerasWeights, network, path, ExportOptions::default())?;
    Ok(write_output(path, &bytes)?)
}

/// A network of `architecture` with the weights in `path`, which `save_weights` of a Keras model of
/// the same layers, or [`write_weights`], wrote.
///
/// # Errors
/// When the file cannot be read, or its weights are not those of such a network.
pub fn read_weights(path: impl AsRef<Path>, architecture: Architecture) -> Result<Network> {
    let path = path.as_ref();
    let bytes = read_bounded(path, LARGEST_FILE)?;
    from_bytes(bytes, architecture).map_err(|problem| problem.at(path))
}

/// The weights of `network` as an HDF5 file.
pub(in crate::interchange) fn to_bytes(network: &Network) -> Result<Vec<u8>, Problem> {
    let mut file = FileBuilder::new();
    let mut layers = file.create_group(LAYERS);
    for [kernel, bias] in network.tensors().as_chunks().0 {
        let name = layer_of(&kernel.name);
        let mut layer = layers.create_group(name);
        let mut variables = layer.create_group(VARIABLES);
        variables.set_attr("name", AttrValue::String(name.into()));
        for (tensor, number) in [kernel, bias].into_iter().zip(["0", "1"]) {
            let shape: Vec<u64> = tensor.shape.iter().map(|&side| side as u64).collect();
            variables.create_dataset(number).with_f32_data(&tensor.values).with_shape(&shape);
        }
        layer.add_group(variables.finish());
        layers.add_group(layer.finish());
    }
    file.add_group(layers.finish());
    let mut bytes = memory::room_for_file(network)?;
    file.finish_to(&mut bytes).map_err(|error| FileProblem::Unwritable(error.into()))?;
    Ok(bytes)
}

/// A network of `architecture` with the weights in the HDF5 file that holds `bytes`.
pub(in crate::interchange) fn from_bytes(
    bytes: Vec<u8>,
    architecture: Architecture,
) -> Result<Network, Problem> {
    let counts = architecture.parameters().map(|spec| spec.count() as u64);
    // Each weight has bytes of its own, so that no more is asked for than the file has.
    let (found, needed) = (bytes.len() as u64, 4 * counts.sum::<u64>());
    if found < needed {
        return Err(KerasProblem::TooShort { found, needed }.into());
    }
    if has_altered_f32(&bytes) {
        return Err(KerasProblem::Floats { place: "one of its arrays".into() }.into());
    }
    let mut layers = layers(&File::from_source(BoundedSource::new(bytes))?)?;
    let mut tensors = Vec::new();
    for [kernel, bias] in architecture.layers().iter().flat_map(|layer| &layer.parameters) {
        let name = layer_of(&kernel.name);
        let group = format!("{LAYERS}/{name}");
        let missing = || KerasProblem::NoWeights { group: group.clone() };
        let layer = layers.remove(name).ok_or_else(missing)?;
        let mut variables = variables(&layer)?.ok_or_else(missing)?;
        for (spec, number) in [kernel, bias].into_iter().zip(["0", "1"]) {
            let place = format!("{group}/{VARIABLES}/{number}");
            let dataset = variables.remove(number);
            let dataset =
                dataset.ok_or_else(|| KerasProblem::NoWeights { group: place.clone() })?;
            tensors.push(tensor(&dataset, place, spec)?);
        }
        if let Some(number) = variables.keys().next() {
            let group = format!("{group}/{VARIABLES}/{number}");
            return Err(KerasProblem::ExtraWeights { group }.into());
        }
    }
    for (name, layer) in layers {
        if variables(&layer)?.is_some_and(|variables| !variables.is_empty()) {
            return Err(KerasProblem::ExtraWeights { group: format!("{LAYERS}/{name}") }.into());
        }
    }
    Ok(Network::from_tensors(architecture, tensors)?)
}

/// The layer that a tensor of ours belongs to: `dense_1` of `dense_1.kernel`.
fn layer_of(tensor: &str) -> &str {
    tensor.split('.').next().unwrap_or(tensor)
}

/// The groups of the layers of `file`.
fn layers(file: &File) -> Result<HashMap<String, Group>, Problem> {
    let mut groups: HashMap<_, _> = file.root().iter_groups()?.collect();
    let layers = groups.remove(LAYERS).ok_or(KerasProblem::NotKerasThree)?;
    Ok(layers.iter_groups()?.collect())
}

/// The arrays of `layer`'s own, if it has a place for such.
fn variables(layer: &Group) -> Result<Option<HashMap<String, Dataset>>, Problem> {
    let variables = layer.iter_groups()?.find(|(name, _)| name == VARIABLES);
    variables.map(|(_, variables)| Ok(variables.iter_datasets()?.collect())).transpose()
}

/// The array at `place`, which must be what `spec` says.
fn tensor(dataset: &Dataset, place: String, spec: &ParameterSpec) -> Result<Tensor, Problem> {
    let (shape, dtype) = (dataset.shape()?, dataset.dtype()?);
    let sides = spec.shape.iter().map(|&side| side as u64);
    if dtype != DType::F32 || !sides.eq(shape.iter().copied()) {
        let (dtype, expected) = (dtype.to_string(), spec.shape.clone());
        return Err(KerasProblem::Weights { place, dtype, shape, expected }.into());
    }
    if !is_f32(&dataset.datatype()?) {
        return Err(KerasProblem::Floats { place }.into());
    }
    if dataset.is_chunked() {
        return Err(KerasProblem::Chunked { place }.into());
    }
    Ok(Tensor { name: spec.name.clone(), shape: spec.shape.clone(), values: dataset.read_f32()? })
}
