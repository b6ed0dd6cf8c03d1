//! What `--model` names: a network that has a name, or a file that describes one.

use std::path::{Path, PathBuf};

use mnistry::image::ImageShape;
use mnistry::model::Architecture;
use mnistry::{Activation, Result, Sequential};

/// A network that has a name, or a file that describes one.
#[derive(Clone)]
pub(super) enum Model {
    Mlp,
    LeNet5,
    Cnn,
    File(PathBuf),
}

/// How many classes a network that has a name is made for where no data set says it.
pub(super) const NAMED_CLASSES: usize = 10;

/// What an mlp is made of: dense layers.
pub(super) struct Mlp {
    /// The units of each hidden layer.
    pub(super) hidden: Vec<usize>,
    /// The activation of the last one.
    pub(super) output: Activation,
}

impl Default for Mlp {
    fn default() -> Self {
        Self { hidden: vec![100], output: Activation::Sigmoid }
    }
}

impl Mlp {
    fn layers(&self, input: ImageShape, classes: usize) -> Sequential {
        let add = |network: Sequential, &units| network.dense(units, Activation::Relu);
        let hidden = self.hidden.iter().fold(Sequential::new(input), add);
        hidden.dense(classes, self.output)
    }
}

impl Model {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "mlp" => Ok(Self::Mlp),
            "lenet5" => Ok(Self::LeNet5),
            "cnn" => Ok(Self::Cnn),
            file if file.ends_with(".toml") => Ok(Self::File(file.into())),
            _ => Err("give mlp, lenet5, cnn, or a file whose name ends with .toml".into()),
        }
    }

    /// The file that describes it, if one does.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            _ => None,
        }
    }

    /// The network for images of shape `input`; where the model is `mlp`, of the layers of that. How
    /// many classes there are, a file says itself.
    pub(super) fn architecture(
        &self,
        input: ImageShape,
        classes: usize,
        mlp: &Mlp,
    ) -> Result<Architecture> {
        Ok(match self {
            Self::Mlp => mlp.layers(input, classes).try_into()?,
            Self::LeNet5 => Sequential::lenet5(input, classes).try_into()?,
            Self::Cnn => Sequential::cnn(input, classes).try_into()?,
            Self::File(path) => Architecture::from_toml(path, input)?,
        })
    }
}
