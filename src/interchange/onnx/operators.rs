//! The operators that are read, and what each may be told: how many values it takes, and its attributes.
//! What is not in this table may mean anything.

use super::NodeProblem;
use super::graph::Node;
use super::messages::{AttributeProto, attribute_kind};

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int,
    Float,
    Ints,
    Word,
}

impl Kind {
    /// What ONNX calls it.
    fn number(self) -> i32 {
        match self {
            Self::Float => attribute_kind::FLOAT,
            Self::Int => attribute_kind::INT,
            Self::Word => attribute_kind::STRING,
            Self::Ints => attribute_kind::INTS,
        }
    }

    /// What a person calls it.
    fn text(self) -> &'static str {
        match self {
            Self::Float => "a float",
            Self::Int => "a whole number",
            Self::Word => "a word",
            Self::Ints => "a list of whole numbers",
        }
    }
}

/// An operator, in all opsets that are known.
struct Operator {
    name: &'static str,
    most_inputs: usize,
    /// Its attributes by their names.
    attributes: &'static [(&'static str, Kind)],
}

const fn operator(
    name: &'static str,
    most_inputs: usize,
    attributes: &'static [(&'static str, Kind)],
) -> Operator {
    Operator { name, most_inputs, attributes }
}

const OPERATORS: [Operator; 26] = {
    use Kind::{Float, Int, Ints, Word};
    [
        operator("Add", 2, &[]),
        operator("ArgMax", 1, &[("axis", Int), ("keepdims", Int), ("select_last_index", Int)]),
        operator(
            "AveragePool",
            1,
            &[
                ("auto_pad", Word),
                ("ceil_mode", Int),
                ("count_include_pad", Int),
                ("dilations", Ints),
                ("kernel_shape", Ints),
                ("pads", Ints),
                ("strides", Ints),
            ],
        ),
        operator("Cast", 1, &[("to", Int), ("saturate", Int), ("round_mode", Word)]),
        operator("Concat", usize::MAX, &[("axis", Int)]),
        operator(
            "Conv",
            3,
            &[
                ("auto_pad", Word),
                ("dilations", Ints),
                ("group", Int),
                ("kernel_shape", Ints),
                ("pads", Ints),
                ("strides", Ints),
            ],
        ),
        operator("Div", 2, &[]),
        operator("Dropout", 3, &[("ratio", Float), ("seed", Int)]),
        operator("Flatten", 1, &[("axis", Int)]),
        operator("Gather", 2, &[("axis", Int)]),
        operator("Gemm", 3, &[("alpha", Float), ("beta", Float), ("transA", Int), ("transB", Int)]),
        operator("GlobalAveragePool", 1, &[]),
        operator("Identity", 1, &[]),
        operator("LogSoftmax", 1, &[("axis", Int)]),
        operator("MatMul", 2, &[]),
        operator(
            "MaxPool",
            1,
            &[
                ("auto_pad", Word),
                ("ceil_mode", Int),
                ("dilations", Ints),
                ("kernel_shape", Ints),
                ("pads", Ints),
                ("storage_order", Int),
                ("strides", Ints),
            ],
        ),
        operator("Mul", 2, &[]),
        operator("Relu", 1, &[]),
        operator("Reshape", 2, &[("allowzero", Int)]),
        operator("Shape", 1, &[("start", Int), ("end", Int)]),
        operator("Sigmoid", 1, &[]),
        operator("Slice", 5, &[]),
        operator("Softmax", 1, &[("axis", Int)]),
        operator("Squeeze", 2, &[("axes", Ints)]),
        operator("Transpose", 1, &[("perm", Ints)]),
        operator("Unsqueeze", 2, &[("axes", Ints)]),
    ]
};

/// Checks that `node` is of an operator that is known, and is told nothing that is not.
///
/// # Errors
/// When it is of another, has an attribute that is not known, of another kind than it is known or twice,
/// or takes more values.
pub(super) fn check(node: Node<'_>) -> Result<(), NodeProblem> {
    let operator = OPERATORS.iter().find(|operator| operator.name == node.operator());
    let Operator { most_inputs, attributes, .. } = operator.ok_or(NodeProblem::Operator)?;
    let mut before: Vec<&str> = Vec::new();
    for attribute in node.attributes() {
        let name = attribute.name.as_deref().unwrap_or_default();
        let known = attributes.iter().find(|known| known.0 == name);
        let &(name, kind) = known.ok_or_else(|| NodeProblem::UnknownAttribute(name.into()))?;
        if before.contains(&name) {
            return Err(NodeProblem::SameAttribute(name));
        }
        if !is_of(attribute, kind) {
            return Err(NodeProblem::AttributeKind { name, expected: kind.text() });
        }
        before.push(name);
    }
    match node.inputs().len() > *most_inputs {
        true => Err(NodeProblem::Inputs(node.inputs().len())),
        false => Ok(()),
    }
}

/// Whether `attribute` holds what is of `kind`, and nothing else. Not all files say which it is.
fn is_of(attribute: &AttributeProto, kind: Kind) -> bool {
    let AttributeProto { f, i, s, t, floats, ints, .. } = attribute;
    let held = [
        (Kind::Float, f.is_some()),
        (Kind::Int, i.is_some()),
        (Kind::Word, s.is_some()),
        (Kind::Ints, !ints.is_empty()),
    ];
    // A list may be of nothing; and where it is said what is there, some writers leave zeros out.
    let is_held = |(other, is_there): (Kind, bool)| match other == kind {
        true => is_there || kind == Kind::Ints || attribute.kind.is_some(),
        false => !is_there,
    };
    t.is_none()
        && floats.is_empty()
        && attribute.ref_attr_name.is_none()
        && attribute.kind.is_none_or(|said| said == kind.number())
        && held.into_iter().all(is_held)
}
