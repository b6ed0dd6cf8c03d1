//! What becomes of the logits.

use std::collections::HashSet;

use super::graph::{Graph, Node};
use super::messages::element;
use super::{NodeProblem, OnnxProblem, operators};
use crate::model::Activation;

/// Whether nothing of a network comes after such an operator.
pub(super) fn is_end(operator: &str) -> bool {
    matches!(operator, "Softmax" | "LogSoftmax" | "ArgMax")
}

/// The last activation of the network whose logits (or their sigmoid) are `value`: that which the
/// nodes make of it that are not read yet.
///
/// # Errors
/// When they make something else of it, or of anything else.
pub(super) fn activation(
    graph: &Graph<'_>,
    value: &str,
    is_read: Vec<bool>,
) -> Result<Option<Activation>, OnnxProblem> {
    let rest = graph.nodes.iter().zip(is_read).filter(|(_, is_read)| !is_read);
    let rest: Vec<Node<'_>> = rest.map(|(node, _)| *node).collect();
    if rest.is_empty() && !graph.is_output(value) {
        return Err(OnnxProblem::NoOutput);
    }
    // Of probabilities a class may be told too, and each may have another name or type.
    let (mut probabilities, mut labels) = (HashSet::from([value]), HashSet::new());
    let mut found = None;
    for node in rest {
        let of_logits = node.input() == value;
        let refused = |problem| node.refused(problem);
        operators::check(node).map_err(refused)?;
        if labels.contains(node.input()) && matches!(node.operator(), "Cast" | "Identity") {
            labels.insert(node.output());
            continue;
        }
        if !probabilities.contains(node.input()) {
            return Err(branch(graph, value).unwrap_or_else(|| refused(NodeProblem::Apart)));
        }
        match node.operator() {
            "Softmax" | "LogSoftmax" if of_logits => {
                along_classes(node, -1)?;
                found.get_or_insert(Activation::Softmax);
            }
            "Sigmoid" if of_logits => found = Some(Activation::Sigmoid),
            "ArgMax" => {
                along_classes(node, 0)?;
                let first = node.expect_int("select_last_index", 0, "0, the first of equals");
                first.map_err(refused)?;
                labels.insert(node.output());
                continue;
            }
            // As other numbers, they would no longer be what the network gives.
            "Cast" => {
                let to = node.int("to").unwrap_or_default();
                if ![element::FLOAT, element::DOUBLE].map(i64::from).contains(&to) {
                    let attribute = format!("to {to}");
                    let expected = "1 or 11, float32 or float64, for what its last layer gives";
                    return Err(refused(NodeProblem::Value { attribute, expected }));
                }
            }
            "Identity" => {}
            _ => return Err(branch(graph, value).unwrap_or_else(|| refused(NodeProblem::Operator))),
        }
        probabilities.insert(node.output());
    }
    Ok(found)
}

/// That layers come to an end at `value`, if that is because more than the next one takes it.
fn branch(graph: &Graph<'_>, value: &str) -> Option<OnnxProblem> {
    let (users, is_output) = (graph.users(value).len(), graph.is_output(value));
    (users > 1 || is_output && users > 0).then(|| OnnxProblem::Branch {
        value: value.into(),
        takers: graph.takers(value),
        is_output,
    })
}

/// Refuses a node that looks along another dimension than that of the classes, or by default, which is
/// `default`.
fn along_classes(node: Node<'_>, default: i64) -> Result<(), OnnxProblem> {
    match node.int("axis").unwrap_or(default) {
        1 | -1 => Ok(()),
        axis => Err(node.refused(NodeProblem::Value {
            attribute: format!("axis {axis}"),
            expected: "1, that of the classes",
        })),
    }
}
