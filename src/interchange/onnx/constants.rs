//! Arrays that are in the file: weights, shapes, factors.

use super::messages::{AttributeProto, GraphProto, TensorProto, attribute_kind, element};
use super::{NodeProblem, is_default};

/// The most whole numbers of a constant: no shape, and no list of axes, has more.
pub(super) const MOST_INTS: usize = 16;

/// The most dimensions of a constant: the kernel of a convolution has four, and some add ones.
const MOST_DIMS: usize = 8;

/// Gives nodes of `graph` that are constants, but say their numbers in attributes of their own, the array
/// that they mean.
pub(super) fn as_arrays(graph: &mut GraphProto) {
    let constants = graph.node.iter_mut().filter(|node| {
        node.op_type.as_deref() == Some("Constant") && is_default(node.domain.as_deref())
    });
    for node in constants {
        if let [attribute] = &mut node.attribute[..]
            && let Some(tensor) = array_of(attribute)
        {
            let name = Some("value".into());
            *attribute = AttributeProto { name, t: Some(tensor), ..AttributeProto::default() };
        }
    }
}

/// The array that `attribute` of a constant is another way to say.
fn array_of(attribute: &mut AttributeProto) -> Option<TensorProto> {
    // Some writers leave zeros out.
    let is_said = |kind| attribute.kind == Some(kind);
    let int = attribute.i.or(is_said(attribute_kind::INT).then_some(0));
    let float = attribute.f.or(is_said(attribute_kind::FLOAT).then_some(0.0));
    let (dims, ints, floats) = match attribute.name.as_deref()? {
        "value_int" => (vec![], vec![int?], vec![]),
        "value_float" => (vec![], vec![], vec![float?]),
        "value_ints" => {
            let ints = std::mem::take(&mut attribute.ints);
            (vec![ints.len() as i64], ints, vec![])
        }
        "value_floats" => {
            let floats = std::mem::take(&mut attribute.floats);
            (vec![floats.len() as i64], vec![], floats)
        }
        _ => return None,
    };
    let is_whole = floats.is_empty();
    Some(TensorProto {
        dims,
        data_type: Some(if is_whole { element::INT64 } else { element::FLOAT }),
        float_data: floats,
        int64_data: ints,
        ..TensorProto::default()
    })
}

/// An array whose numbers are in the file, as many as its shape says.
#[derive(Clone, Debug)]
pub(super) struct Constant<'a> {
    name: &'a str,
    pub(super) dims: Vec<usize>,
    tensor: &'a TensorProto,
}

impl<'a> Constant<'a> {
    /// The array `tensor`, which is called `name`.
    pub(super) fn new(name: &'a str, tensor: &'a TensorProto) -> Result<Self, NodeProblem> {
        // As often as a constant is asked for, so often its dimensions are copied.
        let dims = tensor.dims.iter().take(MOST_DIMS + 1).map(|&dim| usize::try_from(dim).ok());
        let constant = Self { name, dims: dims.collect::<Option<_>>().unwrap_or_default(), tensor };
        if tensor.dims.len() > MOST_DIMS {
            return Err(constant.problem("has more dimensions than any that is read"));
        }
        if constant.dims.len() != tensor.dims.len() {
            return Err(constant.problem("has a dimension below zero"));
        }
        if constant.dims.contains(&0) {
            // Of nothing, a layer could have any number of outputs.
            return Err(constant.problem("has a dimension of zero"));
        }
        match tensor.data_location {
            None | Some(0) => Ok(constant),
            _ => Err(constant.problem("lies in another file: save the model as one file")),
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// That something is wrong with it.
    pub(super) fn problem(&self, problem: &'static str) -> NodeProblem {
        NodeProblem::Constant { name: self.name.to_owned(), problem }
    }

    /// Its numbers, if they are float32.
    pub(super) fn floats(&self) -> Result<Vec<f32>, NodeProblem> {
        self.expect(element::FLOAT, "is not of float32")?;
        self.numbers(&self.tensor.float_data, f32::from_le_bytes)
    }

    /// Its numbers as a bias for each of `outputs`.
    pub(super) fn biases(&self, outputs: usize) -> Result<Vec<f32>, NodeProblem> {
        match self.count() == Some(outputs) && self.dims.last() == Some(&outputs) {
            true => self.floats(),
            false => Err(self.misfit(format!("a layer of {outputs} outputs"))),
        }
    }

    /// Its numbers, if they are int64 or int32 and as few as sizes or dimensions are. They may be asked
    /// for again and again, so more are not even looked at.
    pub(super) fn ints(&self) -> Result<Vec<i64>, NodeProblem> {
        if self.count().is_none_or(|count| count > MOST_INTS) {
            return Err(self.misfit(format!("a list of at most {MOST_INTS} whole numbers")));
        }
        if self.tensor.data_type == Some(element::INT32) {
            let numbers = self.numbers(&self.tensor.int32_data, i32::from_le_bytes)?;
            return Ok(numbers.into_iter().map(i64::from).collect());
        }
        self.expect(element::INT64, "is neither of int64 nor of int32")?;
        self.numbers(&self.tensor.int64_data, i64::from_le_bytes)
    }

    /// Its only truth value, if it has one, whatever its dimensions are.
    pub(super) fn bool(&self) -> Result<bool, NodeProblem> {
        self.expect(element::BOOL, "is not of bool")?;
        self.expect_one("a single truth value")?;
        let wide: Vec<u8> =
            self.tensor.int32_data.iter().map(|&number| u8::from(number != 0)).collect();
        match self.numbers(&wide, u8::from_le_bytes)?[..] {
            [byte] => Ok(byte != 0),
            _ => Err(self.misfit("a single truth value")),
        }
    }

    /// Its only number, if it has one, whatever its dimensions are.
    pub(super) fn scalar(&self) -> Result<f32, NodeProblem> {
        self.expect_one("a single number")?;
        match self.floats()?[..] {
            [number] => Ok(number),
            _ => Err(self.misfit("a single number")),
        }
    }

    /// That its shape is none for what a node `reads`.
    pub(super) fn misfit(&self, reads: impl ToString) -> NodeProblem {
        let (name, found) = (self.name.to_owned(), self.dims.clone());
        NodeProblem::Misfit { name, found, reads: reads.to_string() }
    }

    /// How many numbers its shape says that it has, if so many can be.
    fn count(&self) -> Option<usize> {
        self.dims.iter().try_fold(1_usize, |count, &dim| count.checked_mul(dim))
    }

    /// By its shape, before any number is looked at.
    fn expect_one(&self, reads: &str) -> Result<(), NodeProblem> {
        match self.count() {
            Some(1) => Ok(()),
            _ => Err(self.misfit(reads)),
        }
    }

    fn expect(&self, element: i32, problem: &'static str) -> Result<(), NodeProblem> {
        match self.tensor.data_type == Some(element) {
            true => Ok(()),
            false => Err(self.problem(problem)),
        }
    }

    /// Its numbers, which are in a field of their own, or as bytes.
    fn numbers<T: Copy, const SIZE: usize>(
        &self,
        typed: &[T],
        from_le_bytes: impl Fn([u8; SIZE]) -> T,
    ) -> Result<Vec<T>, NodeProblem> {
        let raw = self.tensor.raw_data.as_deref().unwrap_or_default();
        let (numbers, rest) = raw.as_chunks::<SIZE>();
        let fits = |len: usize| self.count() == Some(len);
        match typed.is_empty() {
            false if raw.is_empty() && fits(typed.len()) => Ok(typed.to_vec()),
            true if rest.is_empty() && fits(numbers.len()) => {
                Ok(numbers.iter().map(|bytes| from_le_bytes(*bytes)).collect())
            }
            _ => Err(self.problem("has not as many numbers as its shape says")),
        }
    }
}
