//! Arrays of NumPy: each tensor of a network under its name, and what else there is to say of the
//! network as `architecture.json`, the bytes of a JSON text.
//!
//! ```python
//! arrays = numpy.load("model.npz")
//! arrays["dense.kernel"]                        # float32, inputs × units
//! json.loads(bytes(arrays["architecture.json"]))
//! ```

use std::io::{Cursor, Write};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::error::Problem;
use super::{Imported, memory};
use crate::data;
use crate::data::formats::npy;
use crate::data::formats::npz::{self, NamedArrays};
use crate::memory::reserve;
use crate::model::{
    Architecture, FileProblem, Network, NetworkRecord, ParameterSpec, Tensor, WEIGHTS,
    check_memory, check_names,
};

/// The array that says what network the others make.
const ARCHITECTURE: &str = "architecture.json";

/// The archive of `network`, whose bytes depend on the network alone: its members are stored as they
/// are and have no time.
///
/// # Errors
/// When the format cannot say the network.
pub(super) fn write(network: &Network) -> Result<Vec<u8>, Problem> {
    let mut archive = Archive(ZipWriter::new(Cursor::new(memory::room_for_file(network)?)));
    for tensor in network.tensors() {
        let numbers: Vec<u8> = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        archive.add(&tensor.name, "<f4", &tensor.shape, &numbers)?;
    }
    let record = NetworkRecord::of(network).text()?.into_bytes();
    archive.add(ARCHITECTURE, "|u1", &[record.len()], &record)?;
    Ok(archive.0.finish().map_err(unwritable)?.into_inner())
}

/// An archive that is put together.
struct Archive(ZipWriter<Cursor<Vec<u8>>>);

impl Archive {
    /// Adds the array `name`.
    fn add(
        &mut self,
        name: &str,
        descr: &str,
        dims: &[usize],
        elements: &[u8],
    ) -> Result<(), Problem> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default());
        self.0.start_file(format!("{name}.npy"), options).map_err(unwritable)?;
        for part in [&npy::header(descr, dims)?, elements] {
            self.0.write_all(part).map_err(|said| unwritable(said.into()))?;
        }
        Ok(())
    }
}

fn unwritable(said: ZipError) -> Problem {
    FileProblem::Unwritable(said.into()).into()
}

/// The network in the archive `bytes`.
///
/// # Errors
/// When it is no archive of arrays, does not say what network they make, or they make none.
pub(super) fn read(bytes: &[u8]) -> Result<Imported, Problem> {
    let arrays = weights(bytes)?;
    let record = record(&arrays)?.ok_or(Problem::WeightsAlone)?;
    let (tensors, notes) = tensors(&arrays, &record.architecture()?)?;
    Ok(Imported { network: record.network(tensors)?, notes })
}

/// A network of `architecture` with the arrays in the archive `bytes`, whatever else they are said to
/// make.
///
/// # Errors
/// When it is no archive of arrays, or they do not fit.
pub(super) fn read_weights(bytes: &[u8], architecture: Architecture) -> Result<Imported, Problem> {
    let arrays = weights(bytes)?;
    let names = record(&arrays)?.and_then(NetworkRecord::into_class_names);
    let (tensors, notes) = tensors(&arrays, &architecture)?;
    let network = Network::from_tensors(architecture, tensors)?;
    let network = match names {
        Some(names) => network.with_class_names(names)?,
        None => network,
    };
    Ok(Imported { network, notes })
}

/// The arrays in the archive `bytes`. Advice that is for images is no good for weights.
fn weights(bytes: &[u8]) -> Result<NamedArrays<'_>, Problem> {
    NamedArrays::parse(bytes).map_err(|problem| match problem {
        data::Problem::Within { section, problem } => {
            let found = match *problem {
                data::Problem::NpyType(kind) => format!("'{}'", kind.escape_debug()),
                data::Problem::Pickled => "Python objects, which are never read".into(),
                problem => return problem.within(section).into(),
            };
            let name = section.strip_suffix(npz::EXTENSION).unwrap_or(&section);
            let name = name.escape_debug().to_string();
            FileProblem::TensorType { name, found, expected: "float32".into() }.into()
        }
        problem => problem.into(),
    })
}

/// What the archive says that its arrays make, if it does.
fn record(arrays: &NamedArrays<'_>) -> Result<Option<NetworkRecord>, Problem> {
    let Some(array) = arrays.array(ARCHITECTURE)? else { return Ok(None) };
    // An array of anything else is no text.
    let text = array.bytes().map(|bytes| bytes.to_vec()).unwrap_or_default();
    Ok(Some(NetworkRecord::parse(&text)?))
}

/// The arrays that are the parameters of `architecture`, of which no others are there, and what there
/// is to say of them.
fn tensors(
    arrays: &NamedArrays<'_>,
    architecture: &Architecture,
) -> Result<(Vec<Tensor>, Vec<String>), Problem> {
    check_names(arrays.names().filter(|name| *name != ARCHITECTURE), architecture)?;
    check_memory(architecture)?;
    let mut notes = Vec::new();
    let tensors = architecture.parameters().map(|expected| tensor(arrays, expected, &mut notes));
    let tensors = tensors.collect::<Result<_, _>>()?;
    Ok((tensors, notes))
}

fn tensor(
    arrays: &NamedArrays<'_>,
    expected: &ParameterSpec,
    notes: &mut Vec<String>,
) -> Result<Tensor, Problem> {
    let ParameterSpec { name, shape, .. } = expected;
    let missing = || FileProblem::MissingTensor(name.clone());
    // By its header, before anything is unpacked.
    let layout = arrays.layout(name).ok_or_else(missing)?;
    if layout.dims() != shape {
        let (found, expected) = (layout.dims().to_vec(), expected.clone());
        return Err(FileProblem::TensorShape { found, expected }.into());
    }
    if !layout.element().is_float() {
        let (name, found) = (name.clone(), "integers".into());
        return Err(FileProblem::TensorType { name, found, expected: "float32".into() }.into());
    }
    let array = arrays.array(name)?.ok_or_else(missing)?;
    let mut values = Vec::new();
    reserve(&mut values, expected.count(), WEIGHTS)?;
    values.extend(array.numbers().map(|number| number as f32));
    if array.numbers().zip(&values).any(|(number, &value)| number != f64::from(value)) {
        notes.push(format!("the numbers of {name} were rounded to float32"));
    }
    Ok(Tensor { name: name.clone(), shape: shape.clone(), values })
}
