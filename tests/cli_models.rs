//! `mnistry train --model`: networks by name and from files, and what is said of them.
#![cfg(feature = "cli")]

use std::fs;

use serde_json::{Value, json};

use program::Desk;

mod program;

/// A network of every kind of layer, for images of 8 × 8 and three classes.
const MODEL: &str = r#"
[[layers]]
type = "conv2d"
filters = 4
kernel = [3, 2]
stride = 1
padding = "same"
activation = "relu"

[[layers]]
type = "max_pool"
size = 2

[[layers]]
type = "conv2d"
filters = 5
kernel = 2

[[layers]]
type = "average_pool"
size = 2
stride = 1

[[layers]]
type = "dropout"
rate = 0.125

[[layers]]
type = "flatten"

[[layers]]
type = "dense"
units = 3
activation = "softmax"
"#;

fn desk_with(model: &str) -> Desk {
    let desk = Desk::new();
    fs::write(desk.path("model.toml"), model).unwrap();
    desk
}

#[test]
fn a_network_from_a_file_is_trained_saved_and_tested() {
    let desk = desk_with(MODEL);
    let train = "train --data data --model model.toml --epochs 30 --learning-rate 0.01 --quiet";
    desk.succeed(&format!("{train} --run-dir run"));
    let report = desk.json("run/report.json");
    assert_eq!(
        report["model"],
        "conv2d 4 of 3 × 2 same relu, max_pool 2 × 2, conv2d 5 of 2 × 2, average_pool 2 × 2 \
         stride 1 × 1, dropout 0.125, flatten, dense 3 softmax"
    );
    assert_eq!(report["parameters"], 28 + 85 + 63);
    assert!(report["test"]["accuracy"].as_f64().unwrap() > 0.9, "{}", report["test"]);
    let layers = &desk.json("run/config.json")["architecture"]["layers"];
    assert_eq!(layers[0]["kernel"], json!([3, 2]));
    assert_eq!(layers[1], json!({ "type": "max_pool", "size": 2, "stride": null }));

    let evaluated = desk.succeed("evaluate run --data data --quiet --json");
    let evaluated: Value = serde_json::from_str(&evaluated).unwrap();
    assert_eq!(evaluated["test"], report["test"]);
    let network = mnistry::Network::load(desk.path("run/model.safetensors")).unwrap();
    let names: Vec<_> = network.tensors().iter().map(|tensor| tensor.name.as_str()).collect();
    let expected = ["conv2d.kernel", "conv2d.bias", "conv2d_1.kernel", "conv2d_1.bias"];
    assert_eq!(names, [&expected[..], &["dense.kernel", "dense.bias"]].concat());
    assert_eq!(network.tensors()[2].shape, [2, 2, 4, 5]);
    // And trained further, from what it has learnt.
    desk.succeed(&format!("{train} --init run/model.safetensors --run-dir again"));
}

#[test]
fn a_summary_tells_the_layers_and_trains_nothing() {
    let desk = desk_with(MODEL);
    let text = desk.succeed("train --data data --model model.toml --summary");
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split("  ").collect()).collect();
    assert_eq!(lines.len(), 10, "{text}");
    assert!(text.lines().nth(2).unwrap().starts_with("conv2d 4 of 3 × 2 same relu"), "{text}");
    assert!(text.lines().nth(2).unwrap().contains("8 × 8 × 4"), "{text}");
    assert!(text.lines().last().unwrap().ends_with("176"), "{text}");
    assert!(!desk.path("runs").exists());

    let summary = desk.succeed("train --model lenet5 --summary --json --quiet");
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["parameters"], 44_426);
    assert_eq!(summary["layers"].as_array().unwrap().len(), 8);
    assert_eq!(summary["layers"][2]["parameters"], 2_416);
    let text = desk.succeed("train --model cnn --summary");
    assert!(text.contains("28 × 28 × 1"), "{text}");
}

/// The program refuses `model`, in one line that says `problem`.
fn refuses(model: &str, problem: &str) {
    let desk = desk_with(model);
    let ended = desk.run("train --data data --model model.toml --quiet");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{}", ended.stderr);
    let is_line = ended.stderr.lines().count() == 1 && ended.stderr.contains("model.toml: ");
    assert!(is_line && ended.stderr.contains(problem), "{problem}: {}", ended.stderr);
    assert!(!desk.path("runs").exists());
}

#[test]
fn what_is_wrong_with_a_file_is_one_line() {
    let dense = "[[layers]]\ntype = \"dense\"\nunits = 3\n";
    let after = |layers: &str| format!("{layers}\n[[layers]]\ntype = \"flatten\"\n{dense}");
    refuses("layers = 3", "line 1: ");
    refuses("[[layers]", "line 1: ");
    refuses("", "missing field `layers`");
    // In the line where the layer begins that it is of.
    refuses("\n\n[[layers]]\ntype = \"pool\"\n", "line 3: unknown variant `pool`");
    refuses(&format!("{dense}\n{dense}unit = 4\n"), "line 5: unknown field `unit`");
    refuses(
        "layers = [\n  { type = \"flatten\" },\n  { type = \"dense\", units = \"3\" },\n]",
        "line 3: invalid type: string \"3\"",
    );
    refuses(&format!("{dense}units = 3\n"), "line 4: ");
    refuses(&format!("{dense}\n[[layer]]\n"), "line 5: unknown field `layer`");
    refuses("layers = []", "the network has no layers");
    refuses("[[layers]]\ntype = \"flatten\"\n", "a dense layer with a unit a class must end");
    refuses("\n[[layers]]\ntype = \"pool\"\n", "unknown variant `pool`");
    refuses(&format!("{dense}unit = 4\n"), "unknown field `unit`");
    refuses(
        &after("[[layers]]\ntype = \"conv2d\"\nfilters = 2\nkernel = \"5\""),
        "expected a number",
    );
    refuses(
        &after("[[layers]]\ntype = \"conv2d\"\nfilters = 2\nkernel = 9"),
        "layer 1 (conv2d 2 of 9 × 9) looks at 9 × 9, but only 8 × 8 are left",
    );
    refuses(&after("[[layers]]\ntype = \"conv2d\"\nfilters = 0\nkernel = 3"), "has no filters");
    refuses(&after("[[layers]]\ntype = \"max_pool\"\nsize = 0"), "a window or a stride of nothing");
    refuses(&after("[[layers]]\ntype = \"dropout\"\nrate = 1.0"), "drops a share of 1");
    refuses(
        &format!("{dense}[[layers]]\ntype = \"max_pool\"\nsize = 2\n{dense}"),
        "layer 2 (max_pool 2 × 2) reads images, but comes after they were flattened",
    );
    refuses(
        &format!("[[layers]]\ntype = \"conv2d\"\nfilters = 2\nkernel = 3\n{dense}"),
        "put a flatten before it",
    );
    refuses(&after("[[layers]]\ntype = \"conv2d\"\nfilters = 99999999\nkernel = 5"), "at most");
    let two = dense.replace('3', "2");
    refuses_labels(&two);
}

/// The network of `model` knows fewer classes than the data have.
fn refuses_labels(model: &str) {
    let ended = desk_with(model).run("train --data data --model model.toml --quiet");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("tells 2 classes apart"), "{}", ended.stderr);
}

#[test]
fn images_that_are_too_small_for_a_network_are_told() {
    let ended = Desk::new().run("train --data data --model lenet5 --quiet");
    assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1));
    assert!(ended.stderr.contains("layer 3 (conv2d 16 of 5 × 5 relu)"), "{}", ended.stderr);
}

#[test]
fn a_model_of_no_name_and_settings_of_another_are_wrong_usage() {
    let desk = Desk::new();
    for arguments in [
        "train --model lenet",
        "train --model lenet5 --hidden 20",
        "train --model cnn --output sigmoid",
        "train --patience 3",
        "train --schedule linear",
        "train --until-accuracy 0",
        "train --until-accuracy 99",
    ] {
        let ended = desk.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments}");
    }
}

#[test]
fn a_run_ends_with_the_accuracy_that_was_asked_for() {
    let desk = Desk::new();
    let train = "train --data data --epochs 40 --schedule one-cycle --optimizer sgd --run-dir run";
    let ended = desk.run(&format!("{train} --until-accuracy 0.9"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = desk.json("run/report.json");
    let epochs = report["history"].as_array().unwrap();
    let accuracies: Vec<_> =
        epochs.iter().map(|epoch| epoch["validation"]["accuracy"].as_f64().unwrap()).collect();
    let (last, before) = accuracies.split_last().unwrap();
    assert!(*last >= 0.9 && before.iter().all(|&accuracy| accuracy < 0.9), "{accuracies:?}");
    assert!((2..40).contains(&epochs.len()), "{accuracies:?}");
    // The judges are the test images, and it is said that they are.
    assert_eq!(report["test"]["accuracy"], json!(last));
    let until = &report["until_accuracy"];
    assert_eq!((&until["goal"], &until["reached"]), (&json!(0.9), &json!(true)));
    assert_eq!(until["judged_by_test_images"], json!(true));
    let said = format!("90 % of the test images reached after {} epoch", epochs.len());
    assert!(ended.stdout.contains(&said), "{}", ended.stdout);
    assert!(desk.read("run/report.html").contains(&said));
    // By them no network is chosen, and the run is at its end.
    assert!(!desk.path("run/best.safetensors").exists());
    let again = desk.run("train --resume run");
    assert!(again.stderr.contains("is complete"), "{}", again.stderr);
    assert_eq!(desk.json("run/report.json"), report);
}

#[test]
fn an_accuracy_that_is_not_reached_is_told_by_who_judged() {
    let desk = Desk::new();
    let train =
        "train --data data --epochs 1 --until-accuracy 1 --learning-rate 1e-9 --run-dir run";
    let ended = desk.run(train);
    let said = |images| format!("100 % of the {images} images not reached in 1 epoch");
    assert!(ended.stdout.contains(&said("test")), "{} {}", ended.stdout, ended.stderr);
    let ended = desk.run(&format!("{train} --validation-split 0.25"));
    assert!(ended.stdout.contains(&said("validation")), "{} {}", ended.stdout, ended.stderr);
    assert!(desk.path("run/best.safetensors").exists());
}

#[test]
fn validation_is_told_and_kept() {
    let desk = Desk::new();
    let train = "train --data data --validation-split 0.25 --patience 2 --epochs 40 \
        --schedule cosine --warm-up 1 --weight-decay 0.01 --label-smoothing 0.1 --augment --run-dir run";
    let ended = desk.run(train);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("validation loss"), "{}", ended.stderr);
    let history = desk.read("run/history.csv");
    let header = "epoch,loss,accuracy,seconds,validation_loss,validation_accuracy";
    assert_eq!(history.lines().next(), Some(header));
    let config = desk.json("run/config.json");
    assert_eq!((&config["train_images"], &config["patience"]), (&json!(180), &json!(2)));
    assert_eq!(config["schedule"]["decay"]["type"], "cosine");
    let report = desk.json("run/report.json");
    let epochs = report["history"].as_array().unwrap();
    assert_eq!(epochs.len() + 1, history.lines().count());
    assert!(epochs.iter().all(|epoch| epoch["validation"]["loss"].as_f64().unwrap() > 0.0));
}
