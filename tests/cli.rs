//! The program: what it prints, what it keeps, and that it does the same twice.
#![cfg(feature = "cli")]

use serde_json::{Value, json};

use program::{Desk, Ended};

mod program;

#[test]
fn a_run_is_kept_in_a_folder() {
    let desk = Desk::new();
    let stdout = desk.succeed("train --data data --epochs 3 --threads 2 --json");
    assert_eq!(
        desk.names("runs/1"),
        [
            ".lock",
            "checkpoint.safetensors",
            "config.json",
            "confusion_matrix.csv",
            "history.csv",
            "model.safetensors",
            "report.html",
            "report.json"
        ]
    );
    assert_eq!(stdout, desk.read("runs/1/report.json"));

    let report = desk.json("runs/1/report.json");
    assert_eq!(report["dataset"], "data");
    assert_eq!(report["model"], "dense 100 relu, dense 3 sigmoid");
    assert_eq!(report["parameters"], 64 * 100 + 100 + 100 * 3 + 3);
    assert_eq!(report["threads"], 2);
    assert!(report["isa"].is_string());
    let seconds = |name: &str| report[name].as_f64().unwrap();
    assert!(0.0 < seconds("train_seconds"));
    assert!(seconds("train_seconds") < seconds("total_seconds"));
    let rate = 3.0 * 240.0 / seconds("train_seconds");
    assert!((seconds("samples_per_second") / rate - 1.0).abs() < 1e-9);
    if cfg!(target_os = "linux") {
        assert!(report["peak_memory_bytes"].as_u64().unwrap() > 1_000_000);
    }

    let history = report["history"].as_array().unwrap();
    let mut csv = String::from("epoch,loss,accuracy,seconds\n");
    for (index, epoch) in history.iter().enumerate() {
        assert_eq!(epoch["epoch"], index + 1);
        let [loss, accuracy, seconds] = ["loss", "accuracy", "seconds"].map(|name| &epoch[name]);
        csv += &format!("{},{loss},{accuracy},{seconds}\n", index + 1);
    }
    assert_eq!(history.len(), 3);
    assert_eq!(numbers(&desk.read("runs/1/history.csv")), numbers(&csv));

    let test = &report["test"];
    let matrix: Vec<Vec<u64>> = serde_json::from_value(test["confusion_matrix"].clone()).unwrap();
    assert_eq!(matrix.iter().map(|row| row.iter().sum()).collect::<Vec<u64>>(), [20, 20, 20]);
    let hits: u64 = (0..3).map(|class| matrix[class][class]).sum();
    assert_eq!(test["accuracy"], hits as f64 / 60.0);
    assert!(hits >= 57, "bars are easily told apart: {matrix:?}");
    for (class, scores) in test["per_class"].as_array().unwrap().iter().enumerate() {
        assert_eq!(scores["recall"], matrix[class][class] as f64 / 20.0);
        assert!(scores["precision"].is_f64() && scores["f1"].is_f64());
    }
    let rows = matrix.iter().enumerate().map(|(class, row)| {
        let row: Vec<_> = row.iter().map(u64::to_string).collect();
        format!("{class},{}\n", row.join(","))
    });
    let csv = "true\\predicted,0,1,2\n".to_owned() + &rows.collect::<String>();
    assert_eq!(desk.read("runs/1/confusion_matrix.csv"), csv);

    let config = desk.json("runs/1/config.json");
    assert_eq!(config["epochs"], 3);
    assert_eq!(config["batch_size"], 32);
    assert_eq!(config["optimizer"]["type"], "adam");
    assert_eq!(config["optimizer"]["learning_rate"], 1e-3);
    assert_eq!(config["architecture"]["input"], json!({ "height": 8, "width": 8 }));
    assert_eq!(config["shuffle"], true);
    assert_eq!(config["gemm"], "engine");
    assert_eq!(config["init"], Value::Null);
}

/// The numbers of a CSV file, by value: JSON and CSV may write the same one differently.
fn numbers(csv: &str) -> Vec<f64> {
    csv.lines().skip(1).flat_map(|line| line.split(',')).map(|n| n.parse().unwrap()).collect()
}

#[test]
fn the_same_command_writes_the_same_network() {
    let desk = Desk::new();
    let settings = "train --data data --epochs 2 --hidden 20,10 --output softmax";
    desk.succeed(&format!("{settings} --run-dir a"));
    desk.succeed(&format!("{settings} --run-dir b"));
    desk.succeed(&format!("{settings} --run-dir c --seed 1"));
    let [a, b, c] = ["a", "b", "c"].map(|run| desk.bytes(&format!("{run}/model.safetensors")));
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[test]
fn runs_without_a_folder_count_up() {
    let desk = Desk::new();
    for _ in 0..2 {
        desk.succeed("train --data data --epochs 1 --quiet");
    }
    std::fs::create_dir(desk.path("runs/7")).unwrap();
    desk.succeed("train --data data --epochs 1 --quiet");
    assert_eq!(desk.names("runs"), ["1", "2", "7", "8"]);
}

#[test]
fn a_named_folder_speaks_of_its_last_run_alone() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 2 --run-dir run");
    std::fs::write(desk.path("run/notes.txt"), "mine").unwrap();
    let failed = desk.run("train --data data --optimizer sgd --learning-rate 1e30 --run-dir run");
    assert_eq!(failed.code, Some(1));
    assert_eq!(
        desk.names("run"),
        [
            ".lock",
            "checkpoint.safetensors",
            "config.json",
            "history.csv",
            "model.safetensors",
            "notes.txt"
        ]
    );
    assert_eq!(desk.json("run/config.json")["optimizer"]["type"], "sgd");
}

#[test]
fn evaluate_finds_what_the_report_says() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --train-limit 64 --quiet");
    let report = desk.json("runs/1/report.json");
    for model in ["runs/1", "runs/1/model.safetensors"] {
        let stdout = desk.succeed(&format!("evaluate {model} --data data --json --threads 1"));
        let evaluated: Value = serde_json::from_str(&stdout).unwrap();
        for field in ["dataset", "model", "parameters", "test"] {
            assert_eq!(evaluated[field], report[field], "{field}");
        }
    }
    let text = desk.succeed("evaluate runs/1 --data data");
    assert!(text.starts_with("test loss 0."), "{text}");
    let ended = desk.run("evaluate runs/1 runs/1");
    assert!(ended.code == Some(1) && ended.stderr.contains("--ensemble"), "{ended:?}");
    let together =
        desk.succeed("evaluate runs/1 runs/1/model.safetensors --ensemble --data data --json");
    let together: Value = serde_json::from_str(&together).unwrap();
    assert_eq!(together["test"]["confusion_matrix"], report["test"]["confusion_matrix"]);
    // Where none are named, the data are the run's.
    let ended = desk.run("evaluate runs/1");
    assert_eq!((ended.code, &ended.stdout), (Some(0), &text));
    assert!(ended.stderr.starts_with("the data are those of the run, "), "{ended:?}");
    let named = desk.succeed("predict runs/1 --data data --index 3 --json");
    assert_eq!(desk.succeed("predict runs/1 --index 3 --json"), named);
}

#[test]
fn evaluate_writes_what_is_predicted_of_each_image() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 3 --quiet");
    let report = desk.json("runs/1/report.json");
    desk.succeed("evaluate runs/1 --data data --quiet --predictions tables/predicted.csv");
    let table = desk.read("tables/predicted.csv");
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("index,label,predicted,p0,p1,p2"));
    let mut counts = [[0; 3]; 3];
    for (index, line) in lines.enumerate() {
        let fields: Vec<_> = line.split(',').collect();
        let whole = |field: usize| fields[field].parse::<usize>().unwrap();
        let (label, predicted) = (whole(1), whole(2));
        let p: Vec<f32> = fields[3..].iter().map(|field| field.parse().unwrap()).collect();
        assert_eq!((whole(0), fields.len()), (index, 6), "{line}");
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{line}");
        assert!(p.iter().all(|&other| other <= p[predicted]), "{line}");
        counts[label][predicted] += 1;
    }
    assert_eq!(report["test"]["confusion_matrix"], serde_json::json!(counts));
    let total: u64 = counts.iter().flatten().sum();
    assert_eq!(report["test"]["weighted_average"]["support"], total);

    for (file, word) in
        [("runs/1/model.safetensors", "would be overwritten"), ("runs", "is a folder")]
    {
        let ended = desk.run(&format!("evaluate runs/1 --data data --predictions {file}"));
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains(word), "{}", ended.stderr);
    }
}

#[test]
fn evaluate_writes_the_images_that_are_misclassified() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --learning-rate 0.000001 --quiet");
    let test = desk.json("runs/1/report.json")["test"].clone();
    desk.succeed("evaluate runs/1 --data data --quiet --misclassified errors/first");
    let names = desk.names("errors/first");
    let indices = names.iter().map(|name| name[..5].parse::<u64>().unwrap()).collect::<Vec<_>>();
    assert!(!indices.is_empty(), "the test needs a network that is wrong");
    assert_eq!(test["misclassified"], serde_json::json!(indices));
    for (name, index) in names.iter().zip(&indices) {
        let picture = desk.path("errors/first").join(name);
        assert!(mnistry::image::Picture::open(picture).is_ok(), "{name}");
        assert!(name.contains(&format!("_label{}_read", index % 3)), "{name}");
    }

    let ended = desk.run("evaluate runs/1 --data data --misclassified errors/first");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("is not empty: empty it, or name another"), "{}", ended.stderr);
    assert_eq!(desk.names("errors/first"), names);
}

#[test]
fn predict_writes_the_probabilities_of_all_classes() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 3 --quiet");
    desk.succeed("predict runs/1 --data data --index 7,1-2 --probabilities all.csv --quiet");
    desk.succeed("evaluate runs/1 --data data --predictions tests.csv --quiet");
    let (chosen, tests) = (desk.read("all.csv"), desk.read("tests.csv"));
    let tests: Vec<_> = tests.lines().collect();
    let expected = ["index,label,predicted,p0,p1,p2", tests[8], tests[2], tests[3]];
    let expected = expected.map(|line| match line.strip_prefix("index") {
        Some(_) => format!("file,{line}\n"),
        None => format!(",{line}\n"),
    });
    assert_eq!(chosen, expected.concat());
    for (file, word) in [("runs/1/model.safetensors", "overwritten"), ("-", "name of a file")] {
        let arguments = format!("predict runs/1 --data data --index 7 --probabilities {file}");
        let ended = desk.run(&arguments);
        assert!(ended.code > Some(0) && ended.stderr.contains(word), "{}", ended.stderr);
    }
}

#[test]
fn a_run_is_told_as_text() {
    let desk = Desk::new();
    let ended = desk.run("train --data data --epochs 2 --threads 1 --hidden 8 --isa portable");
    let mut lines: Vec<_> = ended.stderr.lines().collect();
    if cfg!(all(target_arch = "x86_64", not(target_feature = "fma"))) {
        let warning = lines.remove(1);
        assert!(warning.starts_with("portable has no fused multiply-add here: "), "{warning}");
    }
    assert_eq!(
        lines[0],
        "training dense 8 relu, dense 3 sigmoid on data: 240 images of 8 × 8, 3 classes; the run \
         is kept in runs/1"
    );
    assert!(lines[1].starts_with("epoch 1/2  loss "), "{}", lines[1]);
    assert!(lines[2].contains(" images/s"), "{}", lines[2]);
    assert_eq!(lines.len(), 3);
    for part in [
        "dense 8 relu, dense 3 sigmoid on data\n547 parameters, 2 epochs in ",
        "\ntest loss ",
        "\nconfusion matrix: what was read as what (true class down, predicted across)\n",
        "\n       class  precision  recall      F1  support\n",
    ] {
        assert!(ended.stdout.contains(part), "{part:?} in {}", ended.stdout);
    }
}

#[test]
fn predict_reads_test_images() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 20 --quiet");
    let text = desk.succeed("predict runs/1 --data data --index 7");
    assert!(text.starts_with("image 7: 1 (9"), "{text}");
    assert!(text.contains(" %), or ") && text.ends_with("; labelled 1\n"), "{text}");

    let readings = desk.succeed("predict runs/1 --data data --index 5,0-2 --json");
    let readings: Vec<Value> = serde_json::from_str(&readings).unwrap();
    let fields =
        |name: &str| readings.iter().map(|r| r[name].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(fields("index"), [5, 0, 1, 2]);
    assert_eq!(fields("label"), [2, 0, 1, 2]);
    assert_eq!(fields("class"), [2, 0, 1, 2]);
    for reading in &readings {
        let probability = |of: &Value| of["probability"].as_f64().unwrap();
        assert!(probability(reading) > probability(&reading["runner_up"]));
        assert_ne!(reading["class"], reading["runner_up"]["class"]);
    }
}

#[test]
fn a_network_can_be_trained_further() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --run-dir first --quiet");
    desk.succeed("train --data data --epochs 1 --run-dir second --init first/model.safetensors -q");
    let loss = |run: &str| desk.json(&format!("{run}/report.json"))["test"]["loss"].as_f64();
    assert!(loss("second") < loss("first"));
    // Whole, so that the run can be gone on with from another folder.
    let init = desk.path("first/model.safetensors");
    assert_eq!(desk.json("second/config.json")["init"], init.to_str().unwrap());
}

#[test]
fn every_step_is_logged() {
    let desk = Desk::new();
    desk.succeed(
        "train --data data --epochs 2 --train-limit 100 --log-steps steps.csv --no-shuffle",
    );
    let log = desk.read("steps.csv");
    let (header, steps) = log.split_once('\n').unwrap();
    assert_eq!(header, "step,loss");
    let steps: Vec<(usize, f64)> = steps
        .lines()
        .map(|line| line.split_once(',').unwrap())
        .map(|(step, loss)| (step.parse().unwrap(), loss.parse().unwrap()))
        .collect();
    assert!(steps.iter().map(|(step, _)| *step).eq(1..=8), "{log}");
    // An epoch of 100 samples is three minibatches of 32 and one of 4.
    let mean = (32.0 * (steps[0].1 + steps[1].1 + steps[2].1) + 4.0 * steps[3].1) / 100.0;
    let history = desk.json("runs/1/report.json")["history"].clone();
    assert!((history[0]["loss"].as_f64().unwrap() - mean).abs() < 1e-6);
    assert_eq!(desk.json("runs/1/config.json")["shuffle"], false);
}

#[test]
fn quiet_prints_nothing_but_the_json_asked_for() {
    let desk = Desk::new();
    for command in [
        "train --data data --epochs 1 --quiet --run-dir run",
        "evaluate run --data data --quiet",
        "predict run --data data --index 0 -q",
    ] {
        let Ended { code, stdout, stderr } = desk.run(command);
        assert_eq!((code, &*stdout, &*stderr), (Some(0), "", ""), "{command}");
        let Ended { stdout, stderr, .. } = desk.run(&format!("{command} --json"));
        assert!(serde_json::from_str::<Value>(&stdout).is_ok(), "{command}: {stdout}");
        assert_eq!(stderr, "", "{command}");
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --quiet");
    let coloured = |variables: &[&str]| {
        let mut command = desk.command("evaluate runs/1 --data data");
        command.envs(variables.iter().map(|variable| (variable, "1")));
        let ended = Ended::of(command.output().unwrap());
        assert_eq!(ended.code, Some(0));
        ended.stdout.contains('\x1b')
    };
    assert!(!coloured(&[]), "into a pipe");
    assert!(coloured(&["CLICOLOR_FORCE"]), "into a pipe that wants them");
    assert!(!coloured(&["CLICOLOR_FORCE", "NO_COLOR"]), "where they are forbidden");
}

#[test]
fn every_command_explains_itself_with_examples() {
    let desk = Desk::new();
    let data = ["data", "data fetch", "data generate", "data info"];
    for command in
        ["", "train", "evaluate", "predict", "export", "import", "bench"].into_iter().chain(data)
    {
        let help = desk.succeed(&format!("{command} --help"));
        assert!(help.contains("Examples:\n  mnistry "), "{help}");
    }
    assert_eq!(desk.succeed("--version"), format!("mnistry {}\n", env!("CARGO_PKG_VERSION")));
}
