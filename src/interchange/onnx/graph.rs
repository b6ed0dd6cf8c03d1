//! A graph, to be walked from its input on: who takes which value, and which values are constants.

use std::collections::{HashMap, HashSet};

use super::messages::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};
use super::{Constant, NodeProblem, OnnxProblem, is_default};

/// A graph whose values have each one name.
pub(super) struct Graph<'a> {
    /// All nodes but constants.
    pub(super) nodes: Vec<Node<'a>>,
    /// What images come in as.
    pub(super) input: &'a ValueInfoProto,
    constants: HashMap<&'a str, Array<'a>>,
    /// The nodes that take a value, by their places.
    users: HashMap<&'a str, Vec<usize>>,
    /// The node that gives a value, by its place.
    makers: HashMap<&'a str, usize>,
    outputs: HashSet<&'a str>,
}

/// An array in the file, and what it is called where it is first. It may have other names.
#[derive(Clone, Copy)]
struct Array<'a> {
    name: &'a str,
    tensor: &'a TensorProto,
}

/// A node of a [`Graph`].
#[derive(Clone, Copy)]
pub(super) struct Node<'a>(&'a NodeProto);

/// A node that takes a value to work on.
#[derive(Clone, Copy)]
pub(super) struct Taking<'a> {
    pub(super) node: Node<'a>,
    /// As which of its inputs, from 0.
    pub(super) place: usize,
    /// Which input the other operand is, where there are two.
    pub(super) other: usize,
}

impl<'a> Graph<'a> {
    /// # Errors
    /// When two values have one name, or there is not one input.
    pub(super) fn new(graph: &'a GraphProto) -> Result<Self, OnnxProblem> {
        let mut constants = HashMap::new();
        let mut nodes = Vec::new();
        let mut names = HashSet::new();
        let mut know = |name: &'a str| match name.is_empty() || names.insert(name) {
            true => Ok(()),
            false => Err(OnnxProblem::SameName(name.into())),
        };
        for tensor in &graph.initializer {
            let name = tensor.name.as_deref().unwrap_or_default();
            know(name)?;
            constants.insert(name, Array { name, tensor });
        }
        for node in graph.node.iter().map(Node) {
            node.0.output.iter().try_for_each(|name| know(name))?;
            let name = node.output();
            let array = node.constant().map(|tensor| Array { name, tensor });
            match array.or_else(|| constants.get(node.renamed()?).copied()) {
                Some(array) => drop(constants.insert(name, array)),
                None => nodes.push(node),
            }
        }
        let name = |value: &'a ValueInfoProto| value.name.as_deref().unwrap_or_default();
        // Some initial values are inputs too, whose defaults they are.
        let inputs = graph.input.iter().filter(|input| !constants.contains_key(name(input)));
        let inputs: Vec<_> = inputs.collect();
        let [input] = inputs[..] else { return Err(OnnxProblem::Inputs(inputs.len())) };
        know(name(input))?;
        let mut users: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut makers = HashMap::new();
        for (place, node) in nodes.iter().enumerate() {
            makers.extend(node.0.output.iter().map(|value| (value.as_str(), place)));
            // Who asks how large a value is does not take it.
            for value in node.0.input.iter().filter(|_| node.operator() != "Shape") {
                users.entry(value).or_default().push(place);
            }
        }
        let outputs = graph.output.iter().map(name).collect();
        Ok(Self { nodes, input, constants, users, makers, outputs })
    }

    /// The places of the nodes that take `value`.
    pub(super) fn users(&self, value: &str) -> &[usize] {
        self.users.get(value).map_or(&[], Vec::as_slice)
    }

    /// Whether `value` is an output.
    pub(super) fn is_output(&self, value: &str) -> bool {
        self.outputs.contains(value)
    }

    /// The constant that `node` takes as its input number `number`, from 0; `None` where it takes
    /// nothing there.
    pub(super) fn optional_constant(
        &self,
        node: Node<'a>,
        number: usize,
    ) -> Result<Option<Constant<'a>>, NodeProblem> {
        let Some(name) = node.0.input.get(number).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let constant = self.constant_of(name).ok_or(NodeProblem::NotConstant(number + 1))?;
        constant.map(Some)
    }

    /// The constant that is called `value`, if one is.
    pub(super) fn constant_of(&self, value: &str) -> Option<Result<Constant<'a>, NodeProblem>> {
        let Array { name, tensor } = *self.constants.get(value).filter(|_| !value.is_empty())?;
        Some(Constant::new(name, tensor))
    }

    /// The node that gives `value`, and its place.
    pub(super) fn maker(&self, value: &str) -> Option<(usize, Node<'a>)> {
        let place = *self.makers.get(value)?;
        Some((place, *self.nodes.get(place)?))
    }

    /// The places and the operators of the nodes that take `value`, as a person names them.
    pub(super) fn takers(&self, value: &str) -> String {
        const SHOWN: usize = 3;
        let users = self.users(value);
        let taker = |place: &usize| {
            let node = self.nodes[*place];
            format!("{} ({})", node.name(), node.0.op_type.as_deref().unwrap_or_default())
        };
        let more = users.len().saturating_sub(SHOWN);
        let shown = users.iter().take(SHOWN).map(taker);
        let more = (more > 0).then(|| format!("{more} more"));
        shown.chain(more).collect::<Vec<_>>().join(", ")
    }

    /// The same where it must take one.
    pub(super) fn constant(
        &self,
        node: Node<'a>,
        number: usize,
    ) -> Result<Constant<'a>, NodeProblem> {
        self.optional_constant(node, number)?.ok_or(NodeProblem::NotConstant(number + 1))
    }
}

impl<'a> Node<'a> {
    /// Its operator; none where that is not one of ONNX's own.
    pub(super) fn operator(self) -> &'a str {
        match is_default(self.0.domain.as_deref()) {
            true => self.0.op_type.as_deref().unwrap_or_default(),
            false => "",
        }
    }

    /// The first value that it gives.
    pub(super) fn output(self) -> &'a str {
        self.0.output.first().map_or("", String::as_str)
    }

    /// The first value that it takes.
    pub(super) fn input(self) -> &'a str {
        self.0.input.first().map_or("", String::as_str)
    }

    /// The values that it takes.
    pub(super) fn inputs(self) -> &'a [String] {
        &self.0.input
    }

    /// That it takes `value`, if it takes that to work on: of a sum or a product either operand, of all
    /// else the first.
    pub(super) fn taking(self, value: &str) -> Option<Taking<'a>> {
        let most = if matches!(self.operator(), "Add" | "Mul") { 2 } else { 1 };
        let place = self.0.input.iter().take(most).position(|input| input == value)?;
        Some(Taking { node: self, place, other: 1 - place })
    }

    /// What it is called, or what it gives where it has no name.
    fn name(self) -> &'a str {
        let name = self.0.name.as_deref().filter(|name| !name.is_empty());
        name.unwrap_or(self.output())
    }

    /// What it only gives another name.
    fn renamed(self) -> Option<&'a str> {
        let is_plain = self.operator() == "Identity" && self.0.attribute.is_empty();
        match &self.0.input[..] {
            [value] if is_plain => Some(value),
            _ => None,
        }
    }

    /// That it fits no layer, as `problem` says.
    pub(super) fn refused(self, problem: NodeProblem) -> OnnxProblem {
        let name = self.name().to_owned();
        let operator = self.0.op_type.clone().unwrap_or_default();
        OnnxProblem::Node { name, operator, problem }
    }

    /// What it gives, if it is nothing but a constant.
    fn constant(self) -> Option<&'a TensorProto> {
        let [attribute] = &self.0.attribute[..] else { return None };
        let is_value = self.operator() == "Constant" && attribute.name.as_deref() == Some("value");
        attribute.t.as_ref().filter(|_| is_value)
    }

    /// All that it is told.
    pub(super) fn attributes(self) -> &'a [AttributeProto] {
        &self.0.attribute
    }

    /// The number `name`, if it is said: zero where some writers leave it out.
    pub(super) fn int(self, name: &str) -> Option<i64> {
        Some(self.attribute(name)?.i.unwrap_or(0))
    }

    /// The fraction `name`, if it is said, as [`int`](Self::int).
    pub(super) fn float(self, name: &str) -> Option<f32> {
        Some(self.attribute(name)?.f.unwrap_or(0.0))
    }

    /// The numbers `name`, if they are said.
    pub(super) fn ints(self, name: &str) -> Option<&'a [i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    /// The word `name`, if it is said.
    pub(super) fn word(self, name: &str) -> Option<&'a [u8]> {
        self.attribute(name)?.s.as_deref()
    }

    /// Refuses a number `name` other than `only`, which is what it is where it is not said.
    pub(super) fn expect_int(
        self,
        name: &str,
        only: i64,
        expected: &'static str,
    ) -> Result<(), NodeProblem> {
        match self.int(name) {
            Some(found) if found != only => {
                Err(NodeProblem::Value { attribute: format!("{name} {found}"), expected })
            }
            _ => Ok(()),
        }
    }

    fn attribute(self, name: &str) -> Option<&'a AttributeProto> {
        self.0.attribute.iter().find(|attribute| attribute.name.as_deref() == Some(name))
    }
}
