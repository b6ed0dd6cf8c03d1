//! The settings of a layer of Keras.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::interchange::keras::LayerProblem;
use crate::model::{Activation, Window};

/// The settings of a layer, by their names. What one of them is when it is absent is Keras's
/// default: versions differ in what they write down.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Settings(Map<String, Value>);

impl Settings {
    /// The setting `name`; absent and null are one.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// All settings, by their names.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The setting `name`, which must be there; `read` says what it may be.
    ///
    /// # Errors
    /// When it is another thing.
    pub(super) fn require<T: DeserializeOwned>(
        &self,
        name: &'static str,
        read: &str,
    ) -> Result<T, LayerProblem> {
        let value = self.0.get(name).unwrap_or(&Value::Null);
        serde_json::from_value(value.clone()).map_err(|_| refused(name, value, read))
    }

    /// As [`require`](Self::require); `None` where it is absent.
    ///
    /// # Errors
    /// As [`require`](Self::require).
    pub(super) fn optional<T: DeserializeOwned>(
        &self,
        name: &'static str,
        read: &str,
    ) -> Result<Option<T>, LayerProblem> {
        self.get(name).map(|_| self.require(name, read)).transpose()
    }

    /// Height and width.
    ///
    /// # Errors
    /// When they are not there.
    pub(super) fn window(&self, name: &'static str) -> Result<Window, LayerProblem> {
        self.require(name, "height and width")
    }

    /// What is applied to a layer's sums; nothing where that is not said.
    ///
    /// # Errors
    /// When it is one that there is not.
    pub(super) fn activation(&self) -> Result<Activation, LayerProblem> {
        const KNOWN: &str = "linear, relu, sigmoid or softmax";
        Ok(self.optional("activation", KNOWN)?.unwrap_or_default())
    }

    /// Checks that each of these settings is what it says, which is Keras's default.
    ///
    /// # Errors
    /// When one is not.
    pub(super) fn check(
        &self,
        expected: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Result<(), LayerProblem> {
        for (name, expected) in expected {
            match self.get(name) {
                Some(found) if !is_same(found, &expected) => {
                    return Err(refused(name, found, &expected.to_string()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks what is the same in all inputs that are read: arrays as they are.
    ///
    /// # Errors
    /// When that is otherwise.
    pub(super) fn check_input(&self) -> Result<(), LayerProblem> {
        self.check([("sparse", json!(false)), ("ragged", json!(false))])?;
        self.check_known("InputLayer")
    }

    /// Checks what is the same in all layers that are read: channels last, a bias, nothing grouped,
    /// dilated or quantised.
    ///
    /// # Errors
    /// When that is otherwise.
    pub(super) fn check_common(&self) -> Result<(), LayerProblem> {
        self.check([
            ("data_format", json!("channels_last")),
            ("use_bias", json!(true)),
            ("groups", json!(1)),
            ("dilation_rate", json!([1, 1])),
            ("quantization_config", Value::Null),
            ("lora_rank", Value::Null),
        ])
    }
}

fn refused(name: &'static str, found: &Value, read: &str) -> LayerProblem {
    LayerProblem::Setting { name, found: found.to_string(), read: read.into() }
}

/// Whether both say the same, 1 and 1.0 too.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}
