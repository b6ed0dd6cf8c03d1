//! A network: an architecture and its parameters.

use crate::error::{Error, Result};
use crate::model::architecture::Sequential;
use crate::model::initializer::glorot_uniform;

/// A named array of parameters, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Keras's name: `dense.kernel`, `dense.bias`, `dense_1.kernel` …
    pub name: String,
    /// Its dimensions: a dense kernel's are inputs × units.
    pub shape: Vec<usize>,
    /// Its numbers.
    pub values: Vec<f32>,
}

/// A network that can be trained, evaluated, saved and asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    architecture: Sequential,
    tensors: Vec<Tensor>,
}

impl Network {
    /// A new network: Glorot-uniform kernels drawn under `seed`, zero biases.
    ///
    /// # Errors
    /// When the architecture does not [check](Sequential::check).
    pub fn new(architecture: Sequential, seed: u64) -> Result<Self> {
        architecture.check()?;
        let tensors = architecture
            .parameters()
            .into_iter()
            .enumerate()
            .map(|(index, (name, shape))| {
                let values = if name.ends_with(".bias") {
                    vec![0.0; shape.iter().product()]
                } else {
                    glorot_uniform(&shape, seed, index)
                };
                Tensor { name, shape, values }
            })
            .collect();
        Ok(Self { architecture, tensors })
    }

    /// A network with the given parameters, in the order of [`Sequential::parameters`].
    ///
    /// # Errors
    /// When the architecture does not check, or a tensor is missing, too many, of another shape,
    /// or holds a number that is not finite.
    pub fn from_tensors(architecture: Sequential, tensors: Vec<Tensor>) -> Result<Self> {
        architecture.check()?;
        let expected = architecture.parameters();
        if tensors.len() != expected.len() {
            let problem =
                format!("{} tensors where the network has {}", tensors.len(), expected.len());
            return Err(Error::Network(problem));
        }
        for (tensor, (name, shape)) in tensors.iter().zip(&expected) {
            if tensor.name != *name
                || tensor.shape != *shape
                || tensor.values.len() != shape.iter().product::<usize>()
            {
                let problem = format!(
                    "tensor {} of shape {:?} where {name} {shape:?} belongs",
                    tensor.name, tensor.shape
                );
                return Err(Error::Network(problem));
            }
            if tensor.values.iter().any(|value| !value.is_finite()) {
                return Err(Error::Network(format!(
                    "tensor {name} holds a number that is not finite"
                )));
            }
        }
        Ok(Self { architecture, tensors })
    }

    /// Its layers.
    #[must_use]
    pub fn architecture(&self) -> &Sequential {
        &self.architecture
    }

    /// Its parameters, in the order of [`Sequential::parameters`].
    #[must_use]
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// How many numbers it has learnt or will learn.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.tensors.iter().map(|tensor| tensor.values.len()).sum()
    }

    /// Its parameters, whose values may be overwritten.
    pub(crate) fn tensors_mut(&mut self) -> &mut [Tensor] {
        &mut self.tensors
    }
}
