//! A network: an architecture and its parameters.

use super::architecture::{Architecture, ParameterSpec};
use super::error::NetworkError;
use super::initializer::glorot_uniform;
use crate::data::ClassNames;
use crate::memory::{Need, Shortage, reserve};

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

/// What weights are called where there is no memory for them.
pub(crate) const WEIGHTS: (&str, &str) = ("the network", "its weights");

/// Checks that there is memory for the weights of `architecture`.
///
/// # Errors
/// When there is not.
pub(crate) fn check_memory(architecture: &Architecture) -> Result<(), Shortage> {
    let counts = architecture.parameters().map(|spec| spec.count() as u128);
    let bytes = counts.sum::<u128>() * size_of::<f32>() as u128;
    let (task, weights) = WEIGHTS;
    Need::default().and(weights, bytes).check(task, "fewer units or smaller kernels")
}

/// A network that can be trained, evaluated, saved and asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    architecture: Architecture,
    tensors: Vec<Tensor>,
    class_names: Option<ClassNames>,
}

impl Network {
    /// A new network: Glorot-uniform kernels drawn under `seed`, zero biases.
    ///
    /// # Errors
    /// When the layers make no [`Architecture`], or there is too little memory for its weights.
    pub fn new<A>(architecture: A, seed: u64) -> Result<Self, NetworkError>
    where
        A: TryInto<Architecture, Error: Into<NetworkError>>,
    {
        let architecture = architecture.try_into().map_err(Into::into)?;
        check_memory(&architecture)?;
        let draw = |(index, spec): (usize, &ParameterSpec)| {
            let values = if spec.name.ends_with(".bias") {
                let mut values = Vec::new();
                reserve(&mut values, spec.count(), WEIGHTS)?;
                values.resize(spec.count(), 0.0);
                values
            } else {
                glorot_uniform(&spec.shape, seed, index)?
            };
            Ok(Tensor { name: spec.name.clone(), shape: spec.shape.clone(), values })
        };
        let tensors = architecture.parameters().enumerate().map(draw);
        let tensors = tensors.collect::<Result<_, Shortage>>()?;
        Ok(Self { architecture, tensors, class_names: None })
    }

    /// A network with the given parameters, in the order of [`Architecture::parameters`].
    ///
    /// # Errors
    /// When the layers make no [`Architecture`], or a tensor is missing, too many, of another
    /// shape, or holds a number that is not finite.
    pub fn from_tensors<A>(architecture: A, tensors: Vec<Tensor>) -> Result<Self, NetworkError>
    where
        A: TryInto<Architecture, Error: Into<NetworkError>>,
    {
        let architecture = architecture.try_into().map_err(Into::into)?;
        let expected = architecture.parameters().count();
        if tensors.len() != expected {
            return Err(NetworkError::Count { found: tensors.len(), expected });
        }
        for (tensor, expected) in tensors.iter().zip(architecture.parameters()) {
            let fits = tensor.name == expected.name
                && tensor.shape == expected.shape
                && tensor.values.len() == expected.count();
            if !fits {
                let (name, shape) = (tensor.name.clone(), tensor.shape.clone());
                return Err(NetworkError::Tensor { name, shape, expected: expected.clone() });
            }
            if tensor.values.iter().any(|value| !value.is_finite()) {
                return Err(NetworkError::NotFinite(tensor.name.clone()));
            }
        }
        Ok(Self { architecture, tensors, class_names: None })
    }

    /// Its layers.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The same, whose classes have these names: what its outputs stand for.
    ///
    /// # Errors
    /// When there are more names than classes.
    pub fn with_class_names(mut self, names: ClassNames) -> Result<Self, NetworkError> {
        let classes = self.architecture.classes();
        if names.len() > classes {
            return Err(NetworkError::ClassNames { names: names.len(), classes });
        }
        self.class_names = Some(names);
        Ok(self)
    }

    /// The same, its classes called as those of what it is trained on from now on.
    ///
    /// # Errors
    /// When they are called otherwise already, or there are more names than classes.
    pub(crate) fn taking_class_names(self, names: &ClassNames) -> Result<Self, NetworkError> {
        match self.class_names() {
            Some(known) if known != names && !(known.are_numbers() && names.are_numbers()) => {
                Err(NetworkError::OtherClassNames)
            }
            Some(_) => Ok(self),
            None => self.with_class_names(names.clone()),
        }
    }

    /// What its classes are called, if it was said.
    #[must_use]
    pub fn class_names(&self) -> Option<&ClassNames> {
        self.class_names.as_ref()
    }

    /// The name of each class: its number where no other is known.
    #[must_use]
    pub fn names_of_classes(&self) -> ClassNames {
        let classes = self.architecture.classes();
        self.class_names.clone().unwrap_or_else(|| ClassNames::numbered(classes))
    }

    /// Its parameters, in the order of [`Architecture::parameters`].
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
