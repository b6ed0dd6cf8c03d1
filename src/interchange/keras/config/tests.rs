//! What is written down of a model, and what is refused of one.

use serde_json::{Value, json};

use super::*;
use crate::image::ImageShape;
use crate::model::{Activation, Architecture, Layer, Padding, Sequential, Window};

fn read_json(model: Value) -> Result<(Architecture, Vec<Note>), String> {
    read(serde_json::from_value(model).unwrap()).map_err(|problem| problem.to_string())
}

/// A model of layers, each a class and its settings, for images of 4 × 6.
fn model(layers: &[(&str, Value)]) -> Value {
    let record = |(class, config): &(&str, Value)| json!({ "class_name": class, "config": config });
    let input = ("InputLayer", json!({ "batch_shape": [null, 4, 6], "dtype": "float32" }));
    let layers: Vec<_> = [input].iter().chain(layers).map(record).collect();
    json!({ "class_name": "Sequential", "config": { "layers": layers } })
}

#[test]
fn layers_are_said_as_keras_calls_and_counts_them() {
    let shape = ImageShape { height: 4, width: 6 };
    let conv = Layer::Conv2d {
        filters: 2,
        kernel: Window { height: 1, width: 2 },
        stride: Window::square(2),
        padding: Padding::Same,
        activation: Activation::Relu,
    };
    let layers = Sequential::new(shape).with(conv).average_pool(1).dropout(0.1).flatten();
    let layers = layers.dense(5, Activation::Sigmoid).dense(3, Activation::Softmax);
    let model = write(&Architecture::new(layers).unwrap());
    let said: Vec<_> = model["config"]["layers"].as_array().unwrap().iter().collect();
    let names: Vec<_> =
        said.iter().map(|layer| layer["config"]["name"].as_str().unwrap()).collect();
    let expected = [
        "images",
        "rescaling",
        "reshape",
        "conv2d",
        "average_pooling2d",
        "dropout",
        "flatten",
        "dense",
        "dense_1",
    ];
    assert_eq!(names, expected);
    assert_eq!(said[2]["config"]["target_shape"], json!([4, 6, 1]));
    assert_eq!(said[3]["config"]["kernel_size"], json!([1, 2]));
    assert_eq!(said[3]["config"]["padding"], "same");
    assert_eq!(said[5]["config"]["rate"], 0.1);
    assert_eq!(said[8]["config"]["activation"], "softmax");
    assert_eq!(model["compile_config"]["loss"], "sparse_categorical_crossentropy");
}

#[test]
fn logits_are_trained_as_logits() {
    let layers = Sequential::new(ImageShape { height: 4, width: 6 }).dense(3, Activation::Linear);
    let model = write(&Architecture::new(layers).unwrap());
    assert_eq!(model["compile_config"]["loss"]["config"]["from_logits"], true);
    // Row by row, as ours reads it.
    assert_eq!(model["config"]["layers"][2]["config"]["target_shape"], json!([24]));
}

#[test]
fn activations_of_their_own_belong_to_the_layer_before() {
    let dense = |units: usize| ("Dense", json!({ "units": units }));
    let flatten = ("Flatten", json!({}));
    let (architecture, _) = read_json(model(&[
        flatten.clone(),
        dense(5),
        ("ReLU", json!({ "negative_slope": 0.0, "max_value": null })),
        dense(3),
        ("Activation", json!({ "activation": "linear" })),
        ("Softmax", json!({ "axis": -1 })),
    ]))
    .unwrap();
    assert_eq!(architecture.to_string(), "flatten, dense 5 relu, dense 3 softmax");
    let relu = ("ReLU", json!({ "name": "act" }));
    for layers in [
        vec![flatten.clone(), dense(5), relu.clone(), relu.clone(), dense(3)],
        vec![flatten, dense(5), ("Dropout", json!({ "rate": 0.5 })), relu, dense(3)],
    ] {
        let said = read_json(model(&layers)).unwrap_err();
        assert!(said.starts_with("layer 'act' applies relu to what is not the sums"), "{said}");
    }
}

#[test]
fn what_is_read_otherwise_or_not_at_all_is_refused() {
    let last = ("Dense", json!({ "units": 3 }));
    let flatten = ("Flatten", json!({}));
    let conv = json!({ "name": "c", "filters": 2, "kernel_size": [2, 2], "strides": [1, 1], "padding": "valid" });
    let pool = ("MaxPooling2D", json!({ "name": "p", "pool_size": [2, 2], "padding": "valid" }));
    let image = ("Reshape", json!({ "target_shape": [4, 6, 1] }));
    let with = |name: &str, value: Value| {
        let mut conv = conv.clone();
        conv[name] = value;
        vec![image.clone(), ("Conv2D", conv), flatten.clone(), last.clone()]
    };
    assert!(read_json(model(&with("groups", json!(1.0)))).is_ok());
    for (layers, said) in [
        (with("groups", json!(2)), "layer 'c' has groups 2, where only 1 is read"),
        (with("data_format", json!("channels_first")), "has data_format \"channels_first\""),
        (
            with("activation", json!({ "class_name": "x" })),
            "where only linear, relu, sigmoid or softmax",
        ),
        (with("kernel_size", json!([2, 2, 2])), "where only height and width is read"),
        (with("kernel_size", json!([9, 9])), "looks at 9 × 9"),
        (with("filters", json!(-1)), "has filters -1"),
        (vec![pool.clone(), flatten.clone(), last.clone()], "layer 'p' reads images with channels"),
        (vec![last.clone()], "layer 'Dense' reads rows of numbers"),
        (
            vec![("Reshape", json!({ "target_shape": [6, 4] })), flatten.clone(), last.clone()],
            "makes [6,4] of images",
        ),
        (vec![("Reshape", json!({ "target_shape": [23] })), last.clone()], "makes [23] of images"),
        (
            vec![("Rescaling", json!({ "scale": 0.5 })), flatten.clone(), last.clone()],
            "has scale 0.5, where only 1/255",
        ),
        (
            vec![flatten.clone(), ("Rescaling", json!({ "scale": SCALE })), last.clone()],
            "scales what is no image",
        ),
        (vec![flatten.clone(), ("LSTM", json!({ "name": "a\nb" }))], "layer 'a\\nb' is a LSTM"),
        (vec![flatten], "the last layer is flatten"),
    ] {
        let found = read_json(model(&layers)).unwrap_err();
        assert!(found.contains(said), "{found}, not {said}");
    }
}

#[test]
fn a_functional_model_is_read_only_as_a_chain() {
    let node = |from: &str| json!([{ "args": [{ "class_name": "__keras_tensor__", "config": { "keras_history": [from, 0, 0] } }], "kwargs": {} }]);
    let record = |class: &str, mut config: Value, name: &str, nodes: Value| {
        config["name"] = name.into();
        json!({ "class_name": class, "config": config, "name": name, "inbound_nodes": nodes })
    };
    let model = |second: &str, output: Value| {
        json!({ "class_name": "Functional", "config": {
            "layers": [
                record("InputLayer", json!({ "batch_shape": [null, 9], "dtype": "float32" }), "i", json!([])),
                record("Dense", json!({ "units": 2 }), "a", node("i")),
                record("Dense", json!({ "units": 2 }), "b", node(second)),
            ],
            "input_layers": ["i", 0, 0],
            "output_layers": output,
        } })
    };
    let (architecture, notes) = read_json(model("a", json!([["b", 0, 0]]))).unwrap();
    assert_eq!(architecture.input(), ImageShape { height: 3, width: 3 });
    assert_eq!(notes, [Note::PixelsFromZeroToOne, Note::SquareImages(architecture.input())]);
    for (second, output) in [("i", json!(["b", 0, 0])), ("a", json!(["a", 0, 0]))] {
        let said = read_json(model(second, output)).unwrap_err();
        assert_eq!(
            said,
            "layer 'b' is not fed by the layer before it alone: only a chain of layers is read"
        );
    }
}

#[test]
fn what_a_model_reads_must_be_grey_images() {
    let model = |shape: Value, dtype: &str| {
        let layers = json!([
            { "class_name": "InputLayer", "config": { "batch_shape": shape, "dtype": dtype } },
            { "class_name": "Flatten", "config": {} },
            { "class_name": "Dense", "config": { "units": 2 } },
        ]);
        read_json(json!({ "class_name": "Sequential", "config": { "layers": layers } }))
    };
    assert!(model(json!([32, 5, 4, 1]), "float32").is_ok());
    for (shape, said) in [
        (json!([null, 5, 4, 3]), "reads arrays of shape [5, 4, 3]"),
        (json!([null, 20]), "reads arrays of shape [20]"),
        (json!([null, null, 4]), "does not say the shape of its images"),
        (json!(7), "does not say the shape of its images"),
        (json!([null, 0, 4]), "cannot be read"),
        (json!([null, u64::MAX, u64::MAX]), "cannot be read"),
    ] {
        let found = model(shape, "float32").unwrap_err();
        assert!(found.contains(said), "{found}");
    }
    assert!(
        model(json!([null, 5, 4]), "uint8").unwrap_err().starts_with("reads pixels from 0 to 255")
    );
}

#[test]
fn what_is_for_training_or_more_precise_is_noted() {
    let policy = |name: &str| json!({ "module": "keras", "class_name": "DTypePolicy", "config": { "name": name } });
    let dense = |name: &str| {
        json!({
            "name": name, "units": 3, "trainable": false, "dtype": policy("mixed_float16"),
            "kernel_regularizer": { "class_name": "L2" }, "bias_constraint": null,
            "activity_regularizer": null, "kernel_initializer": { "class_name": "Zeros" },
        })
    };
    let mut layers = vec![("Flatten", json!({ "trainable": false, "dtype": policy("float32") }))];
    layers.extend(["a\n", "b", "c", "d"].map(|name| ("Dense", dense(name))));
    let (_, notes) = read_json(model(&layers)).unwrap();
    let said: Vec<_> = notes.iter().skip(1).map(ToString::to_string).collect();
    let layers = "layers 'a\\n', 'b', 'c' and 1 more are";
    assert_eq!(
        said,
        [
            format!(
                "{layers} computed by mixed_float16 there, and in float32 here: what comes out is not \
                 the same to the last digit"
            ),
            format!("{layers} frozen there (trainable is false): here all layers are trained"),
            format!(
                "{layers} trained with kernel_regularizer there, which training here does not have"
            ),
        ]
    );
    let activity = ("Dropout", json!({ "rate": 0.5, "seed": 3, "activity_regularizer": "l1" }));
    let (_, notes) = read_json(model(&[
        ("Flatten", json!({})),
        activity,
        ("Dense", json!({ "units": 3, "dtype": "float64" })),
    ]))
    .unwrap();
    assert!(notes[1].to_string().starts_with("layer 'Dense' is computed by float64"), "{notes:?}");
    assert!(notes[2].to_string().contains("'Dropout' is trained with activity_regularizer"));
}

#[test]
fn what_means_something_else_is_refused() {
    let read_with = |class: &str, name: &str, value: Value| {
        let mut settings = json!({ "name": "x", "units": 3, "rate": 0.5 });
        let layers: &[&str] = match class {
            "Dense" => &["units"],
            "Dropout" => &["rate"],
            _ => &[],
        };
        let known = settings.as_object_mut().unwrap();
        known.retain(|name, _| name == "name" || layers.contains(&name.as_str()));
        settings[name] = value;
        let last = ("Dense", json!({ "units": 3 }));
        read_json(model(&[("Flatten", json!({})), (class, settings), last]))
    };
    let quantised = json!({ "class_name": "QuantizedDTypePolicy", "config": { "mode": "int8" } });
    for (class, name, value, said) in [
        ("Dense", "dtype", quantised, "layer 'x' has dtype {\"class_name\":\"Quantized"),
        ("Dense", "dtype", json!("int8_from_float32"), "has dtype \"int8_from_float32\""),
        ("Dropout", "dtype", json!("uint8"), "where only float32, or another"),
        ("Dense", "quantization_config", json!({}), "has quantization_config {}"),
        ("Dense", "lora_rank", json!(4), "has lora_rank 4"),
        ("Dense", "sparsity", json!(0.5), "layer 'x' has a setting sparsity, which is not known"),
        ("Dropout", "axis", json!([1]), "has a setting axis"),
        ("Flatten", "order\n", json!("F"), "has a setting order\\n"),
    ] {
        let found = read_with(class, name, value).unwrap_err();
        assert!(found.contains(said), "{found}, not {said}");
    }
    assert!(read_with("Dense", "sparsity", json!(false)).is_ok(), "it is not in use");
    let mut half = model(&[("Flatten", json!({})), ("Dense", json!({ "units": 3 }))]);
    half["config"]["layers"][0]["config"]["dtype"] = "float16".into();
    let notes = read_json(half.clone()).unwrap().1;
    assert!(notes[1].to_string().contains("'InputLayer' is computed by float16"), "{notes:?}");
    half["config"]["layers"][0]["config"]["dtype"] = "string".into();
    assert!(read_json(half).unwrap_err().contains("layer 'InputLayer' has dtype \"string\""));
    // A layer that somebody else calls by the same name.
    let layer = |module: Value, registered: Value| {
        let mut model = model(&[("Flatten", json!({})), ("Dense", json!({ "units": 3 }))]);
        let dense = &mut model["config"]["layers"][2];
        dense["module"] = module;
        dense["registered_name"] = registered;
        read_json(model)
    };
    assert!(layer(json!("keras.layers"), Value::Null).is_ok());
    for (module, registered, called) in [
        (Value::Null, "Mine>Dense", "Mine>Dense"),
        (json!("mine.layers"), "Dense", "mine.layers.Dense"),
        (json!("mine.layers"), "Mine>Dense", "Mine>Dense"),
        // As Keras saves a class of the program that saves it.
        (Value::Null, "Dense", "Dense that is not Keras's own"),
    ] {
        let said = format!("layer 'Dense' is a {called}, which mnistry does not have");
        assert_eq!(layer(module, json!(registered)).unwrap_err(), said);
    }
    // A second input begins nothing anew.
    let second = ("InputLayer", json!({ "batch_shape": [null, 4, 6], "dtype": "float32" }));
    let layers = [("Flatten", json!({})), second, ("Dense", json!({ "units": 3 }))];
    assert!(read_json(model(&layers)).unwrap_err().contains("is a second input: only one"));
    let sparse = json!({ "batch_shape": [null, 4, 6], "dtype": "float32", "sparse": true });
    let mut model = model(&[("Flatten", json!({})), ("Dense", json!({ "units": 3 }))]);
    model["config"]["layers"][0]["config"] = sparse;
    assert!(read_json(model).unwrap_err().contains("has sparse true"));
}

#[test]
fn a_layer_that_is_called_as_if_in_training_is_refused() {
    let fed = |from: &str| json!({ "class_name": "__keras_tensor__", "config": { "keras_history": [from, 0, 0] } });
    let called = |args: Value, kwargs: Value| {
        let layers = json!([
            { "class_name": "InputLayer", "inbound_nodes": [],
              "config": { "name": "i", "batch_shape": [null, 9], "dtype": "float32" } },
            { "class_name": "Dropout", "config": { "name": "d", "rate": 0.5 },
              "inbound_nodes": [{ "args": args, "kwargs": kwargs }] },
            { "class_name": "Dense", "config": { "name": "o", "units": 2 },
              "inbound_nodes": [{ "args": [fed("d")], "kwargs": {} }] },
        ]);
        read_json(json!({ "class_name": "Functional", "registered_name": "Functional",
            "module": "keras.src.models.functional",
            "config": { "layers": layers, "output_layers": ["o", 0, 0] } }))
    };
    assert!(called(json!([fed("i")]), json!({ "training": false, "mask": null })).is_ok());
    // By name, as `Dropout(0.5)(inputs=x)` is saved.
    let named = |training: bool| json!({ "inputs": fed("i"), "training": training });
    assert!(called(json!([]), named(false)).is_ok());
    for (args, kwargs) in
        [(json!([fed("i")]), json!({ "training": true })), (json!([]), named(true))]
    {
        let said = called(args, kwargs).unwrap_err();
        assert!(said.starts_with("layer 'd' is called with training=true: "), "{said}");
    }
    let twice = called(json!([fed("i")]), json!({ "mask": fed("i") })).unwrap_err();
    assert!(twice.contains("is not fed by the layer before it alone"), "{twice}");
    assert!(called(json!([fed("i"), true]), json!({})).unwrap_err().contains("called with true"));
}
