//! Model files of other programs: networks are exported to them, and imported where they are of layers
//! that are here too.
//!
//! | ending | what it is | export | import | weights alone |
//! | --- | --- | --- | --- | --- |
//! | `.onnx` | ONNX | yes | yes | |
//! | `.keras` | an archive of Keras 3 | yes | yes | |
//! | `.weights.h5` | weights of Keras 3 | yes | | yes |
//! | `.npz` | arrays of NumPy | yes | yes | yes |
//! | `.h` | a C99 header | yes | | |
//! | `.safetensors` | this library's own | yes | yes | yes |
//!
//! An imported network has the weights of the file to the bit. What does not fit is refused, by the
//! name of the layer; what could be read in another way is read with a [word](Imported::notes).

mod c_header;
mod error;
mod format;
pub mod int8;
#[cfg(feature = "keras")]
pub mod keras;
mod memory;
mod npz;
mod onnx;

pub use error::{Error, Problem};
pub use format::ModelFormat;
pub use onnx::{NodeProblem, OnnxProblem};

use std::path::Path;

use crate::data::ClassNames;
use crate::files::{read_bounded, write_output};
use crate::model::{Architecture, LARGEST_FILE, Network};
use error::Result;

/// A network that was read from a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Imported {
    /// The network.
    pub network: Network,
    /// How it was read where that was not the only way, a sentence each.
    pub notes: Vec<String>,
}

impl Imported {
    /// One that could be read in this way alone.
    pub(crate) fn plain(network: Network) -> Self {
        Self { network, notes: Vec::new() }
    }
}

/// How a network is exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportOptions {
    /// Whether its kernels are written as [bytes](int8), which a C header alone can have.
    pub int8: bool,
}

impl ExportOptions {
    /// The same, with kernels as bytes if `int8`.
    #[must_use]
    pub fn int8(self, int8: bool) -> Self {
        Self { int8 }
    }
}

/// Writes `network` to `path` in the format that its name ends in; a file that is there is replaced
/// whole. Gives how many bytes there were to write.
///
/// # Errors
/// When the name says no format, the format cannot say the network, or the file cannot be written.
pub fn export(network: &Network, path: impl AsRef<Path>, options: ExportOptions) -> Result<usize> {
    let path = path.as_ref();
    let bytes = written(network, path, options)?;
    write_output(path, &bytes)?;
    Ok(bytes.len())
}

/// The bytes of the file at `path` that `network` is exported to.
fn written(network: &Network, path: &Path, options: ExportOptions) -> Result<Vec<u8>> {
    let format = ModelFormat::of(path).map_err(|problem| problem.at(path))?;
    written_as(format, network, path, options)
}

/// The same in `format`, whatever the name of the file ends in.
fn written_as(
    format: ModelFormat,
    network: &Network,
    path: &Path,
    options: ExportOptions,
) -> Result<Vec<u8>> {
    let at = |problem: Problem| problem.at(path);
    if options.int8 && format != ModelFormat::CHeader {
        return Err(at(Problem::NoInt8(format)));
    }
    memory::check_export(network, format, options).map_err(|shortage| at(shortage.into()))?;
    match format {
        ModelFormat::Safetensors => Ok(network.to_bytes(path)?),
        ModelFormat::Onnx => onnx::write(network).map_err(at),
        ModelFormat::Npz => npz::write(network).map_err(at),
        ModelFormat::CHeader => {
            let name = c_header::name_of(path);
            let options = c_header::Options { name, int8: options.int8 };
            c_header::write(network, &options).map(String::into_bytes).map_err(at)
        }
        #[cfg(feature = "keras")]
        ModelFormat::Keras => keras::archive_of(network).map_err(at),
        #[cfg(feature = "keras")]
        ModelFormat::KerasWeights => keras::weights_of(network).map_err(at),
        #[cfg(not(feature = "keras"))]
        ModelFormat::Keras | ModelFormat::KerasWeights => Err(at(Problem::LeftOut(format))),
    }
}

/// Reads the network in the file at `path`, of the format that its name ends in.
///
/// # Errors
/// When the file cannot be read, is not of its format or not of layers that are here too, or has
/// weights alone ([`is_without_architecture`](Error::is_without_architecture)).
pub fn import(path: impl AsRef<Path>) -> Result<Imported> {
    let path = path.as_ref();
    let at = |problem: Problem| problem.at(path);
    match ModelFormat::to_read(path).map_err(at)? {
        ModelFormat::Safetensors => Ok(Imported::plain(Network::load(path)?)),
        format => read(&contents(path, format)?, format).map_err(at),
    }
}

/// The network in the `bytes` of a file of `format`.
///
/// # Errors
/// As [`import`].
pub fn read(bytes: &[u8], format: ModelFormat) -> Result<Imported, Problem> {
    match format {
        ModelFormat::Onnx => onnx::read(bytes),
        ModelFormat::Npz => npz::read(bytes),
        ModelFormat::CHeader => Err(Problem::WriteOnly),
        #[cfg(feature = "keras")]
        ModelFormat::Keras => {
            let keras::Imported { network, notes } = keras::of_archive(bytes)?;
            let notes = notes.iter().map(ToString::to_string).collect();
            Ok(Imported { network, notes })
        }
        #[cfg(not(feature = "keras"))]
        ModelFormat::Keras => Err(Problem::LeftOut(format)),
        ModelFormat::KerasWeights => Err(Problem::WeightsAlone),
        ModelFormat::Safetensors => match Network::from_bytes(Path::new(""), bytes) {
            Ok(network) => Ok(Imported::plain(network)),
            Err(error) => Err(error.into()),
        },
    }
}

/// Reads the weights in the file at `path` into a network of `architecture`. A file that describes a
/// network itself is taken for its weights alone, which must be those of `architecture` by name and
/// shape.
///
/// # Errors
/// As [`import`], and when the weights do not fit.
pub fn import_weights(path: impl AsRef<Path>, architecture: Architecture) -> Result<Imported> {
    let path = path.as_ref();
    let at = |problem: Problem| problem.at(path);
    match ModelFormat::to_read(path).map_err(at)? {
        ModelFormat::Safetensors => Ok(Imported::plain(Network::load_weights(path, architecture)?)),
        format => read_weights(&contents(path, format)?, format, architecture).map_err(at),
    }
}

/// The weights in the `bytes` of a file of `format`, in a network of `architecture`.
///
/// # Errors
/// As [`import_weights`].
pub fn read_weights(
    bytes: &[u8],
    format: ModelFormat,
    architecture: Architecture,
) -> Result<Imported, Problem> {
    match format {
        ModelFormat::Safetensors => {
            let network = Network::weights_from_bytes(Path::new(""), bytes, architecture)?;
            Ok(Imported::plain(network))
        }
        ModelFormat::Npz => npz::read_weights(bytes, architecture),
        ModelFormat::Onnx | ModelFormat::Keras => {
            let Imported { network, notes } = read(bytes, format)?;
            Ok(Imported { network: with_weights_of(network, architecture)?, notes })
        }
        ModelFormat::CHeader => Err(Problem::WriteOnly),
        #[cfg(feature = "keras")]
        ModelFormat::KerasWeights => {
            // Its reader has the bytes of its own.
            keras::of_weights(memory::copied(bytes)?, architecture).map(Imported::plain)
        }
        #[cfg(not(feature = "keras"))]
        ModelFormat::KerasWeights => Err(Problem::LeftOut(format)),
    }
}

/// Reads the weights in the file at `path` into a network of `architecture`, as [`import_weights`]; a
/// file whose name says no format is taken for one of this library's own.
///
/// # Errors
/// As [`import_weights`].
pub fn load_weights(path: impl AsRef<Path>, architecture: Architecture) -> Result<Imported> {
    let path = path.as_ref();
    match ModelFormat::to_read(path) {
        Err(Problem::Unread) => Ok(Imported::plain(Network::load_weights(path, architecture)?)),
        _ => import_weights(path, architecture),
    }
}

/// Reads the weights in the file at `path`, as [`load_weights`], into a network of `architecture` that is
/// taken because nothing says of which they are.
///
/// # Errors
/// As [`load_weights`]; where they do not fit, that their network is to be named.
pub fn load_unnamed_weights(
    path: impl AsRef<Path>,
    architecture: Architecture,
) -> Result<Imported> {
    let taken = architecture.to_string();
    load_weights(path, architecture).map_err(|error| error.of_weights_taken_for(taken))
}

/// Reads the weights in the file at `path`, which says of no network, into one of `architecture`.
///
/// # Errors
/// As [`import_weights`], and when the file describes a network itself.
pub fn import_weights_alone(
    path: impl AsRef<Path>,
    architecture: Architecture,
) -> Result<Imported> {
    let path = path.as_ref();
    match import(path) {
        Err(error) if error.is_without_architecture() => import_weights(path, architecture),
        Err(error) => Err(error),
        Ok(_) => Err(Problem::Described.at(path)),
    }
}

/// Reads the network in the file at `path`, as [`import`]; a file whose name says no format is taken for
/// one of this library's own.
///
/// # Errors
/// As [`import`].
pub fn load(path: impl AsRef<Path>) -> Result<Imported> {
    let path = path.as_ref();
    match ModelFormat::to_read(path) {
        Err(Problem::Unread) => Ok(Imported::plain(Network::load(path)?)),
        _ => import(path),
    }
}

/// Refuses the file at `path` where its name says that another program is to read it: for whoever takes
/// this library's own alone.
///
/// # Errors
/// As said: how it is imported.
pub fn check_own(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let format = match ModelFormat::to_read(path) {
        Ok(ModelFormat::Safetensors) | Err(Problem::Unread) => return Ok(()),
        format => format.map_err(|problem| problem.at(path))?,
    };
    let layers = if format == ModelFormat::KerasWeights { " --model FILE.toml" } else { "" };
    let command = format!("mnistry import {} model.safetensors{layers}", path.display());
    Err(Problem::NotImported { format, command }.at(path))
}

/// What the file at `path` says that the classes of its network are called, if it says so; a file whose
/// name says no format is taken for one of this library's own.
///
/// # Errors
/// As [`import`]; weights alone say nothing, and are no error.
pub fn saved_class_names(path: impl AsRef<Path>) -> Result<Option<ClassNames>> {
    let path = path.as_ref();
    match ModelFormat::to_read(path) {
        Ok(ModelFormat::Safetensors) | Err(Problem::Unread) => {
            Ok(Network::saved_class_names(path)?)
        }
        _ => match import(path) {
            Ok(imported) => Ok(imported.network.class_names().cloned()),
            Err(error) if error.is_without_architecture() => Ok(None),
            Err(error) => Err(error),
        },
    }
}

/// A network of `architecture` with the weights and the class names of `network`.
fn with_weights_of(network: Network, architecture: Architecture) -> Result<Network, Problem> {
    let same = Network::from_tensors(architecture, network.tensors().to_vec())?;
    Ok(match network.class_names() {
        Some(names) => same.with_class_names(names.clone())?,
        None => same,
    })
}

/// The bytes of the model file of `format` at `path`, if there is memory for them and for what is made
/// of them.
fn contents(path: &Path, format: ModelFormat) -> Result<Vec<u8>> {
    let len = path.metadata().map_or(0, |found| found.len());
    memory::check_import(format, len).map_err(|shortage| Problem::from(shortage).at(path))?;
    Ok(read_bounded(path, LARGEST_FILE)?)
}
