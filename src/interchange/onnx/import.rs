//! The walk through a graph, from its images to its logits.

use super::graph::Graph;
use super::layers::Reader;
use super::messages::{GraphProto, ValueInfoProto};
use super::{OnnxProblem, tail};
use crate::interchange::Problem;
use crate::model::Network;

/// The network that `graph` is, and how it was read where that was not the only way.
///
/// # Errors
/// When it is no chain of layers that are here.
pub(super) fn network(graph: &GraphProto) -> Result<(Network, Vec<String>), Problem> {
    let graph = Graph::new(graph)?;
    let (name, element, dims) = input(graph.input)?;
    let mut reader = Reader::new(element, &dims)
        .map_err(|problem| OnnxProblem::Input { name: name.into(), problem })?;
    let mut is_read = vec![false; graph.nodes.len()];
    let mut value = name;
    // Each step reads a node that was not read before, as each value has one node that gives it.
    while let [place] = graph.users(value)
        && !graph.is_output(value)
    {
        let node = graph.nodes[*place];
        if tail::is_end(node.operator()) || std::mem::replace(&mut is_read[*place], true) {
            break;
        }
        let Some(taking) = node.taking(value) else {
            return Err(node.refused(super::NodeProblem::NotConstant(1)).into());
        };
        reader.read(&graph, taking).map_err(|problem| node.refused(problem))?;
        value = node.output();
    }
    for place in &reader.shapes.read {
        is_read[*place] = true;
    }
    if let Some(activation) = tail::activation(&graph, value, is_read)? {
        reader.end_with(activation)?;
    }
    reader.network(name)
}

/// What the input is called, what its elements are, and its dimensions but that of the images' number.
fn input(input: &ValueInfoProto) -> Result<(&str, i32, Vec<usize>), OnnxProblem> {
    let name = input.name.as_deref().unwrap_or_default();
    let refused = |problem| OnnxProblem::Input { name: name.into(), problem };
    let tensor = input.kind.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let tensor = tensor.ok_or(refused("is no array"))?;
    let shape = tensor.shape.as_ref().ok_or(refused("does not say its shape"))?;
    let Some((_, dims)) = shape.dim.split_first() else {
        return Err(refused("is a single number"));
    };
    let size = |value: Option<i64>| usize::try_from(value?).ok().filter(|&size| size > 0);
    let dims: Option<Vec<_>> = dims.iter().map(|dim| size(dim.dim_value)).collect();
    let dims = dims.ok_or(refused("does not say how large its images are"))?;
    Ok((name, tensor.elem_type.unwrap_or(0), dims))
}
