//! Classes are called by their names, and known by them, whatever their order.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;

use mnistry::data::{ClassNames, ClassProblem, Problem};
use mnistry::{Activation, Dataset, Network, Sequential};
use pictures::{digits, write_classes};
use program::{Desk, writers};
use serde_json::{Value, json};

mod pictures;
mod program;

const TRAIN: &str = "train --epochs 8 --hidden 30 --run-dir run --json";

/// A desk with a folder `named` of pictures of 0, 1 and 2, called so.
fn desk(names: &[&str]) -> Desk {
    let desk = Desk::new();
    write_classes(&desk.path("named"), &digits(800), names);
    desk
}

#[test]
fn names_of_folders_are_in_all_that_is_said_of_a_run() {
    let desk = desk(&["round", "line", "swan"]);
    let report: Value =
        serde_json::from_str(&desk.succeed(&format!("{TRAIN} --data named"))).unwrap();
    // In the order of the text.
    let names = json!(["line", "round", "swan"]);
    assert_eq!(report["test"]["class_names"], names);
    assert_eq!(desk.json("run/report.json")["test"]["class_names"], names);
    assert_eq!(desk.json("run/config.json")["class_names"], names);
    assert!(
        desk.read("run/confusion_matrix.csv").starts_with("true\\predicted,line,round,swan\nline,")
    );
    let network = Network::load(desk.path("run/model.safetensors")).unwrap();
    assert_eq!(network.class_names().unwrap().name(2), "swan");

    let text = desk.succeed("evaluate run --data named");
    for part in ["\n        line  round   swan\n line ", "\nround  ", "\n       class  precision"] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let info = desk.succeed("data info named");
    assert!(info.contains("\nclass swan "), "{info}");

    let predicted = desk.succeed("predict run --data named --index 0-2");
    assert!(predicted.starts_with("image 0: line ("), "{predicted}");
    assert!(predicted.contains("labelled line\n"), "{predicted}");
    let file = fs::read_dir(desk.path("named/swan")).unwrap().next().unwrap().unwrap().path();
    let prediction = desk.succeed(&format!("predict run {} --json", file.display()));
    let prediction: Value = serde_json::from_str(&prediction).unwrap();
    assert_eq!(
        (&prediction[0]["class_name"], &prediction[0]["class"]),
        (&json!("swan"), &json!(2))
    );
    let submission = desk.succeed("predict run --data named --index 0 --csv -");
    assert_eq!(submission, "ImageId,Label\n1,line\n");
}

#[test]
fn a_network_is_tested_by_names_and_not_by_order() {
    let desk = desk(&["b", "a", "c"]);
    let accuracy = |text: &str| -> f64 {
        let found: Value = serde_json::from_str(text).unwrap();
        found["test"]["accuracy"].as_f64().unwrap()
    };
    let own = accuracy(&desk.succeed(&format!("{TRAIN} --data named")));
    assert!(own > 0.8, "{own}");
    // The same pictures, whose classes come in another order; a fourth class; and capital letters.
    let all = digits(800);
    write_classes(&desk.path("more"), &all, &["B", "A", "C", "0"]);
    let ended = desk.run("evaluate run --data more --json");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("the network does not know 0: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("A is taken for the network's a"), "{}", ended.stderr);
    assert!(accuracy(&ended.stdout) > 0.8, "{}", ended.stdout);
    // One that lacks a class.
    write_classes(&desk.path("fewer"), &all, &["b", "a"]);
    let ended = desk.run("evaluate run --data fewer --json");
    assert!(ended.stderr.contains("no images of the network's c"), "{}", ended.stderr);
    assert!(accuracy(&ended.stdout) > 0.8, "{}", ended.stdout);
    // None in common.
    let ended = desk.run("evaluate run --data data");
    assert_eq!(ended.code, Some(1));
    let line =
        "error: data: none of its classes (0, 1, 2) is one that the network knows (a, b, c)\n";
    assert_eq!(ended.stderr, line);
}

#[test]
fn training_goes_on_by_names_and_so_does_a_run_that_was_interrupted() {
    let desk = desk(&["b", "a", "c"]);
    desk.succeed(&format!("{TRAIN} --data named"));
    let before: Value = desk.json("run/report.json");
    write_classes(&desk.path("again"), &digits(800), &["b", "a", "c", "0"]);
    let from = "train --init run/model.safetensors --hidden 30 --data again --run-dir next";
    let ended = desk.run(&format!("{from} --epochs 1 --learning-rate 0.00001"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("the network does not know 0: "), "{}", ended.stderr);
    let after = desk.json("next/report.json");
    assert_eq!(after["test"]["class_names"], json!(["a", "b", "c"]));
    // What was learnt before is still true.
    assert!(after["history"][0]["accuracy"].as_f64() > Some(0.8), "{after}");
    assert!(before["test"]["accuracy"].as_f64() > Some(0.8));

    desk.succeed("train --resume next --epochs 2 --json");
    assert_eq!(desk.json("next/report.json")["test"]["class_names"], json!(["a", "b", "c"]));
    let ended = desk.run("train --init run/model.safetensors --hidden 30 --data data");
    assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1), "{ended:?}");
}

#[test]
fn names_in_a_model_file_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let layers = Sequential::new(mnistry::image::ImageShape { height: 2, width: 2 });
    let network = Network::new(layers.dense(3, Activation::Softmax), 0).unwrap();
    assert_eq!(network.class_names(), None);
    network.save(&path).unwrap();
    assert_eq!(Network::load(&path).unwrap(), network, "as older files");

    let names = ClassNames::new(["one", "two", "six"]).unwrap();
    let named = network.clone().with_class_names(names.clone()).unwrap();
    named.save(&path).unwrap();
    assert_eq!(Network::load(&path).unwrap(), named);
    assert_eq!(Network::saved_class_names(&path).unwrap(), Some(names));
    let bytes = fs::read(&path).unwrap();
    // As long as the right ones, so that the header's length stays true.
    for (good, bad) in [("two", "six"), ("two", "\u{1}aa"), (r#",\"six\""#, "        ")] {
        let text = String::from_utf8_lossy(&bytes[..]).into_owned();
        assert!(text.contains(good));
        let start = bytes.windows(good.len()).position(|part| part == good.as_bytes()).unwrap();
        let mut changed = bytes.clone();
        changed[start..start + good.len()].copy_from_slice(bad.as_bytes());
        fs::write(&path, &changed).unwrap();
        match bad.trim().is_empty() {
            true => assert_eq!(Network::load(&path).unwrap().class_names().unwrap().len(), 2),
            false => assert!(Network::load(&path).is_err(), "{bad:?}"),
        }
    }
    let many = ClassNames::numbered(4);
    assert!(network.with_class_names(many).is_err());
}

#[test]
fn published_sets_have_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, classes: u8, first: u8| {
        let labels =
            |count: u8| (0..count).map(|label| first + label % classes).collect::<Vec<_>>();
        let images = |count: u8| (vec![usize::from(count), 1, 2], vec![17; 2 * usize::from(count)]);
        let count = classes * 2;
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        let arrays = [
            images(count),
            (vec![count.into()], labels(count)),
            images(classes),
            (vec![classes.into()], labels(classes)),
        ];
        writers::write_idx(&path, &arrays);
        path
    };
    let names = |path| -> Vec<String> { Dataset::open(path).unwrap().class_names.into() };
    assert_eq!(names(write("Fashion_MNIST", 10, 0))[9], "Ankle boot");
    assert_eq!(names(write("kmnist", 10, 0))[2], "su");
    assert_eq!(names(write("my-fashion", 9, 0))[8], "8", "it is not that set");
    // EMNIST's, by the names of its files.
    let letters = write("letters", 26, 1);
    for (number, file) in writers::FILES.iter().enumerate() {
        let part =
            ["train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"];
        let to = letters.join(format!("emnist-letters-{}-ubyte", part[number]));
        fs::rename(letters.join(file), to).unwrap();
    }
    let found = names(letters.clone());
    assert_eq!((&*found[0], &*found[25], found.len()), ("a", "z", 26));
    fs::write(letters.join("emnist-letters-mapping.txt"), "1 65 97\n2 65 97\n").unwrap();
    let said = Dataset::open(&letters).unwrap_err().to_string();
    assert!(
        said.ends_with("'a' and 'a' mean one class: put them together, or rename one"),
        "{said}"
    );
}

#[test]
fn classes_of_a_data_set_are_brought_in_the_order_of_others() {
    let split = |labels: &[u8]| {
        let shape = mnistry::image::ImageShape { height: 1, width: 1 };
        mnistry::Split::new(shape, labels.to_vec().into(), labels.to_vec().into()).unwrap()
    };
    let named = |names: &[&str]| ClassNames::new(names.iter().copied()).unwrap();
    let data = Dataset::new("d", split(&[0, 1, 2, 0]), split(&[2, 0])).unwrap();
    assert!(data.class_names.are_numbers());
    assert!(data.clone().with_class_names(named(&["x", "y"])).is_err());
    let data = data.with_class_names(named(&["x", "y", "z"])).unwrap();
    let turned = data.clone().in_classes_of(&named(&["z", "q", "x"])).unwrap();
    assert_eq!((turned.train.labels(), turned.train.pixels()), (&[2, 0, 2][..], &[0, 2, 0][..]));
    assert_eq!((turned.test.labels(), turned.classes()), (&[0, 2][..], 3));
    assert_eq!(
        turned.notes,
        [
            "the network does not know y: 1 training images and 0 test images are left out",
            "no images of the network's q",
        ]
    );
    let strange = data.in_classes_of(&named(&["p", "q"]));
    assert!(matches!(strange, Err(Problem::Classes(ClassProblem::NoCounterpart { .. }))));
}
