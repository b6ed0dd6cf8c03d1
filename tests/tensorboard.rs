//! What `train --tensorboard` writes, by its frames, and as TensorBoard itself reads it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use program::Desk;
use serde_json::Value;

mod program;

/// How many records the event files in `folder` have, which must be whole; by file.
fn records(folder: &Path) -> Vec<usize> {
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let count = |path: &Path| {
        assert!(path.file_name().unwrap().to_str().unwrap().starts_with("events.out.tfevents."));
        let bytes = fs::read(path).unwrap();
        let (mut rest, mut count) = (&bytes[..], 0);
        while let Some((length, more)) = rest.split_first_chunk() {
            let length = u64::from_le_bytes(*length) as usize;
            // Between two checksums of four bytes.
            rest = &more[4 + length + 4..];
            count += 1;
        }
        assert!(rest.is_empty());
        count
    };
    files.iter().map(|path| count(path)).collect()
}

#[test]
fn events_of_steps_epochs_and_the_test_are_written_and_go_on_with_the_run() {
    let desk = Desk::new();
    let train = "train --data data --quiet --batch-size 50 --validation-split 0.25";
    desk.succeed(&format!("{train} --epochs 2 --run-dir run --tensorboard board"));
    // 180 images in four steps an epoch; the first record is the format.
    assert_eq!(records(&desk.path("board/train")), [1 + 2 * 4 + 2]);
    assert_eq!(records(&desk.path("board/validation")), [1 + 2]);
    assert_eq!(records(&desk.path("board/test")), [1 + 1]);
    desk.succeed("train --resume run --epochs 3 --quiet");
    assert_eq!(records(&desk.path("board/train")), [1 + 2 * 4 + 2, 1 + 4 + 1]);
    assert_eq!(records(&desk.path("board/validation")), [1 + 2, 1 + 1]);
    assert_eq!(records(&desk.path("board/test")), [2, 2]);
    // What is drawn does not change what is learned.
    desk.succeed(&format!("{train} --epochs 2 --run-dir plain"));
    desk.succeed("train --resume plain --epochs 3 --quiet");
    assert_eq!(desk.bytes("run/model.safetensors"), desk.bytes("plain/model.safetensors"));
}

#[test]
fn events_of_two_runs_are_not_mixed() {
    let desk = Desk::new();
    let train = "train --data data --quiet --epochs 1";
    desk.succeed(&format!("{train} --run-dir one --tensorboard board"));
    let ended = desk.run(&format!("{train} --run-dir other --tensorboard board"));
    assert_eq!(ended.code, Some(1));
    let said = "has TensorBoard's events of another run: name another folder";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(!desk.path("other").exists());
    let ended = desk.run(&format!("{train} --tensorboard data/train-images-idx3-ubyte"));
    assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1), "{}", ended.stderr);
    let ended = desk.run("train --resume one --epochs 2 --tensorboard elsewhere");
    assert_eq!(ended.code, Some(2), "the run has its folder already");
}

/// What TensorBoard finds in `board`.
fn found(desk: &Desk) -> Value {
    let python = std::env::var_os("MNISTRY_KERAS_PYTHON").expect("it names a Python");
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/python/tensorboard_events.py");
    let output = Command::new(python).arg(script).arg(desk.path("board")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The points of a curve: its steps, and its values in the precision that event files have.
fn points(curve: &Value) -> Vec<(u64, f32)> {
    let point = |point: &Value| (point[0].as_u64().unwrap(), point[1].as_f64().unwrap() as f32);
    curve.as_array().unwrap().iter().map(point).collect()
}

#[test]
#[ignore = "needs MNISTRY_KERAS_PYTHON"]
fn tensorboard_reads_the_numbers_of_the_run_and_its_confusion_matrix() {
    let desk = Desk::new();
    desk.succeed(
        "train --data data --quiet --batch-size 50 --validation-split 0.25 --epochs 2 \
         --schedule cosine --run-dir run --log-steps steps.csv --tensorboard board",
    );
    // The schedule depends on the epochs, so a run that goes on has none.
    let found = found(&desk);
    let report = desk.json("run/report.json");
    let history = report["history"].as_array().unwrap();
    let expected = |of: &dyn Fn(&Value) -> &Value| -> Vec<(u64, f32)> {
        let value = |epoch: &Value| of(epoch).as_f64().unwrap() as f32;
        history.iter().map(|epoch| (epoch["epoch"].as_u64().unwrap(), value(epoch))).collect()
    };
    for name in ["loss", "accuracy"] {
        let curve = |part: &str| points(&found[part]["scalars"][format!("epoch_{name}")]);
        assert_eq!(curve("train"), expected(&|epoch| &epoch[name]), "{name}");
        assert_eq!(curve("validation"), expected(&|epoch| &epoch["validation"][name]), "{name}");
        let tested = report["test"][name].as_f64().unwrap() as f32;
        assert_eq!(curve("test"), [(2, tested)], "{name}");
    }
    let steps = desk.read("steps.csv");
    let logged = |line: &str| {
        let (step, loss) = line.split_once(',').unwrap();
        (step.parse().unwrap(), loss.parse().unwrap())
    };
    let logged: Vec<(u64, f32)> = steps.lines().skip(1).map(logged).collect();
    let train = &found["train"]["scalars"];
    assert_eq!(points(&train["batch_loss"]), logged);
    // Eight steps of half a cosine, from 0.001 on.
    for (step, rate) in points(&train["batch_learning_rate"]) {
        let share = (step - 1) as f32 / 8.0;
        let expected = 0.0005 * (1.0 + (std::f32::consts::PI * share).cos());
        assert!((rate - expected).abs() < 1e-9, "{step}: {rate}, not {expected}");
    }
    let rates = points(&train["batch_learning_rate"]);
    assert_eq!(points(&train["epoch_learning_rate"]), [(1, rates[3].1), (2, rates[7].1)]);

    let [step, width, height, png] =
        &found["test"]["images"]["confusion_matrix"][0].as_array().unwrap()[..]
    else {
        panic!("an image was expected")
    };
    assert_eq!((step, width, height), (&2.into(), &510.into(), &510.into()));
    let png = png.as_str().unwrap().as_bytes().as_chunks::<2>().0;
    let byte = |digits: &[u8; 2]| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
    let png: Vec<u8> = png.iter().map(byte).collect();
    let image = image::load_from_memory(&png).unwrap().into_rgb8();
    // Three classes: a square each, of one colour, white where nothing is.
    let matrix = &report["test"]["confusion_matrix"];
    for (row, column) in (0..3).flat_map(|row| (0..3).map(move |column| (row, column))) {
        let [left, top] = [170 * column as u32, 170 * row as u32];
        let colour = image.get_pixel(left, top);
        assert_eq!(colour, image.get_pixel(left + 169, top + 169));
        let count = &matrix[row][column];
        assert_eq!(colour.0 == [255; 3], *count == 0, "{row}, {column}: {count}");
    }
}
