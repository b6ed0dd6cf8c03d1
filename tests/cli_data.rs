//! `mnistry data generate` and `mnistry data info`.
#![cfg(feature = "cli")]

use mnistry::Dataset;
use mnistry::data::contact_sheet;
use mnistry::data::generated::generate;
use program::Desk;
use serde_json::{Value, json};

mod program;

#[test]
fn generated_digits_are_written_once_and_read_as_any_data_set() {
    let desk = Desk::new();
    let line = "digits has 60000 generated digits to train on and 10000 to test with\n";
    assert_eq!(desk.succeed("data generate digits --seed 3 --sheet sheet.png"), line);
    assert_eq!(
        desk.names("digits"),
        [
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
            "train-images-idx3-ubyte",
            "train-labels-idx1-ubyte"
        ]
    );
    let read = Dataset::open(desk.path("digits")).unwrap();
    let first = generate(3, 1000, 10).unwrap();
    assert_eq!((read.train.len(), read.test.len()), (60_000, 10_000));
    assert_eq!(read.train.pixels()[..784_000], *first.train.pixels());
    assert_eq!(read.train.labels()[..1000], *first.train.labels());
    assert_eq!(read.test.pixels()[..7840], *first.test.pixels());

    let sheet = image::open(desk.path("sheet.png")).unwrap().into_luma8();
    assert_eq!(sheet.into_raw(), contact_sheet(&read.train, 30).pixels());

    let again = desk.run("data generate digits");
    assert_eq!(again.code, Some(1));
    let line = "error: digits/train-images-idx3-ubyte: is there already: choose another folder\n";
    assert_eq!(again.stderr, line);
    assert_eq!(Dataset::open(desk.path("digits")).unwrap().train.pixels(), read.train.pixels());
}

#[test]
fn a_data_set_is_described_in_numbers_and_pictures() {
    let desk = Desk::new();
    let text = desk.succeed("data info data");
    let (numbers, pictures) = text.split_once("class 2 ").unwrap();
    assert!(numbers.starts_with("data: images of 8 × 8, 3 classes\n"), "{text}");
    assert!(numbers.contains("\nimages                  240        60\n"), "{text}");
    // A class is a bright row of every three.
    assert!(pictures.ends_with("\n\n⣉⣉⣉⣉ ⠒⠒⠒⠒ ⠤⠤⠤⠤\n⠤⠤⠤⠤ ⣉⣉⣉⣉ ⠒⠒⠒⠒\n"), "{text}");

    let info: Value = serde_json::from_str(&desk.succeed("data info data --json")).unwrap();
    assert_eq!(info["dataset"], "data");
    assert_eq!(
        (&info["height"], &info["width"], &info["classes"]),
        (&json!(8), &json!(8), &json!(3))
    );
    assert_eq!(info["train"]["per_class"], json!([80, 80, 80]));
    assert_eq!(info["test"]["images"], 60);
    for (name, value) in [("nonzero", 0.9898), ("mean", 0.3739), ("deviation", 0.3623)] {
        assert!((info["train"][name].as_f64().unwrap() - value).abs() < 1e-4, "{info}");
    }
    assert_eq!(desk.succeed("data info data --quiet"), "");
}

#[test]
fn what_is_no_data_set_is_not_described() {
    let desk = Desk::new();
    let ended = desk.run("data info none");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("error: cannot open none: "), "{}", ended.stderr);
    assert_eq!(desk.run("data info").code, Some(2), "there is no usual data set to describe");
}
