//! `train --resume`: a run that was interrupted or killed is gone on with, and ends as one that was
//! not; a run that is complete, or that something contradicts, stays as it is.
#![cfg(all(feature = "cli", unix))]

use std::fs;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use program::running::Running;
use program::{Desk, Ended};
use rustix::process::Signal;

mod program;

const LONG: &str = "train --data data --epochs 700 --log-steps steps.csv --run-dir run";
const RESUME: &str = "train --resume run --quiet";

/// What must be equal of two runs: all but the seconds.
fn essence(desk: &Desk, folder: &str) -> (Vec<u8>, String, String) {
    let history = desk.read(&format!("{folder}/history.csv"));
    let seconds = history.lines().next().unwrap().split(',').position(|name| name == "seconds");
    let without_seconds = |line: &str| {
        let fields = line.split(',').enumerate();
        let fields = fields.filter(|&(column, _)| Some(column) != seconds);
        fields.map(|(_, field)| field).collect::<Vec<_>>().join(",") + "\n"
    };
    (
        desk.bytes(&format!("{folder}/model.safetensors")),
        history.lines().map(without_seconds).collect(),
        desk.read(&format!("{folder}/confusion_matrix.csv")),
    )
}

fn assert_refused(ended: &Ended, line: &str) {
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{}", ended.stderr);
    assert_eq!(ended.stderr, format!("error: {line}\n"));
}

/// The names of the files in `run`, their bytes, and when they were last written.
fn snapshot(desk: &Desk) -> Vec<(String, Vec<u8>, SystemTime)> {
    let names = desk.names("run").into_iter();
    let with_bytes = |name: String| {
        let path = format!("run/{name}");
        let modified = desk.path(&path).metadata().unwrap().modified().unwrap();
        (name, desk.bytes(&path), modified)
    };
    names.map(with_bytes).collect()
}

#[test]
fn a_complete_run_is_left_as_it_is() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 2 --run-dir run --quiet");
    let before = snapshot(&desk);
    let ended = desk.run("train --resume run");
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""));
    assert_eq!(ended.stderr, "the run in run is complete: there is nothing left to do\n");
    assert_eq!(snapshot(&desk), before);
}

#[test]
fn whichever_signal_interrupts_a_run_it_goes_on_to_the_same_end() {
    let desk = Desk::new();
    desk.succeed(&LONG.replace("run-dir run", "run-dir whole --quiet"));
    let log = desk.bytes("steps.csv");
    for (signal, code) in
        [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129), (Signal::XCPU, 152)]
    {
        let run = Running::start(desk.command(LONG)).until("epoch 3/");
        run.send(signal);
        let ended = run.end();
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap();
        assert!(last.starts_with("interrupted after epoch "), "{last}");
        assert!(last.ends_with("`mnistry train --resume run` goes on"), "{last}");
        assert!(!desk.path("run/report.json").exists());
        desk.succeed(&format!("{RESUME} --threads 1"));
        assert_eq!(essence(&desk, "run"), essence(&desk, "whole"), "{signal:?}");
        assert_eq!(desk.bytes("steps.csv"), log, "{signal:?}");
    }
}

#[test]
fn a_program_that_asks_twice_at_once_asks_once() {
    let desk = Desk::new();
    let run = Running::start(desk.command("train --data data --epochs 1000000 --run-dir run"));
    let run = run.until("epoch 3/");
    // It sees all when it goes on, as those of `timeout` or of a terminal that closes.
    for signal in [Signal::STOP, Signal::TERM, Signal::INT, Signal::HUP, Signal::CONT] {
        run.send(signal);
    }
    let ended = run.end();
    assert!(matches!(ended.code, Some(129 | 130 | 143)), "{:?}", ended.code);
    assert!(ended.stderr.lines().last().unwrap().starts_with("interrupted after"));
    desk.succeed("train --resume run --epochs 1000 --quiet");
}

#[test]
fn a_person_who_asks_again_ends_the_program() {
    let desk = Desk::new();
    desk.write_digits("digits", 10_000, 10);
    // One step, which takes many seconds.
    let train = "train --data digits --model cnn --batch-size 10000 --run-dir run";
    let run = Running::start(desk.command(train)).until("training ");
    sleep(Duration::from_millis(200));
    run.send(Signal::TERM);
    sleep(Duration::from_millis(1500));
    run.send(Signal::TERM);
    let ended = run.end();
    assert_eq!(ended.code, Some(143));
    assert!(!ended.stderr.contains("interrupted"), "{}", ended.stderr);
    desk.succeed("train --data data --epochs 1 --run-dir run --quiet");
    assert_eq!(desk.names("run").iter().filter(|name| name.starts_with(".mn")).count(), 0);
}

#[test]
fn signals_are_heeded_while_the_network_is_validated_and_tested() {
    let desk = Desk::new();
    // Few images to train on, and so many others that computing them takes many seconds.
    desk.write_digits("digits", 100, 20_000);
    let train = "train --data digits --model cnn --epochs 1 --train-limit 32 --run-dir run";
    let run = Running::start(desk.command(train)).until("epoch 1/1");
    run.send(Signal::TERM);
    let ended = run.end();
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    let told = "interrupted before the test was done: the network is trained, and saved in \
                run/model.safetensors; `mnistry train --resume run` tests it\n";
    assert!(ended.stderr.ends_with(told), "{}", ended.stderr);
    assert!(desk.path("run/checkpoint.safetensors").exists());
    assert!(!desk.path("run/report.json").exists());

    let run = Running::start(desk.command("train --resume run"));
    let run = run.until("the run goes on after epoch 1").until("training ");
    run.send(Signal::XCPU);
    assert_eq!(run.end().code, Some(152));
}

#[test]
fn a_run_without_a_checkpoint_begins_anew() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 3 --seed 4 --log-steps log --run-dir run --quiet");
    let (whole, log) = (essence(&desk, "run"), desk.read("log"));
    // As it is left by what is killed in the first seconds.
    for name in ["checkpoint.safetensors", "report.json", "confusion_matrix.csv"] {
        fs::remove_file(desk.path("run").join(name)).unwrap();
    }
    fs::write(desk.path("log"), &log[..log.len() / 2]).unwrap();
    let ended = desk.run("train --resume run");
    let told = "the run was ended before its first checkpoint, so it begins anew\n";
    assert!(ended.stderr.starts_with(told), "{}", ended.stderr);
    assert_eq!(essence(&desk, "run"), whole);
    assert_eq!(desk.read("log"), log);
}

#[test]
fn a_run_can_have_more_epochs() {
    let desk = Desk::new();
    let train = "train --data data --batch-size 7 --validation-split 0.2 --quiet";
    desk.succeed(&format!("{train} --epochs 5 --log-steps whole.csv --run-dir whole"));
    desk.succeed(&format!("{train} --epochs 2 --log-steps steps.csv --run-dir run"));
    desk.succeed(&format!("{RESUME} --epochs 4"));
    desk.succeed(&format!("{RESUME} --epochs 5"));
    assert_eq!(essence(&desk, "run"), essence(&desk, "whole"));
    assert_eq!(desk.bytes("run/best.safetensors"), desk.bytes("whole/best.safetensors"));
    assert_eq!(desk.read("steps.csv"), desk.read("whole.csv"));

    let before = snapshot(&desk);
    let ended = desk.run(&format!("{RESUME} --epochs 4"));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("error: 4 epochs: "), "{}", ended.stderr);
    assert_eq!(snapshot(&desk), before);
}

#[test]
fn more_epochs_than_the_schedule_was_made_for_are_refused() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 2 --schedule cosine --run-dir run --quiet");
    let before = snapshot(&desk);
    assert_refused(
        &desk.run(&format!("{RESUME} --epochs 4")),
        "4 epochs: the learning rates are made for the 2 that were planned, so a run \
         of 4 would have differed from its first step on: start a new run",
    );
    assert_eq!(snapshot(&desk), before);
}

#[test]
fn other_data_are_refused_and_the_same_elsewhere_are_taken() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 2 --run-dir run --quiet");
    let before = snapshot(&desk);
    desk.write_data("other", 2);
    for resume in ["--epochs 3 --data other", "--epochs 3"] {
        let ended = desk.run(&format!("{RESUME} {resume}"));
        assert_refused(
            &ended,
            "run: the data are not those that the run began with (data): name those with --data, \
             or start a new run",
        );
        assert_eq!(snapshot(&desk), before);
        // What the run names is now something else.
        if desk.path("other").exists() {
            fs::rename(desk.path("data"), desk.path("moved")).unwrap();
            fs::rename(desk.path("other"), desk.path("data")).unwrap();
        }
    }
    desk.succeed(&format!("{RESUME} --epochs 3 --data moved"));
}

#[test]
fn settings_come_from_the_run() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --run-dir run --quiet");
    for setting in [
        "--model lenet5",
        "--hidden 10",
        "--output softmax",
        "--init run/model.safetensors",
        "--optimizer adam",
        "--learning-rate 1",
        "--batch-size 8",
        "--seed 1",
        "--no-shuffle",
        "--train-limit 9",
        "--augment",
        "--patience 2",
        "--run-dir other",
        "--log-steps log",
        "--summary",
        "--gemm engine",
    ] {
        let ended = desk.run(&format!("{RESUME} {setting}"));
        assert_eq!(ended.code, Some(2), "{setting}: {}", ended.stderr);
        assert!(ended.stderr.contains("cannot be used with"), "{}", ended.stderr);
    }
    assert_refused(&desk.run("train --resume data"), "data: holds no run: there is no config.json");
}

#[test]
fn a_log_that_has_lost_steps_is_not_gone_on_with() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 2 --log-steps log --run-dir run --quiet");
    let log = desk.read("log");
    fs::write(desk.path("log"), &log[..log.len() / 2]).unwrap();
    let ended = desk.run(&format!("{RESUME} --epochs 3"));
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("log: has 7 of the 16 steps "), "{}", ended.stderr);
    // Steps after those of the checkpoint, and half a line, are no harm.
    fs::write(desk.path("log"), log + "3,17,0.5,1\n3,18").unwrap();
    desk.succeed(&format!("{RESUME} --epochs 3"));
    assert_eq!(desk.read("log").lines().count(), 1 + 3 * 8);
}

#[test]
fn one_run_at_a_time_has_a_folder_and_the_dead_have_none() {
    let desk = Desk::new();
    let long = "train --data data --epochs 1000000 --run-dir run";
    let run = Running::start(desk.command(long)).until("epoch 3/");
    let busy = "run: another run is at work there: wait for its end, or choose another folder";
    assert_refused(&desk.run("train --data data --epochs 1 --run-dir run --quiet"), busy);
    assert_refused(&desk.run(RESUME), busy);
    run.send(Signal::KILL);
    assert_eq!(run.end().code, None);
    desk.succeed("train --resume run --epochs 100 --quiet");
    desk.succeed("train --data data --epochs 1 --run-dir run --quiet");
}

#[test]
fn data_that_change_end_the_run_and_it_goes_on_when_they_are_back() {
    let desk = Desk::new();
    desk.succeed(&LONG.replace("run-dir run", "run-dir whole --quiet"));
    for (file, cut) in [
        ("train-images-idx3-ubyte", Some(0)),
        ("train-images-idx3-ubyte", Some(10_000)),
        ("train-images-idx3-ubyte", None),
        ("train-labels-idx1-ubyte", Some(20)),
        ("train-labels-idx1-ubyte", None),
        ("t10k-images-idx3-ubyte", Some(100)),
    ] {
        let run = Running::start(desk.command(LONG)).until("epoch 3/");
        let path = desk.path("data").join(file);
        let good = fs::read(&path).unwrap();
        match cut {
            Some(len) => fs::File::options().write(true).open(&path).unwrap().set_len(len).unwrap(),
            None => fs::write(&path, vec![255; good.len()]).unwrap(),
        }
        let ended = run.end();
        assert_eq!(ended.code, Some(1), "{file} {cut:?}: {}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap();
        assert!(last.starts_with("error: ") && last.contains(file), "{last}");
        assert!(last.contains("changed while it was read"), "{last}");
        fs::write(&path, good).unwrap();
        desk.succeed(RESUME);
        assert_eq!(essence(&desk, "run"), essence(&desk, "whole"), "{file} {cut:?}");
    }
}

#[test]
fn what_replaces_the_model_that_it_begins_with_can_be_gone_on_with() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 2 --run-dir run --quiet");
    desk.succeed(
        "train --data data --init run/model.safetensors --epochs 700 --run-dir whole --quiet",
    );
    let again = "train --data data --init run/model.safetensors --epochs 700 --run-dir run";
    let run = Running::start(desk.command(again)).until("epoch 1/");
    run.send(Signal::KILL);
    run.end();
    desk.succeed(RESUME);
    assert_eq!(essence(&desk, "run"), essence(&desk, "whole"));
}
