//! ONNX: networks as graphs of operators.
//!
//! A graph that is written takes `images`, grey levels as bytes of N × height × width, and scales
//! them itself. It gives `logits`, their softmax as `probabilities`, the first of the greatest as
//! `label`, and `sigmoid` where that is the last activation of the network. Numbers of images are
//! channels-last here and channels-first there: the rows of the first dense kernel after a flattening
//! change places on the way ([`channels`]), so that no graph needs a transposition.
//!
//! A graph that is read is a chain of the layers that are here, as this library, PyTorch, tf2onnx or
//! Keras write it. Each operator, attribute and type is known or refused.

mod bounds;
mod channels;
mod constants;
mod export;
mod form;
mod graph;
mod import;
mod layers;
mod messages;
mod operators;
mod problem;
mod shapes;
mod tail;
#[cfg(test)]
mod tests;
mod windows;

use constants::Constant;
pub use problem::{NodeProblem, OnnxProblem};

use prost::Message;

use super::error::Problem;
use super::{Imported, ModelFormat};
use crate::model::{Network, NetworkRecord};
use messages::{ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// The version of the format that is written. From 4 on, initial values need not be inputs too, which
/// is all that a chain of layers needs of it.
const IR_VERSION: i64 = 4;

/// The set of operators that is written. From 12 on, it is said that the first of equals is the
/// greatest; runtimes have had it since 2020.
const OPSET: i64 = 12;

/// The sets of operators that are known. Before 7, a product broadcast its operands otherwise.
const KNOWN_OPSETS: std::ops::RangeInclusive<i64> = 7..=24;

/// The newest version of the format that is known.
const KNOWN_IR_VERSION: i64 = 13;

/// Protocol buffers count their bytes by signed numbers of 32 bits.
const LARGEST_FILE: u64 = i32::MAX as u64;

/// The names of the inputs and outputs of a graph.
mod names {
    pub(super) const IMAGES: &str = "images";
    pub(super) const LOGITS: &str = "logits";
    pub(super) const PROBABILITIES: &str = "probabilities";
    pub(super) const LABEL: &str = "label";
    pub(super) const SIGMOID: &str = "sigmoid";
}

/// The ONNX file of `network`, whose bytes depend on the network alone.
///
/// # Errors
/// When it would be larger than the format allows.
pub(super) fn write(network: &Network) -> Result<Vec<u8>, Problem> {
    let too_large = || Problem::TooLarge { format: ModelFormat::Onnx, most: LARGEST_FILE };
    // Before anything is made.
    if network.parameter_count() as u64 > LARGEST_FILE / size_of::<f32>() as u64 {
        return Err(too_large());
    }
    let entry = StringStringEntryProto {
        key: Some(NetworkRecord::KEY.into()),
        value: Some(NetworkRecord::of(network).text()?),
    };
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("mnistry".into()),
        graph: Some(export::graph(network)),
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(OPSET) }],
        metadata_props: vec![entry],
        functions: Vec::new(),
    };
    match model.encoded_len() as u64 > LARGEST_FILE {
        true => Err(too_large()),
        false => Ok(model.encode_to_vec()),
    }
}

/// The network in the ONNX file `bytes`.
///
/// # Errors
/// When it is no ONNX file, or its graph is no chain of layers that are here.
pub(super) fn read(bytes: &[u8]) -> Result<Imported, Problem> {
    bounds::check(bytes)?;
    let mut model = ModelProto::decode(bytes).map_err(OnnxProblem::decode)?;
    let mut graph = model.graph.take().ok_or(OnnxProblem::NoGraph)?;
    constants::as_arrays(&mut graph);
    let mut notes = Vec::new();
    check_versions(&model, &mut notes)?;
    check_functions(&model)?;
    let (network, more) = import::network(&graph)?;
    notes.extend(more);
    let entry = |entry: &&StringStringEntryProto| entry.key.as_deref() == Some(NetworkRecord::KEY);
    let Some(text) = model.metadata_props.iter().find(entry).and_then(|entry| entry.value.as_ref())
    else {
        return Ok(Imported { network, notes });
    };
    // What a graph does not say, as dropout and the names of classes, a record does; it is believed
    // where the graph is the one that its network has.
    let recorded = NetworkRecord::parse(text.as_bytes())
        .and_then(|record| record.network(network.tensors().to_vec()));
    match recorded {
        Ok(recorded) if export::graph(&recorded) == graph => {
            Ok(Imported { network: recorded, notes })
        }
        _ => {
            notes.push(
                "its graph is not the one that was exported: it is read as it is, without what the \
                 file says of dropout and the names of classes"
                    .into(),
            );
            Ok(Imported { network, notes })
        }
    }
}

/// Refuses versions in which operators mean something else; a newer one than is known is told.
fn check_versions(model: &ModelProto, notes: &mut Vec<String>) -> Result<(), OnnxProblem> {
    let is_default = |set: &&OperatorSetIdProto| is_default(set.domain.as_deref());
    let mut opsets = model.opset_import.iter().filter(is_default).map(|set| set.version);
    let opset = opsets.next().flatten().ok_or(OnnxProblem::NoOpset)?;
    if opsets.any(|other| other != Some(opset)) {
        return Err(OnnxProblem::TwoOpsets);
    }
    let (oldest, newest) = (*KNOWN_OPSETS.start(), *KNOWN_OPSETS.end());
    if opset < oldest {
        return Err(OnnxProblem::OldOpset { opset, oldest });
    }
    if opset > newest {
        notes.push(format!(
            "its operators are those of opset {opset}: they were read as those of {newest}, the newest \
             that is known"
        ));
    }
    let version = model.ir_version.unwrap_or(0);
    if version > KNOWN_IR_VERSION {
        notes.push(format!(
            "it is of IR version {version}: it was read as {KNOWN_IR_VERSION}, the newest that is known"
        ));
    }
    Ok(())
}

/// Refuses a file that gives ONNX's own operators another meaning. Those of its own are refused where
/// they are used.
fn check_functions(model: &ModelProto) -> Result<(), OnnxProblem> {
    let mut functions = model.functions.iter();
    match functions.find(|function| is_default(function.domain.as_deref())) {
        Some(function) => Err(OnnxProblem::Function(function.name.clone().unwrap_or_default())),
        None => Ok(()),
    }
}

/// Whether `domain` is that of ONNX's own operators.
fn is_default(domain: Option<&str>) -> bool {
    matches!(domain, None | Some("" | "ai.onnx"))
}
