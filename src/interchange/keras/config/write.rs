//! An architecture as a model of Keras.

use serde_json::{Value, json};

use super::SCALE;
use crate::model::{Activation, Architecture, Layer, Shape, Window};

/// The model that `architecture` is, compiled: images of bytes, scaled, then its layers.
///
/// Only settings are said that Keras does not have by default, so that old versions read it too.
pub(in super::super) fn write(architecture: &Architecture) -> Value {
    let [height, width] = [architecture.input().height, architecture.input().width];
    let mut layers = Layers::default();
    layers.add(
        "InputLayer",
        "images",
        json!({ "batch_shape": [null, height, width], "dtype": "uint8" }),
    );
    layers.add("Rescaling", "rescaling", json!({ "scale": SCALE, "offset": 0.0 }));
    if architecture.layers().iter().any(|spec| slides(&spec.layer)) {
        layers.add("Reshape", "reshape", json!({ "target_shape": [height, width, 1] }));
    }
    for spec in architecture.layers() {
        // Ours reads an image of one channel as a row of numbers, Keras's row by row.
        if let (Layer::Dense { .. }, Shape::Image { .. }) = (spec.layer, spec.input) {
            let shape = json!({ "target_shape": [spec.input.numbers()] });
            layers.add("Reshape", "reshape", shape);
        }
        let (class, name, settings) = describe(spec.layer);
        layers.add(class, name, settings);
    }
    let input_shape = json!([null, height, width]);
    json!({
        "module": "keras",
        "class_name": "Sequential",
        "config": { "name": "mnistry", "layers": layers.0, "build_input_shape": input_shape },
        "registered_name": null,
        "build_config": { "input_shape": input_shape },
        "compile_config": {
            "optimizer": "adam",
            "loss": loss(architecture.output()),
            "metrics": ["accuracy"],
        },
    })
}

/// Layers of Keras.
#[derive(Default)]
struct Layers(Vec<Value>);

impl Layers {
    /// Adds one of `class`, whose name is `name` and how many of that there were.
    fn add(&mut self, class: &str, name: &str, mut settings: Value) {
        let earlier = self.0.iter().filter(|layer| layer["class_name"] == class).count();
        settings["name"] = match earlier {
            0 => name.into(),
            earlier => format!("{name}_{earlier}").into(),
        };
        self.0.push(json!({
            "module": "keras.layers",
            "class_name": class,
            "config": settings,
            "registered_name": null,
        }));
    }
}

/// Whether `layer` has windows that slide over an image and its channels.
fn slides(layer: &Layer) -> bool {
    matches!(layer, Layer::Conv2d { .. } | Layer::MaxPool { .. } | Layer::AveragePool { .. })
}

/// The class of `layer`, the name that Keras gives the first one of it, and its settings.
fn describe(layer: Layer) -> (&'static str, &'static str, Value) {
    match layer {
        Layer::Conv2d { filters, kernel, stride, padding, activation } => (
            "Conv2D",
            "conv2d",
            json!({
                "filters": filters,
                "kernel_size": sides(kernel),
                "strides": sides(stride),
                "padding": padding,
                "data_format": "channels_last",
                "activation": activation,
            }),
        ),
        Layer::MaxPool { size, stride } => ("MaxPooling2D", "max_pooling2d", pool(size, stride)),
        Layer::AveragePool { size, stride } => {
            ("AveragePooling2D", "average_pooling2d", pool(size, stride))
        }
        Layer::Flatten => ("Flatten", "flatten", json!({ "data_format": "channels_last" })),
        Layer::Dropout { rate } => ("Dropout", "dropout", json!({ "rate": shortest(rate) })),
        Layer::Dense { units, activation } => {
            ("Dense", "dense", json!({ "units": units, "activation": activation }))
        }
    }
}

fn pool(size: Window, stride: Option<Window>) -> Value {
    json!({
        "pool_size": sides(size),
        "strides": stride.map(sides),
        "padding": "valid",
        "data_format": "channels_last",
    })
}

fn sides(window: Window) -> [usize; 2] {
    [window.height, window.width]
}

/// The number that a person would write for `number`, which is the same in `f32`.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(number.into())
}

/// The cross-entropy of the logits; Keras finds them behind a sigmoid and a softmax.
fn loss(output: Activation) -> Value {
    match output {
        Activation::Sigmoid | Activation::Softmax => json!("sparse_categorical_crossentropy"),
        Activation::Linear | Activation::Relu => json!({
            "module": "keras.losses",
            "class_name": "SparseCategoricalCrossentropy",
            "config": { "from_logits": true },
            "registered_name": null,
        }),
    }
}
