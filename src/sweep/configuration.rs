//! Points of a plan.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::files::OneLine;

/// A setting of a training, under the name that it has among the arguments of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Such as `batch-size`.
    pub name: String,
    /// As an argument has it.
    pub value: String,
}

/// Settings that are tried together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Configuration {
    /// From 1, in the order of the plan.
    #[serde(rename = "configuration")]
    pub number: usize,
    /// One of each setting of the plan, in its order.
    #[serde(serialize_with = "by_name")]
    pub settings: Vec<Setting>,
}

/// One training of a sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedRun {
    /// From 1, in the order of the plan.
    #[serde(rename = "run")]
    pub number: usize,
    /// What is trained.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// By which seed.
    pub seed: u64,
    /// The fold that is held out, from 1, in a sweep with folds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
}

impl Configuration {
    /// The value of the setting `name`, if the plan has it.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let setting = self.settings.iter().find(|setting| setting.name == name);
        setting.map(|setting| setting.value.as_str())
    }
}

/// Settings as an object: `{"hidden": "100"}`.
fn by_name<S: Serializer>(settings: &[Setting], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(settings.iter().map(|setting| (&setting.name, &setting.value)))
}

/// On one line, whatever it is: plans come from others too.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", OneLine(&self.name), OneLine(&self.value))
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for setting in &self.settings {
            write!(f, "{separator}{setting}")?;
            separator = ", ";
        }
        if self.settings.is_empty() { f.write_str("the default settings") } else { Ok(()) }
    }
}

impl fmt::Display for PlannedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} ({}, seed {}", self.number, self.configuration, self.seed)?;
        if let Some(fold) = self.fold {
            write!(f, ", fold {fold}")?;
        }
        f.write_str(")")
    }
}
