//! `report.html`, and `mnistry report`: runs as web pages.
#![cfg(feature = "cli")]

use std::fs;

use program::Desk;
use serde_json::{Value, json};

mod program;

/// Whether `page` is whole, needs nothing else, and runs nothing.
fn assert_stands_alone(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"), "{page}");
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    assert!(page.contains(policy), "{page}");
    // The name space of SVG is a name, not an address that is asked for.
    let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for word in ["http:", "https:", "<script", "<link", "@import", "url(", " onload", "<iframe"] {
        assert!(!page.contains(word), "{word} in {page}");
    }
}

#[test]
fn each_run_has_its_page() {
    let desk = Desk::new();
    desk.succeed(
        "train --data data --epochs 2 --learning-rate 0.000001 --validation-split 0.2 --augment \
         --quiet",
    );
    let page = desk.read("runs/1/report.html");
    assert_stands_alone(&page);
    let report = desk.json("runs/1/report.json");
    let misclassified = report["test"]["misclassified"].as_array().unwrap();
    assert!(!misclassified.is_empty(), "the test needs a network that is wrong");
    for index in misclassified {
        assert!(page.contains(&format!("alt=\"test image {index}\"")), "{index}");
    }
    for part in [
        "aria-label=\"loss by epoch\"",
        "aria-label=\"learning rate by epoch\"",
        "validation",
        "Confusion matrix",
        "Per cent of each true class",
        "weighted average",
        "alt=\"images of class 2\"",
        "alt=\"an image, and the same augmented\"",
        "alt=\"weights of unit 59\"",
        "<th scope=\"row\">batch size</th><td class=\"text\">32</td>",
        "share of the peak",
        "mnistry train --data data --epochs 2 --learning-rate 0.000001",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(report["of_peak"].as_f64().unwrap() > 0.0);
    assert!(report["machine"]["logical_cpus"].as_u64().unwrap() > 0);
}

#[test]
fn the_page_of_a_run_is_written_anew_and_is_the_same() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 2 --hidden 8 --quiet");
    let page = desk.read("runs/1/report.html");
    fs::remove_file(desk.path("runs/1/report.html")).unwrap();
    let said = desk.succeed("report runs/1");
    assert_eq!(said, "the report of the run is in runs/1/report.html\n");
    assert_eq!(desk.read("runs/1/report.html"), page);

    fs::rename(desk.path("data"), desk.path("moved")).unwrap();
    let ended = desk.run("report runs/1 --output pages/without.html");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("no pictures of the data set"), "{}", ended.stderr);
    let without = desk.read("pages/without.html");
    assert!(!without.contains("<img") && without.contains("Confusion matrix"));
    desk.succeed("report runs/1 --data moved --output again.html");
    assert_eq!(desk.read("again.html"), page);
}

#[test]
fn runs_are_compared() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --hidden 8 --quiet");
    desk.succeed("train --data data --epochs 3 --hidden 8 --seed 7 --quiet");
    let said = desk.succeed("report runs --json");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["file"], "runs.html");
    assert_eq!(said["runs"], json!(["runs/1", "runs/2"]));
    let page = desk.read("runs.html");
    assert_stands_alone(&page);
    for part in ["2 runs compared", ">seed</th>", ">epochs</th>", "runs/2", ">7</td>"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains(">batch size</th>"), "what is the same in both is not shown");
}

#[test]
fn a_damaged_run_in_a_folder_is_left_out() {
    let desk = Desk::new();
    for _ in 0..3 {
        desk.succeed("train --data data --epochs 1 --hidden 8 --quiet");
    }
    fs::write(desk.path("runs/2/config.json"), "not JSON").unwrap();
    let ended = desk.run("report runs --json");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("left out: runs/2/config.json"), "{}", ended.stderr);
    let said: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(said["runs"], json!(["runs/1", "runs/3"]));
    // One that is named, or alone, is not.
    assert_eq!(desk.run("report runs/1 runs/2").code, Some(1));
    fs::remove_dir_all(desk.path("runs/1")).unwrap();
    fs::remove_dir_all(desk.path("runs/3")).unwrap();
    assert_eq!(desk.run("report runs").code, Some(1));
}

#[test]
fn what_cannot_be_reported_is_one_clear_error() {
    let desk = Desk::new();
    desk.write_data("other", 4);
    desk.succeed("train --data data --epochs 1 --hidden 8 --quiet");
    fs::write(desk.path("notes.txt"), "mine").unwrap();
    for (arguments, part) in [
        ("report data", "holds no run"),
        ("report nowhere", "nowhere"),
        ("report runs/1 --data other", "the data are not those"),
        ("report runs/1 --output notes.txt", "is no web page, and would be replaced"),
        ("report runs/1 --output runs", "is a folder"),
    ] {
        let ended = desk.run(arguments);
        assert_eq!(ended.code, Some(1), "{arguments}: {}", ended.stderr);
        assert!(ended.stderr.lines().count() == 1, "{arguments}: {}", ended.stderr);
        assert!(ended.stderr.contains(part), "{arguments}: {}", ended.stderr);
    }
    assert_eq!(desk.read("notes.txt"), "mine");
}

#[test]
fn run_folders_that_make_no_sense_are_refused() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 2 --hidden 8 --quiet");
    let report = desk.json("runs/1/report.json");
    let history = desk.read("runs/1/history.csv");
    let refused = |part: &str| {
        let ended = desk.run("report runs/1");
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.lines().count() == 1, "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    };
    for (matrix, part) in [
        (json!([[1], [2]]), "as many columns as rows"),
        (json!([[u64::MAX, 1], [2, 3]]), "more samples than can be counted"),
    ] {
        let mut report = report.clone();
        report["test"]["confusion_matrix"] = matrix;
        fs::write(desk.path("runs/1/report.json"), report.to_string()).unwrap();
        refused(part);
    }
    let mut far = report.clone();
    far["history"][1]["epoch"] = json!(9_000_000_000_000_000_000_u64);
    fs::write(desk.path("runs/1/report.json"), far.to_string()).unwrap();
    refused("the first, the second and so on");

    fs::remove_file(desk.path("runs/1/report.json")).unwrap();
    let last = history.lines().last().unwrap();
    fs::write(desk.path("runs/1/history.csv"), format!("{history}{last}\n")).unwrap();
    refused("the first, the second and so on");
    // Losses that no axis can hold.
    let columns: Vec<_> = last.split(',').collect();
    let great = [columns[0], "-1.7e308", &columns[2..].join(",")].join(",");
    fs::write(desk.path("runs/1/history.csv"), history.replace(last, &great)).unwrap();
    desk.succeed("report runs/1");
}

/// Files that say to be long, and take no place on the disk: under a limit of memory that is less.
#[cfg(target_os = "linux")]
#[test]
fn files_that_are_too_long_are_refused_unread() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --hidden 8 --quiet");
    for (file, command) in [
        ("model.safetensors", "evaluate runs/1 --data data --threads 1"),
        ("report.json", "report runs/1"),
        ("config.json", "report runs/1"),
    ] {
        fs::File::options()
            .write(true)
            .open(desk.path(&format!("runs/1/{file}")))
            .and_then(|file| file.set_len(8 << 30))
            .unwrap();
        let ended = program::Ended::of(desk.limited("-v 200000", command).output().unwrap());
        assert_eq!(ended.code, Some(1), "{file}: {}", ended.stderr);
        assert!(ended.stderr.contains("holds more than"), "{file}: {}", ended.stderr);
    }
}

#[test]
fn names_are_text_and_nothing_else() {
    let desk = Desk::new();
    let pixels: Vec<_> = (0..64).map(|pixel| (pixel * 4).to_string()).collect();
    let lines = (0..120).map(|line| {
        let name = ["<script>alert(1)</script>", "\"a\" & 'b'"][line % 2];
        let first = if line % 2 == 0 { "255" } else { "0" };
        format!("\"{}\",{first},{}\n", name.replace('"', "\"\""), pixels[1..].join(","))
    });
    let header: Vec<_> = (0..64).map(|pixel| format!("pixel{pixel}")).collect();
    let table = format!("label,{}\n{}", header.join(","), lines.collect::<String>());
    fs::write(desk.path("named.csv"), table).unwrap();
    desk.succeed("train --data named.csv --epochs 1 --quiet --run-dir <b>run</b>");
    let page = desk.read("<b>run</b>/report.html");
    assert_stands_alone(&page);
    assert!(!page.contains("<b>run") && page.contains("&#60;b&#62;run"), "{page}");
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
}
