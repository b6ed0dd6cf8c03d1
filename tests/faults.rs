//! The faults that `tests/faults/run.py` puts into a copy of the sources are of the sources as they
//! are.

use std::fs;
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
struct List {
    fault: Vec<Fault>,
}

/// What `tests/faults/faults.toml` says of a fault.
#[derive(Deserialize)]
struct Fault {
    what: String,
    file: String,
    right: String,
    wrong: Option<String>,
    mixed: Option<String>,
}

#[test]
fn each_fault_has_one_place_in_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(root.join("tests/faults/faults.toml")).expect("a list");
    let List { fault: faults } = toml::from_str(&list).expect("a list of faults");
    assert!(faults.len() > 60, "{}", faults.len());
    for Fault { what, file, right, wrong, mixed } in faults {
        let source = fs::read_to_string(root.join(&file)).expect("a source");
        assert_eq!(source.matches(&right).count(), 1, "{file}: {what}: {right}");
        let is_fault = |text: &String| text.contains("FAULT");
        let (wrong, mixed) = (wrong.filter(|wrong| *wrong != right), mixed.filter(is_fault));
        assert!(wrong.is_some() != mixed.is_some(), "{file}: {what}: one of wrong and mixed");
    }
}
