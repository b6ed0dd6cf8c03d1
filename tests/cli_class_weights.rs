//! `train --class-weights`.
#![cfg(feature = "cli")]

use pictures::{digits, write_classes};
use program::Desk;
use serde_json::json;

mod pictures;
mod program;

const TRAIN: &str = "train --hidden 6 --class-weights balanced --quiet";

#[test]
fn class_weights_are_written_down_and_kept_when_a_run_goes_on() {
    let desk = Desk::new();
    desk.succeed(&format!("{TRAIN} --data data --epochs 2 --run-dir whole"));
    assert_eq!(desk.json("whole/config.json")["class_weights"], "balanced");
    desk.succeed(&format!("{TRAIN} --data data --epochs 1 --run-dir run"));
    desk.succeed("train --resume run --epochs 2 --quiet");
    assert_eq!(desk.bytes("run/model.safetensors"), desk.bytes("whole/model.safetensors"));
    let settings = |file| {
        let mut settings = desk.json(file);
        settings.as_object_mut().unwrap().remove("commands").unwrap();
        settings
    };
    assert_eq!(settings("run/config.json"), settings("whole/config.json"));

    desk.succeed("train --data data --hidden 6 --epochs 1 --run-dir plain --quiet");
    assert_eq!(desk.json("plain/config.json")["class_weights"], json!(null));
}

#[test]
fn a_class_without_images_is_named_before_anything_is_begun() {
    let desk = Desk::new();
    write_classes(&desk.path("digits"), &digits(100), &["0", "1", "7"]);
    let ended = desk.run(&format!("{TRAIN} --data digits --run-dir run"));
    let line = "error: no training sample is of the class 2, so that classes cannot be balanced: \
                train without class weights, or on data that have it\n";
    assert_eq!((ended.code, &*ended.stderr), (Some(1), line));
    assert!(!desk.path("run").exists());
}
