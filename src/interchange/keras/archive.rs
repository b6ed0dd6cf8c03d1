//! The `.keras` archive: a zip of what the model is, of its weights, and of a word about the file.
//! The bytes depend on the network alone.

use std::io::{Cursor, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{Imported, KerasProblem, LARGEST_FILE, config, weights};
use crate::data::ClassNames;
use crate::data::formats::unpack::UnpackError;
use crate::data::formats::zip_member::{self, Directory, ZipMember};
use crate::files::{read_bounded, write_output};
use crate::interchange::error::{Problem, Result};
use crate::interchange::{ExportOptions, ModelFormat, written_as};
use crate::memory::{Need, reserve};
use crate::model::{FileProblem, Network};

const CONFIG: &str = "config.json";
const METADATA: &str = "metadata.json";
const WEIGHTS: &str = "model.weights.h5";

/// More bytes than an archive has of a member beside what it holds.
const MEMBER: usize = 1024;

/// The longest JSON that is read.
const LONGEST_JSON: usize = 1 << 20;

/// The first version of Keras that reads what is written here.
const KERAS_VERSION: &str = "3.0.0";

/// A word about the file. Keras does not look at it.
#[derive(Serialize, Deserialize)]
struct Metadata {
    #[serde(default)]
    keras_version: String,
    /// What Keras has no place for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mnistry: Option<Ours>,
}

#[derive(Serialize, Deserialize)]
struct Ours {
    /// What the classes are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class_names: Option<ClassNames>,
}

/// Writes `network` to `path` as a model of Keras 3, which `keras.models.load_model` reads.
///
/// The model takes images as bytes from 0 to 255, samples × height × width, and puts out what the
/// last layer of the network does. It is compiled, so that `fit` goes on with it: by Adam, whose
/// moments begin anew, and the cross-entropy of the logits.
///
/// # Errors
/// When the file cannot be written, or there is too little memory to put it together.
pub fn write_archive(network: &Network, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let bytes = written_as(ModelFormat::Keras, network, path, ExportOptions::default())?;
    Ok(write_output(path, &bytes)?)
}

/// Reads a network that Keras 3 saved as a model to `path`, or that [`write_archive`] wrote: a
/// `Sequential`, or a `Functional` model that is a chain of layers, of `InputLayer`, `Rescaling`,
/// `Reshape`, `Flatten`, `Dense`, `Conv2D`, `MaxPooling2D`, `AveragePooling2D`, `Dropout`,
/// `Activation`, `ReLU` and `Softmax`.
///
/// # Errors
/// When the file cannot be read, is no such archive, or its layers are not such as there are here.
pub fn read_archive(path: impl AsRef<Path>) -> Result<Imported> {
    let path = path.as_ref();
    let bytes = read_bounded(path, LARGEST_FILE)?;
    from_bytes(&bytes).map_err(|problem| problem.at(path))
}

pub(in crate::interchange) fn to_bytes(network: &Network) -> Result<Vec<u8>, Problem> {
    let json = |value: &serde_json::Value| value.to_string().into_bytes();
    let names = network.class_names().cloned();
    let mnistry = names.map(|names| Ours { class_names: Some(names) });
    let metadata = Metadata { keras_version: KERAS_VERSION.into(), mnistry };
    let metadata = serde_json::to_value(metadata);
    let metadata = metadata.map_err(|error| FileProblem::Unwritable(error.into()))?;
    let members = [
        (METADATA, json(&metadata)),
        (CONFIG, json(&config::write(network.architecture()))),
        (WEIGHTS, weights::to_bytes(network)?),
    ];
    let mut file = Vec::new();
    let bytes: usize = members.iter().map(|(_, member)| MEMBER + member.len()).sum();
    reserve(&mut file, bytes, ("the export", "the file"))?;
    Ok(store(file, &members).map_err(|error| FileProblem::Unwritable(error.into()))?)
}

/// An archive of `members` in the empty `file`, stored without compression as Keras stores them.
fn store(file: Vec<u8>, members: &[(&str, Vec<u8>)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(file));
    for (name, member) in members {
        let is_large = u32::try_from(member.len()).is_err();
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .large_file(is_large);
        archive.start_file(*name, options)?;
        archive.write_all(member)?;
    }
    Ok(archive.finish()?.into_inner())
}

pub(in crate::interchange) fn from_bytes(bytes: &[u8]) -> Result<Imported, Problem> {
    let mut archive = zip_member::open(bytes)?;
    let config = json(bytes, &mut archive, CONFIG)?;
    let metadata: Option<Metadata> = match archive.index_for_name(METADATA) {
        Some(_) => Some(json(bytes, &mut archive, METADATA)?),
        None => None,
    };
    let (architecture, notes) = config::read(config)?;
    let member = ZipMember::find(bytes, &mut archive, WEIGHTS)?;
    let network = weights::from_bytes(unpack(&member, WEIGHTS)?, architecture)?;
    let network = match metadata.and_then(|metadata| metadata.mnistry?.class_names) {
        Some(names) => network.with_class_names(names)?,
        None => network,
    };
    Ok(Imported { network, notes })
}

/// The JSON in the member `name` of the archive `bytes`.
fn json<T: for<'a> Deserialize<'a>>(
    bytes: &[u8],
    archive: &mut Directory<'_>,
    name: &'static str,
) -> Result<T, Problem> {
    let member = ZipMember::find(bytes, archive, name)?;
    let found = member.len()?;
    if found > LONGEST_JSON {
        let most = LONGEST_JSON;
        return Err(KerasProblem::LongJson { member: name, found, most }.into());
    }
    let json = serde_json::from_slice(&unpack(&member, name)?);
    Ok(json.map_err(|said| KerasProblem::Json { member: name, said })?)
}

/// What `member`, which is called `name`, holds.
fn unpack(member: &ZipMember<'_>, name: &'static str) -> Result<Vec<u8>, Problem> {
    const READING: &str = "reading the model";
    let len = member.len()?;
    Need::default().and(name, len as u128).check(READING, "a smaller model")?;
    let mut unpacked = Vec::new();
    reserve(&mut unpacked, len, (READING, name))?;
    match member.unpack_to(&mut unpacked, len) {
        Ok(()) => Ok(unpacked),
        Err(UnpackError::Compressed(problem)) => Err(problem.within(name).into()),
        Err(UnpackError::Write(said)) => Err(KerasProblem::Hdf5(said.into()).into()),
    }
}
