//! Functional models that are a chain of layers.

use serde_json::Value;

use super::read::{Chain, LayerRecord};
use crate::interchange::keras::{KerasProblem, LayerProblem};

/// Checks that each layer of a functional model is fed by the one before it alone, as it is in use, and
/// that the last one is what the model puts out.
///
/// # Errors
/// When that is otherwise.
pub(super) fn check(chain: &Chain) -> Result<(), KerasProblem> {
    let refused = |layer: &LayerRecord, problem| {
        Err(KerasProblem::Layer { name: layer.name().into(), problem })
    };
    for (index, layer) in chain.layers.iter().enumerate() {
        let mut sources = Vec::new();
        layer.inbound_nodes.iter().flatten().for_each(|node| find_sources(node, &mut sources));
        let before = index.checked_sub(1).and_then(|before| chain.layers.get(before));
        if !sources.iter().copied().eq(before.map(LayerRecord::name)) {
            return refused(layer, LayerProblem::NoChain);
        }
        if let Some(said) = layer.inbound_nodes.iter().flatten().find_map(said_besides) {
            return refused(layer, LayerProblem::Call(said));
        }
    }
    let mut names = Vec::new();
    find_texts(chain.output_layers.as_ref().unwrap_or(&Value::Null), &mut names);
    match chain.layers.last() {
        Some(last) if names != [last.name()] => refused(last, LayerProblem::NoChain),
        _ => Ok(()),
    }
}

/// What a layer is told in the call `node` beside what feeds it, by name or not, if anything:
/// `training=true`. What is null or false is what it is by default.
fn said_besides(node: &Value) -> Option<String> {
    let is_said =
        |value: &&Value| !matches!(value, Value::Null | Value::Bool(false)) && !feeds(value);
    let named = node.get("kwargs").and_then(Value::as_object);
    let named = named.into_iter().flatten().find(|(_, value)| is_said(value));
    let placed = node.get("args").and_then(Value::as_array);
    let mut placed = placed.into_iter().flatten();
    match named {
        Some((name, value)) => Some(format!("{name}={value}")),
        None => placed.find(is_said).map(Value::to_string),
    }
}

/// Whether `value` is what a layer puts out, which is among the sources of the layer that is called.
fn feeds(value: &Value) -> bool {
    let mut sources = Vec::new();
    find_sources(value, &mut sources);
    !sources.is_empty()
}

/// Adds the names of the layers whose outputs `node` uses.
fn find_sources<'a>(node: &'a Value, sources: &mut Vec<&'a str>) {
    match node {
        Value::Object(fields) => match fields.get("keras_history").and_then(|place| place.get(0)) {
            Some(name) => sources.extend(name.as_str()),
            None => fields.values().for_each(|value| find_sources(value, sources)),
        },
        Value::Array(values) => values.iter().for_each(|value| find_sources(value, sources)),
        _ => {}
    }
}

/// Adds the texts in `value`, which may be nested.
fn find_texts<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| find_texts(value, texts)),
        value => texts.extend(value.as_str()),
    }
}
