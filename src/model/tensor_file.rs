//! A safetensors file: named arrays of numbers, and a record of ours as metadata.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, View};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Error, FileProblem, Result};
use super::network::{WEIGHTS, check_memory};
use super::{Architecture, ParameterSpec, Tensor};
use crate::memory::reserve;

/// A safetensors file that was read.
pub(crate) struct TensorFile<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    tensors: SafeTensors<'a>,
}

impl<'a> TensorFile<'a> {
    /// The file at `path`, which holds `bytes`.
    ///
    /// # Errors
    /// When it is not a safetensors file.
    pub(crate) fn parse(path: &'a Path, bytes: &'a [u8]) -> Result<Self> {
        let tensors = SafeTensors::deserialize(bytes).map_err(not_safetensors(path))?;
        Ok(Self { path, bytes, tensors })
    }

    /// The record under `key` of the metadata, one JSON text.
    ///
    /// # Errors
    /// When there is none, or it is not such a record.
    pub(crate) fn metadata<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        self.optional_metadata(key)?.ok_or_else(|| self.invalid(FileProblem::Foreign))
    }

    /// As [`metadata`](Self::metadata); `None` where there is none.
    ///
    /// # Errors
    /// When it is not such a record.
    pub(crate) fn optional_metadata<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let header = SafeTensors::read_metadata(self.bytes).map_err(not_safetensors(self.path))?.1;
        let texts = header.metadata().as_ref();
        let text = texts.and_then(|texts| texts.get(key));
        text.map(|text| serde_json::from_str(text))
            .transpose()
            .map_err(|error| self.invalid(FileProblem::Metadata(error.into())))
    }

    /// The names of all tensors.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.names().into_iter()
    }

    /// Arrays of the names, after `prefix`, and the shapes of the parameters of `architecture`.
    ///
    /// # Errors
    /// When one is missing, or of another shape or type.
    pub(crate) fn tensors(&self, prefix: &str, architecture: &Architecture) -> Result<Vec<Tensor>> {
        check_memory(architecture).map_err(|error| self.invalid(error.into()))?;
        architecture.parameters().map(|expected| self.tensor(prefix, expected)).collect()
    }

    fn tensor(&self, prefix: &str, expected: &ParameterSpec) -> Result<Tensor> {
        let ParameterSpec { name, shape, .. } = expected;
        let view = self.view(&format!("{prefix}{name}"), Dtype::F32)?;
        if view.shape() != shape {
            let (found, expected) = (view.shape().to_vec(), expected.clone());
            return Err(self.invalid(FileProblem::TensorShape { found, expected }));
        }
        let (numbers, _) = view.data().as_chunks::<4>();
        let mut values = Vec::new();
        reserve(&mut values, numbers.len(), WEIGHTS).map_err(|error| self.invalid(error.into()))?;
        values.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        Ok(Tensor { name: name.clone(), shape: shape.clone(), values })
    }

    /// The f64 array `name`, whose last dimension is `columns`.
    ///
    /// # Errors
    /// When it is missing, or of another shape or type.
    pub(crate) fn numbers(&self, name: &str, columns: usize) -> Result<Vec<f64>> {
        let view = self.view(name, Dtype::F64)?;
        if view.shape().last() != Some(&columns) {
            return Err(self.invalid(FileProblem::Contradiction));
        }
        let (numbers, _) = view.data().as_chunks::<8>();
        Ok(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
    }

    fn view(&self, name: &str, expected: Dtype) -> Result<TensorView<'_>> {
        let missing = |_| self.invalid(FileProblem::MissingTensor(name.into()));
        let view = self.tensors.tensor(name).map_err(missing)?;
        if view.dtype() != expected {
            let (found, expected) = (view.dtype().to_string(), expected.to_string());
            return Err(self.invalid(FileProblem::TensorType {
                name: name.into(),
                found,
                expected,
            }));
        }
        Ok(view)
    }

    /// `problem` as that of this file.
    pub(crate) fn invalid(&self, problem: FileProblem) -> Error {
        problem.at(self.path)
    }
}

fn not_safetensors(path: &Path) -> impl Fn(safetensors::SafeTensorError) -> Error {
    move |error| FileProblem::NotSafetensors(error.into()).at(path)
}

/// A safetensors file that is put together. Its bytes depend on what is put in alone.
pub(crate) struct TensorFileWriter<'a> {
    path: &'a Path,
    metadata: HashMap<String, String>,
    arrays: Vec<(String, Array<'a>)>,
}

impl<'a> TensorFileWriter<'a> {
    /// A file for `path` with `record` under `key` of the metadata.
    ///
    /// # Errors
    /// When JSON cannot say the record.
    pub(crate) fn new(path: &'a Path, key: &str, record: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(record)
            .map_err(|error| FileProblem::Unwritable(error.into()).at(path))?;
        // A single key: a map of more would be written in an order that varies from run to run.
        let metadata = HashMap::from([(key.to_owned(), text)]);
        Ok(Self { path, metadata, arrays: Vec::new() })
    }

    /// Adds `tensors` under their names after `prefix`.
    pub(crate) fn add_tensors(&mut self, prefix: &str, tensors: &'a [Tensor]) {
        self.arrays.extend(tensors.iter().map(|tensor| {
            let numbers = Numbers::F32(&tensor.values);
            (format!("{prefix}{}", tensor.name), Array { shape: tensor.shape.clone(), numbers })
        }));
    }

    /// Adds the array `name` of `numbers`.
    pub(crate) fn add_numbers(&mut self, name: &str, shape: &[usize], numbers: &'a [f64]) {
        let numbers = Numbers::F64(numbers);
        self.arrays.push((name.into(), Array { shape: shape.into(), numbers }));
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// When the format cannot say what was added.
    pub(crate) fn into_bytes(self) -> Result<Vec<u8>> {
        safetensors::serialize(self.arrays, Some(self.metadata))
            .map_err(|error| FileProblem::Unwritable(error.into()).at(self.path))
    }
}

/// An array as the safetensors crate wants to see it.
struct Array<'a> {
    shape: Vec<usize>,
    numbers: Numbers<'a>,
}

enum Numbers<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
}

impl View for Array<'_> {
    fn dtype(&self) -> Dtype {
        match self.numbers {
            Numbers::F32(_) => Dtype::F32,
            Numbers::F64(_) => Dtype::F64,
        }
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        match self.numbers {
            Numbers::F32(numbers) => bytes(numbers, f32::to_le_bytes),
            Numbers::F64(numbers) => bytes(numbers, f64::to_le_bytes),
        }
    }
    fn data_len(&self) -> usize {
        match self.numbers {
            Numbers::F32(numbers) => size_of_val(numbers),
            Numbers::F64(numbers) => size_of_val(numbers),
        }
    }
}

/// The bytes of all `numbers`, each as `of` has them: copied number by number, not byte by byte.
fn bytes<T: Copy, const N: usize>(numbers: &[T], of: impl Fn(T) -> [u8; N]) -> Cow<'static, [u8]> {
    let bytes: Vec<_> = numbers.iter().map(|&number| of(number)).collect();
    Cow::Owned(bytes.into_flattened())
}
