//! What files say of a network besides its tensors: one JSON text, the same in every kind of file.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::error::FileProblem;
use super::{Architecture, Network, Sequential, Tensor};
use crate::data::ClassNames;

/// What a file says of a network besides its tensors.
#[derive(Serialize, Deserialize)]
pub(crate) struct NetworkRecord {
    /// Counts incompatible changes of this record.
    format: u32,
    architecture: Sequential,
    classes: usize,
    /// What the classes are called; it is not said in files of networks that were told of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class_names: Option<ClassNames>,
    /// What is done to a pixel before the first layer.
    scaling: Cow<'static, str>,
}

const FORMAT: u32 = 1;
const SCALING: &str = "x/255";

impl NetworkRecord {
    /// What a record is called among the metadata of a file.
    pub(crate) const KEY: &str = "mnistry";

    /// What is said of `network`.
    pub(crate) fn of(network: &Network) -> Self {
        Self {
            format: FORMAT,
            architecture: network.architecture().clone().into(),
            classes: network.architecture().classes(),
            class_names: network.class_names().cloned(),
            scaling: SCALING.into(),
        }
    }

    /// The record that is written as `text`.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, FileProblem> {
        serde_json::from_slice(text).map_err(|error| FileProblem::Metadata(error.into()))
    }

    /// The text of it.
    ///
    /// # Errors
    /// When JSON cannot say it.
    pub(crate) fn text(&self) -> Result<String, FileProblem> {
        serde_json::to_string(self).map_err(|error| FileProblem::Unwritable(error.into()))
    }

    /// The architecture that it speaks of, checked.
    ///
    /// # Errors
    /// When it is of another version, contradicts itself, or there is no such architecture.
    pub(crate) fn architecture(&self) -> Result<Architecture, FileProblem> {
        if self.format != FORMAT {
            return Err(FileProblem::Format { found: self.format, read: FORMAT });
        }
        let architecture = Architecture::new(self.architecture.clone())?;
        if self.scaling != SCALING || self.classes != architecture.classes() {
            return Err(FileProblem::Contradiction);
        }
        Ok(architecture)
    }

    /// What the classes are called, if that is said.
    pub(crate) fn into_class_names(self) -> Option<ClassNames> {
        self.class_names
    }

    /// The network of that architecture with `tensors`, its classes called as is said.
    ///
    /// # Errors
    /// As [`architecture`](Self::architecture), and when the tensors or the names do not fit.
    pub(crate) fn network(self, tensors: Vec<Tensor>) -> Result<Network, FileProblem> {
        let network = Network::from_tensors(self.architecture()?, tensors)?;
        Ok(match self.class_names {
            Some(names) => network.with_class_names(names)?,
            None => network,
        })
    }
}
