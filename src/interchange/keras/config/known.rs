//! Every setting of a layer is one that is read, one that changes nothing here, which may be said, or
//! refused: what a later version of Keras calls by a new name may mean anything.

use serde_json::Value;

use super::note::Notes;
use super::settings::Settings;
use crate::interchange::keras::LayerProblem;

/// The settings of all layers.
const OF_ALL: [&str; 4] = ["name", "trainable", "dtype", "activity_regularizer"];

/// Those of layers with weights, beside their own.
const OF_WEIGHTS: [&str; 11] = [
    "activation",
    "use_bias",
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "bias_constraint",
    "quantization_config",
    "lora_rank",
    "lora_alpha",
];

/// Those of training, which changes by them while what the layer computes does not.
const OF_TRAINING: [&str; 5] = [
    "activity_regularizer",
    "kernel_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "bias_constraint",
];

/// In what numbers a layer may compute, with weights that are float32.
const PRECISIONS: [&str; 6] =
    ["float32", "mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64"];

/// The settings of a layer of `class` beside those of all, and of weights.
fn own(class: &str) -> &'static [&'static str] {
    match class {
        "InputLayer" => &["batch_shape", "sparse", "ragged", "optional"],
        "Rescaling" => &["scale", "offset"],
        "Reshape" => &["target_shape"],
        "Activation" => &["activation"],
        "ReLU" => &["max_value", "negative_slope", "threshold"],
        "Softmax" => &["axis"],
        "Flatten" => &["data_format"],
        "Dropout" => &["rate", "seed", "noise_shape"],
        "Dense" => &["units"],
        "Conv2D" => &[
            "filters",
            "kernel_size",
            "strides",
            "padding",
            "data_format",
            "dilation_rate",
            "groups",
        ],
        "MaxPooling2D" | "AveragePooling2D" => &["pool_size", "padding", "strides", "data_format"],
        _ => &[],
    }
}

/// Whether layers of `class` have weights.
fn has_weights(class: &str) -> bool {
    matches!(class, "Dense" | "Conv2D")
}

impl Settings {
    /// Refuses settings that a layer of `class` is not known to have. What is null or false is not in
    /// use, whatever it is.
    pub(super) fn check_known(&self, class: &str) -> Result<(), LayerProblem> {
        let is_known = |name: &str| {
            OF_ALL.contains(&name)
                || own(class).contains(&name)
                || has_weights(class) && OF_WEIGHTS.contains(&name)
        };
        let is_used = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
        let mut all = self.each();
        match all.find(|(name, value)| is_used(value) && !is_known(name)) {
            Some((name, _)) => Err(LayerProblem::UnknownSetting(name.to_owned())),
            None => Ok(()),
        }
    }

    /// Notes what in the settings of the layer `name`, which is of `class`, is otherwise here.
    ///
    /// # Errors
    /// When it computes in other numbers than fractions.
    pub(super) fn note(
        &self,
        class: &str,
        name: &str,
        notes: &mut Notes,
    ) -> Result<(), LayerProblem> {
        let policy = self.precision()?;
        if policy != PRECISIONS[0] {
            notes.precision(policy, name);
        }
        if has_weights(class) && self.get("trainable") == Some(&Value::Bool(false)) {
            notes.frozen(name);
        }
        for setting in OF_TRAINING.into_iter().filter(|setting| self.get(setting).is_some()) {
            notes.training(setting, name);
        }
        Ok(())
    }

    /// In what numbers the layer computes: a name, or a policy that has one.
    fn precision(&self) -> Result<&'static str, LayerProblem> {
        let Some(dtype) = self.get("dtype") else { return Ok(PRECISIONS[0]) };
        let is_plain = matches!(
            dtype.get("class_name").and_then(Value::as_str),
            Some("DTypePolicy" | "FloatDTypePolicy")
        );
        let name = match is_plain {
            true => dtype.pointer("/config/name"),
            false => Some(dtype),
        };
        let name = name.and_then(Value::as_str);
        let known = PRECISIONS.into_iter().find(|known| name == Some(known));
        known.ok_or_else(|| LayerProblem::Setting {
            name: "dtype",
            found: dtype.to_string(),
            read: "float32, or another that computes with fractions".into(),
        })
    }
}
