//! Shapes that a graph computes, as that of a flattening of however many images there are: of the shape
//! of a value some sizes are taken, and put together with others.

use std::collections::{BTreeSet, HashMap};

use super::constants::MOST_INTS;
use super::graph::{Graph, Node};
use super::messages::element;
use super::operators;

/// A size.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    /// However many images there are.
    Images,
    Known(i64),
}

/// The most nodes that a shape is computed by, some of them again and again.
const MOST_NODES: usize = 64;

/// The most nodes that all shapes of a graph are computed by, together.
const MOST_NODES_OF_ALL: usize = 1 << 12;

/// The most sizes of a shape.
const MOST_SIZES: usize = MOST_INTS;

/// The shapes of the values that were come by.
pub(super) struct Shapes<'a> {
    known: HashMap<&'a str, Vec<usize>>,
    /// By how many nodes shapes may yet be computed.
    left: usize,
    /// The places of the nodes that computed shapes.
    pub(super) read: BTreeSet<usize>,
}

impl Default for Shapes<'_> {
    fn default() -> Self {
        Self { known: HashMap::new(), left: MOST_NODES_OF_ALL, read: BTreeSet::new() }
    }
}

impl<'a> Shapes<'a> {
    /// That `value` is of N × `dims`.
    pub(super) fn learn(&mut self, value: &'a str, dims: Vec<usize>) {
        self.known.insert(value, dims);
    }

    /// The shape `value` as Reshape takes it, where 0 is the size that was there; `None` where it is none
    /// that is computed so.
    pub(super) fn reshape(&mut self, graph: &Graph<'a>, value: &str) -> Option<Vec<i64>> {
        let most = MOST_NODES.min(self.left);
        let mut left = most;
        let sizes = self.sizes(graph, value, &mut left);
        self.left -= most - left;
        let sizes = sizes?;
        let sizes = sizes.into_iter().enumerate().map(|(place, size)| match size {
            Size::Known(size) => Some(size),
            Size::Images => (place == 0).then_some(0),
        });
        sizes.collect()
    }

    /// The sizes that `value` is a list of, a single one too, computed by as many nodes as are `left`.
    fn sizes(&mut self, graph: &Graph<'a>, value: &str, left: &mut usize) -> Option<Vec<Size>> {
        if let Some(constant) = graph.constant_of(value) {
            let sizes = constant.ok()?.ints().ok()?;
            return Some(sizes.into_iter().map(Size::Known).collect());
        }
        let (place, node) = graph.maker(value)?;
        *left = left.checked_sub(1)?;
        operators::check(node).ok()?;
        let sizes = match node.operator() {
            "Shape" => {
                let dims = self.known.get(node.input())?.iter();
                let dims = dims.map(|&dim| i64::try_from(dim).ok().map(Size::Known));
                let sizes = std::iter::once(Some(Size::Images)).chain(dims);
                let sizes = sizes.collect::<Option<Vec<_>>>()?;
                let end = node.int("end").unwrap_or(i64::MAX);
                part(&sizes, node.int("start").unwrap_or(0), end).to_vec()
            }
            "Cast" => {
                // As other numbers, sizes might not be what they are.
                let is_whole = [element::INT32, element::INT64].map(i64::from);
                node.int("to").filter(|to| is_whole.contains(to))?;
                self.sizes(graph, node.input(), left)?
            }
            // These change what kind of a list it is.
            "Squeeze" | "Unsqueeze" | "Identity" => self.sizes(graph, node.input(), left)?,
            "Gather" => {
                node.expect_int("axis", 0, "").ok()?;
                let sizes = self.sizes(graph, node.input(), left)?;
                let places = graph.constant(node, 1).ok()?.ints().ok()?;
                let size = |&place: &i64| sizes.get(from_start(place, sizes.len())?).copied();
                places.iter().take(MOST_SIZES + 1).map(size).collect::<Option<_>>()?
            }
            "Slice" => {
                let sizes = self.sizes(graph, node.input(), left)?;
                slice(graph, node, &sizes)?
            }
            "Concat" => {
                node.expect_int("axis", 0, "").ok()?;
                let mut sizes = Vec::new();
                for part in node.inputs().iter().take(MOST_SIZES + 1) {
                    sizes.extend(self.sizes(graph, part, left)?);
                }
                sizes
            }
            _ => return None,
        };
        self.read.insert(place);
        Some(sizes).filter(|sizes| sizes.len() <= MOST_SIZES)
    }
}

/// Those of `sizes` that `node` takes, which are neighbours.
fn slice(graph: &Graph<'_>, node: Node<'_>, sizes: &[Size]) -> Option<Vec<Size>> {
    let number = |input: usize, default: i64| match graph.optional_constant(node, input).ok()? {
        None => Some(default),
        Some(constant) => match constant.ints().ok()?[..] {
            [number] => Some(number),
            _ => None,
        },
    };
    let (axis, step) = (number(3, 0)?, number(4, 1)?);
    if axis != 0 || step != 1 {
        return None;
    }
    Some(part(sizes, number(1, 0)?, number(2, i64::MAX)?).to_vec())
}

/// Those of `sizes` from `start` on to before `end`, which are counted from the end if they are below
/// zero. One beyond the first or the last is that one.
fn part(sizes: &[Size], start: i64, end: i64) -> &[Size] {
    let place = |number: i64| {
        let beyond = if number < 0 { 0 } else { sizes.len() };
        from_start(number, sizes.len()).map_or(beyond, |place| place.min(sizes.len()))
    };
    sizes.get(place(start)..place(end)).unwrap_or_default()
}

/// A place among `len`, which is counted from the end if it is below zero.
fn from_start(place: i64, len: usize) -> Option<usize> {
    match usize::try_from(place) {
        Ok(place) => Some(place),
        Err(_) => len.checked_sub(usize::try_from(place.unsigned_abs()).ok()?),
    }
}
