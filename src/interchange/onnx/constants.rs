//! Arrays that are in the file: weights, shapes, factors.

use super::NodeProblem;
use super::messages::{TensorProto, element};

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
        let dims = tensor.dims.iter().map(|&dim| usize::try_from(dim).ok());
        let constant = Self { name, dims: dims.collect::<Option<_>>().unwrap_or_default(), tensor };
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
        let values = self.floats()?;
        match values.len() == outputs && self.dims.last() == Some(&outputs) {
            true => Ok(values),
            false => Err(self.misfit(format!("a layer of {outputs} outputs"))),
        }
    }

    /// Its numbers, if they are int64 or int32.
    pub(super) fn ints(&self) -> Result<Vec<i64>, NodeProblem> {
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
        let wide: Vec<u8> =
            self.tensor.int32_data.iter().map(|&number| u8::from(number != 0)).collect();
        match self.numbers(&wide, u8::from_le_bytes)?[..] {
            [byte] => Ok(byte != 0),
            _ => Err(self.misfit("a single truth value")),
        }
    }

    /// Its only number, if it has one, whatever its dimensions are.
    pub(super) fn scalar(&self) -> Result<f32, NodeProblem> {
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
        let count = self.dims.iter().try_fold(1_usize, |count, &dim| count.checked_mul(dim));
        let fits = |len: usize| count == Some(len);
        match typed.is_empty() {
            false if raw.is_empty() && fits(typed.len()) => Ok(typed.to_vec()),
            true if rest.is_empty() && fits(numbers.len()) => {
                Ok(numbers.iter().map(|bytes| from_le_bytes(*bytes)).collect())
            }
            _ => Err(self.problem("has not as many numbers as its shape says")),
        }
    }
}
