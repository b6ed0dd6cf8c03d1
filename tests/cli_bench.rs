//! `mnistry bench`: what it measures and how it says so.
#![cfg(feature = "cli")]

use std::fs;

use serde_json::Value;

use program::{Desk, Ended};

mod program;

/// The number called `name` of `rate`, which must be above zero.
fn positive(rate: &Value, name: &str) -> f64 {
    let number = rate[name].as_f64().unwrap_or_else(|| panic!("{name} in {rate}"));
    assert!(number > 0.0 && number.is_finite(), "{name} in {rate}");
    number
}

#[test]
fn everything_is_measured() {
    let desk = Desk::new();
    let stdout = desk.succeed("bench --quick --json --threads 2 --data data");
    let bench: Value = serde_json::from_str(&stdout).unwrap();
    let peak = &bench["fma_peak_gflops"];
    let peaks = [positive(peak, "one_thread"), positive(peak, "all_threads")];

    let gemm = bench["gemm"].as_array().unwrap();
    for rate in gemm {
        assert_eq!(rate["threads"], 1);
        positive(rate, "gflops");
        positive(rate, "matrixmultiply_gflops");
    }
    let has = |m, n, k, operands| {
        gemm.iter().any(|rate| {
            rate["m"] == m && rate["n"] == n && rate["k"] == k && rate["operands"] == operands
        })
    };
    assert!(has(32, 100, 784, "A·B") && has(784, 100, 32, "Aᵀ·B") && has(32, 100, 10, "A·Bᵀ"));

    let train = bench["train"].as_array().unwrap();
    let mut seen = Vec::new();
    for rate in train {
        let threads = rate["threads"].as_u64().unwrap();
        let hidden: u64 = rate["model"].as_str().unwrap()["mlp-".len()..].parse().unwrap();
        // The data set has images of 8 × 8 and three classes: too small for LeNet-5.
        let operations = (4 * 64 * hidden + 6 * hidden * 3) as f64;
        let gflops = positive(rate, "samples_per_second") * operations / 1e9;
        assert!((positive(rate, "dense_gflops") / gflops - 1.0).abs() < 1e-9, "{rate}");
        let share = gflops / peaks[threads as usize - 1];
        assert!((positive(rate, "of_peak") / share - 1.0).abs() < 1e-9, "{rate}");
        seen.push((hidden, rate["batch_size"].as_u64().unwrap(), threads));
    }
    let mut expected = Vec::new();
    for hidden in [100, 512] {
        for batch_size in [32, 128, 512] {
            expected.extend([1, 2].map(|threads| (hidden, batch_size, threads)));
        }
    }
    assert_eq!(seen, expected);
}

#[test]
fn a_part_is_measured_alone_on_generated_digits() {
    let desk = Desk::new();
    let ended = desk.run("bench --quick --only train --threads 1 --isa portable");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr, "training is measured on generated digits\n");
    let stdout = ended.stdout;
    assert!(stdout.contains("\ntraining on 512 images of 784 pixels in 10 classes, "), "{stdout}");
    let lines: Vec<_> = stdout.lines().collect();
    let has_line = |start| lines.iter().any(|line| line.starts_with(start));
    assert!(has_line("FMA peak, portable: ") && has_line("measured in "), "{stdout}");
    assert!(lines[0].contains(" core") && lines[1].starts_with("mnistry "), "{stdout}");
    assert!(!stdout.contains("matrixmultiply"), "{stdout}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("mlp-")).count(), 6, "{stdout}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("lenet5")).count(), 3, "{stdout}");

    let stdout = desk.succeed("bench --quick --only peak --json");
    let bench: Value = serde_json::from_str(&stdout).unwrap();
    positive(&bench["fma_peak_gflops"], "one_thread");
    assert!(bench["gemm"].is_null() && bench["train"].is_null());
    assert_eq!(desk.succeed("bench --quick --only peak --quiet"), "");
}

#[test]
fn a_data_set_that_is_not_there_is_one_line_of_error() {
    let desk = Desk::new();
    let ended = desk.run("bench --quick --data nowhere");
    assert_eq!(ended.code, Some(1));
    assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1), "{}", ended.stderr);
    assert!(ended.stderr.contains("nowhere"), "{}", ended.stderr);
}

/// Asserts that the program failed with one line, which says `what`.
fn assert_fails(ended: &Ended, what: &str) {
    assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1), "{}", ended.stderr);
    assert!(ended.stderr.contains(what), "{}", ended.stderr);
}

const TRAIN: &str = "bench --quick --only train --threads 1 --data data";

/// Writes `measured` to a file as if another build had measured its first network in 60 rounds, so many
/// times as fast.
fn write_faster(desk: &Desk, name: &str, measured: &Value, times: f64) {
    let mut old = measured.clone();
    let rate = &mut old["train"][0];
    let median = positive(rate, "samples_per_second") * times;
    rate["rounds"] = vec![median; 60].into();
    old["train"] = vec![rate.clone()].into();
    fs::write(desk.path(name), old.to_string()).unwrap();
}

#[test]
fn what_became_slower_fails_where_that_is_asked_for() {
    let desk = Desk::new();
    let said = desk.succeed(&format!("{TRAIN} --json --save now.json"));
    let measured = desk.json("now.json");
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), measured);
    // By more than any disturbance of what is compared with explains.
    for (times, verdict) in [(1e6, "slower"), (1e-6, "faster")] {
        write_faster(&desk, "before.json", &measured, times);
        let arguments = format!("{TRAIN} --quiet --json --compare before.json --fail-below 0.95");
        let ended = desk.run(&arguments);
        let compared: Value = serde_json::from_str(&ended.stdout).unwrap();
        let rates = compared["comparison"]["rates"].as_array().unwrap();
        assert_eq!((rates.len(), &rates[0]["verdict"]), (1, &verdict.into()), "{compared}");
        match verdict {
            "slower" => {
                let line = "error: slower than 0.95 of before, whatever the noise: train mlp-100, ";
                assert_fails(&ended, line);
            }
            _ => assert_eq!(ended.code, Some(0), "{}", ended.stderr),
        }
    }
}

#[test]
fn files_that_cannot_be_compared_with_are_refused_before_anything_is_measured() {
    let desk = Desk::new();
    let ended = desk.run("bench --quick --only gemm --save now.json");
    let said = "the measurements are in now.json\n";
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), said));
    let mut elsewhere = desk.json("now.json");
    elsewhere["host"]["cpu"] = "An abacus".into();
    fs::write(desk.path("elsewhere.json"), elsewhere.to_string()).unwrap();
    let mut peak = desk.json("now.json");
    peak["gemm"] = Value::Null;
    fs::write(desk.path("peak.json"), peak.to_string()).unwrap();
    fs::write(desk.path("later.json"), "{\"format\": 7}").unwrap();
    fs::write(desk.path("half.json"), &desk.read("now.json")[..200]).unwrap();
    for (name, what) in [
        ("elsewhere.json", "the CPU was An abacus there and is "),
        ("later.json", "has measurements in format 7"),
        ("half.json", "is not what `mnistry bench --save` writes"),
        ("nowhere.json", "nowhere.json"),
        ("peak.json", "no rate of the engine was measured both there and here"),
    ] {
        let ended = desk.run(&format!("bench --quick --only gemm --compare {name}"));
        assert_fails(&ended, what);
        assert_eq!(ended.stdout, "");
    }
    // At full effort, to measure would take a minute; other images are not those that were trained on.
    let ended = desk.run("bench --only gemm --compare now.json");
    assert_fails(&ended, "the effort was quick there and is full here");
    desk.succeed(&format!("{TRAIN} --quiet --save trained.json"));
    desk.write_data("other", 4);
    for (arguments, what) in [
        ("--data other", "what was trained on was 240 images of 64 pixels in 3 classes"),
        ("--data other", "name the data of then with --data"),
        ("--only gemm", "no rate of the engine was measured both there and here"),
        ("--save /proc/now.json", "cannot write to /"),
        ("--html /proc/now.html", "cannot write to /"),
    ] {
        // A file that the measurements would be written to first shows whether there were any.
        let other = if arguments.contains("--save") { "" } else { "--save new.json" };
        let ended = desk.run(&format!("bench --quick --compare trained.json {arguments} {other}"));
        assert_fails(&ended, what);
        assert!(ended.stdout.is_empty() && !desk.path("new.json").exists(), "{arguments}");
    }
    let same = desk.run("bench --quick --only gemm --compare now.json --save now.json");
    assert_fails(&same, "would be overwritten");
    for usage in [
        "--fail-below 0.9",
        "--save new.json --fail-below 0.9",
        "--compare now.json --fail-below 2",
        "--rounds 3",
        "--rounds 3 --save new.json",
        "--rounds 3 --html new.html",
        "--only peak --save new.json",
        "--only peak --compare now.json",
        "--only peak --compare-with mnistry",
    ] {
        let ended = desk.run(&format!("bench --quick {usage}"));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{usage}: {}", ended.stderr);
    }
}

#[test]
fn two_builds_take_turns() {
    let desk = Desk::new();
    let program = program::path();
    let program = program.display();
    let turns = format!("{TRAIN} --json --quiet --rounds 2 --compare-with {program}");
    // What cannot be judged would not pass: that is known after a round.
    let ended = desk.run(&format!("{turns} --fail-below 0.5"));
    assert_fails(&ended, "error: 2 rounds are too few to judge 6 rates: at least 8 are needed");
    assert_eq!(ended.stdout, "");
    let stdout = desk.succeed(&turns);
    let taken: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&taken["rounds"], &taken["old"]), (&2.into(), &taken["new"]));
    let rates = taken["comparison"]["rates"].as_array().unwrap();
    assert_eq!(rates.len(), 6);
    assert!(rates.iter().all(|rate| rate["verdict"] == "too_few_rounds"), "{stdout}");
    let ended = desk.run("bench --compare-with data");
    assert_fails(&ended, "data: cannot be run: ");
}

#[test]
fn the_roofline_is_one_page() {
    let desk = Desk::new();
    let ended = desk.run(&format!("{TRAIN} --html roofline.html"));
    assert!(ended.stdout.contains("\nmemory: "), "{ended:?}");
    assert!(ended.stderr.ends_with("\nthe roofline is in roofline.html\n"), "{}", ended.stderr);
    let page = desk.read("roofline.html");
    assert!(page.contains("<svg role=\"img\"") && page.contains("mlp-512, batch 128"), "{page}");
    assert!(!page.contains("<script") && !page.contains("http-equiv=\"refresh"), "{page}");
    fs::write(desk.path("notes.txt"), "kept").unwrap();
    assert_fails(&desk.run("bench --quick --only peak --html notes.txt"), "is no web page");
    assert_eq!(desk.read("notes.txt"), "kept");
}
