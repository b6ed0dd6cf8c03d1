//! The settings of a run as a list of names and values.

use serde_json::Value;

use crate::report::RunConfig;
use crate::report::error::{Error, Result};

/// What is shown elsewhere on a page, or says nothing of what a run does.
const ELSEWHERE: [&str; 4] = ["architecture", "class_names", "commands", "data_checksum"];

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// As in `config.json`, with what it is a part of before it.
    pub(super) name: String,
    pub(super) value: String,
}

/// All settings of `config` but the network, in the order of `config.json`'s names.
///
/// # Errors
/// When one is what JSON cannot say.
pub(super) fn settings(config: &RunConfig) -> Result<Vec<Setting>> {
    // By way of the text, in which 0.1 stays 0.1, though it is an f32.
    let value = serde_json::to_string(config).and_then(|text| serde_json::from_str(&text));
    let value = value
        .map_err(|error| Error::Config { path: "config.json".into(), source: error.into() })?;
    let mut settings = Vec::new();
    if let Value::Object(fields) = value {
        let fields = fields.iter().filter(|(name, _)| !ELSEWHERE.contains(&name.as_str()));
        fields.for_each(|(name, value)| add(name, value, &mut settings));
    }
    Ok(settings)
}

/// Adds `value`, which is called `name`, or what it is made of.
fn add(name: &str, value: &Value, settings: &mut Vec<Setting>) {
    let text = match value {
        Value::Object(fields) => {
            let within = |(part, value): (&String, &Value)| {
                add(&format!("{name} {part}"), value, settings);
            };
            return fields.iter().for_each(within);
        }
        Value::Null => "–".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    settings.push(Setting { name: name.replace('_', " "), value: text });
}
