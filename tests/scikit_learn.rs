//! What is said of each class, against scikit-learn's figures of the same predictions.
#![cfg(feature = "cli")]

use std::path::Path;
use std::process::Command;

use program::Desk;
use serde_json::Value;

mod program;

/// The figures of a row, as they are shown.
fn shown(row: &[f64]) -> Vec<String> {
    let [shares @ .., support] = row else { panic!("a row has figures") };
    let shares = shares.iter().map(|share| format!("{share:.4}"));
    shares.chain([support.to_string()]).collect()
}

/// scikit-learn's figures of the predictions in `file`: a row a class, then the two averages.
fn expected(file: &Path, names: &[&str]) -> Vec<Vec<f64>> {
    let python = std::env::var_os("MNISTRY_SKLEARN_PYTHON").expect("it names a Python");
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/python/classification_report.py");
    let output = Command::new(python).arg(script).arg(file).args(names).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Tests the network of the run in `runs/1` on `data`, and compares all that is said with what
/// scikit-learn says.
fn compare(desk: &Desk, data: &str) {
    let printed =
        desk.succeed(&format!("evaluate runs/1 --data {data} --predictions predictions.csv"));
    let test = &desk.json("runs/1/report.json")["test"];
    let names: Vec<&str> =
        test["class_names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let expected = expected(&desk.path("predictions.csv"), &names);
    assert_eq!(expected.len(), names.len() + 2);

    // To all digits but those that the order of a sum decides.
    let per_class = test["per_class"].as_array().unwrap().iter();
    let reported = per_class.chain([&test["macro_average"], &test["weighted_average"]]);
    for (reported, expected) in reported.zip(&expected) {
        for (figure, expected) in ["precision", "recall", "f1", "support"].iter().zip(expected) {
            let found = reported[figure].as_f64().unwrap();
            assert!((found - expected).abs() <= 1e-15, "{figure}: {found}, not {expected}");
        }
    }
    // Every digit that people see.
    let page = desk.read("runs/1/report.html").replace(',', "");
    let labels = names.iter().copied().chain(["macro avg", "weighted avg"]);
    for (label, expected) in labels.zip(&expected) {
        let expected = shown(expected);
        let lines = printed.lines().filter_map(|line| line.trim_start().strip_prefix(label));
        let rows = lines.map(|line| line.replace(',', ""));
        let rows: Vec<Vec<String>> =
            rows.map(|row| row.split_whitespace().map(str::to_owned).collect()).collect();
        assert!(rows.contains(&expected), "{label}: {expected:?} in {printed}");
        let label = label.replace("avg", "average");
        let row = format!(">{label}</th><td>{}</td>", expected.join("</td><td>"));
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
#[ignore = "needs MNISTRY_SKLEARN_PYTHON"]
fn the_figures_of_generated_digits_are_those_of_scikit_learn() {
    let desk = Desk::new();
    desk.write_digits("digits", 2_000, 1_500);
    desk.succeed("train --data digits --epochs 2 --quiet");
    compare(&desk, "digits");
}

#[test]
#[ignore = "needs MNISTRY_SKLEARN_PYTHON"]
fn the_figures_of_classes_that_are_never_predicted_are_those_of_scikit_learn() {
    let desk = Desk::new();
    desk.write_data("many", 40);
    desk.succeed("train --data many --epochs 1 --quiet --learning-rate 0.000001 --hidden 4");
    let per_class = &desk.json("runs/1/report.json")["test"]["per_class"];
    let is_never_right = |class: &Value| class["f1"] == 0.0;
    assert!(per_class.as_array().unwrap().iter().any(is_never_right), "{per_class}");
    compare(&desk, "many");
}

#[test]
#[ignore = "needs MNISTRY_SKLEARN_PYTHON and MNISTRY_DATA_DIR"]
fn the_figures_of_mnist_are_those_of_scikit_learn() {
    let data = std::env::var("MNISTRY_DATA_DIR").expect("it holds MNIST");
    let desk = Desk::new();
    desk.succeed(&format!("train --data {data} --quiet"));
    compare(&desk, &data);
}
