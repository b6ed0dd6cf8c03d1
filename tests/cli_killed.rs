//! Runs that are killed, or asked to end, at any moment, and gone on with by other threads and
//! another instruction set until they are complete: they end as a run that nobody disturbed.
#![cfg(all(feature = "cli", unix))]

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mnistry::simd::Isa;
use program::Desk;
use program::running::Running;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rustix::process::Signal;

mod program;

/// Kinds of runs, each a second or so.
const KINDS: [&str; 5] = [
    "--epochs 60 --log-steps LOG",
    "--epochs 40 --validation-split 0.3 --patience 3 --learning-rate 0.02 --log-steps LOG",
    "--epochs 60 --optimizer sgd --momentum 0.9 --learning-rate 0.02 --batch-size 7 --hidden 52,20",
    "--model lenet5 --epochs 3 --batch-size 64",
    "--model cnn --augment --epochs 2 --train-limit 200 --schedule cosine --optimizer sgd \
     --momentum 0.9 --learning-rate 0.02 --validation-split 0.2",
];

/// How many signals a test sends.
fn signals() -> usize {
    std::env::var("MNISTRY_KILLS").map_or(40, |count| count.parse().expect("a number"))
}

/// What must be equal of two runs: all but the seconds.
fn essence(folder: &Path) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let file = |name| (name, fs::read(folder.join(name)).ok());
    let history = fs::read_to_string(folder.join("history.csv")).unwrap();
    let without_seconds = |line: &str| {
        let fields = line.split(',').enumerate().filter(|&(column, _)| column != 3);
        fields.map(|(_, field)| field).collect::<Vec<_>>().join(",") + "\n"
    };
    let history = history.lines().map(without_seconds).collect::<String>();
    vec![
        file("model.safetensors"),
        file("best.safetensors"),
        file("confusion_matrix.csv"),
        file("log"),
        ("history.csv", Some(history.into_bytes())),
    ]
}

/// Sends `signal` at random moments to runs of all kinds, each until it is complete.
fn survives(signal: Signal, code: Option<i32>) {
    let desk = Desk::new();
    desk.write_digits("digits", 1000, 100);
    let begin = |kind: &str, folder: &str| {
        let kind = kind.replace("LOG", &format!("{folder}.log"));
        format!("train --data digits --run-dir {folder} --quiet {kind}")
    };
    let whole = KINDS.map(|kind| {
        let begun = Instant::now();
        desk.succeed(&begin(kind, "whole"));
        let log = desk.path("whole.log");
        if log.exists() {
            fs::rename(log, desk.path("whole/log")).unwrap();
        }
        let took = begun.elapsed();
        let whole = essence(&desk.path("whole"));
        fs::remove_dir_all(desk.path("whole")).unwrap();
        (whole, took)
    });
    let isas: Vec<_> = Isa::available().into_iter().filter(|isa| isa.is_fused()).collect();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut below = |limit: usize| (random.next_u64() % limit as u64) as usize;
    let (mut sent, mut runs) = (0, 0);
    while sent < signals() {
        let kind = runs % KINDS.len();
        let (expected, usual) = &whole[kind];
        let mut arguments = begin(KINDS[kind], "run");
        let mut tries = 0;
        loop {
            let isa = isas.get(below(isas.len().max(1))).map_or("auto", |isa| isa.name());
            let threads = 1 + below(3);
            let run = Running::start(
                desk.command(&format!("{arguments} --threads {threads} --isa {isa}")),
            );
            tries += 1;
            // After a few tries longer, so that each run comes to its end.
            let longest = usual.as_micros() as usize * if tries < 4 { 1 } else { 4 };
            sleep(Duration::from_micros(below(longest) as u64));
            run.send(signal);
            sent += 1;
            let ended = run.end();
            if ended.code == Some(0) {
                break;
            }
            assert!(ended.code == code || ended.code.is_none(), "{arguments}: {}", ended.stderr);
            // Killed before its folder said anything: as if it had not been begun.
            if desk.path("run/config.json").exists() {
                arguments = "train --resume run --quiet".into();
            }
        }
        if desk.path("run.log").exists() {
            fs::rename(desk.path("run.log"), desk.path("run/log")).unwrap();
        }
        for (found, (name, expected)) in essence(&desk.path("run")).iter().zip(expected) {
            // Not by what they are: that would be pages of numbers.
            assert!(found.1 == *expected, "{}: {name} differs", KINDS[kind]);
        }
        let left = desk.names("run").into_iter().filter(|name| name.starts_with(".mnistry-"));
        assert_eq!(left.count(), 0);
        fs::remove_dir_all(desk.path("run")).unwrap();
        runs += 1;
    }
    println!("{sent} signals, {runs} runs, all as undisturbed ones");
}

#[test]
#[ignore = "takes a minute or two; MNISTRY_KILLS says how many"]
fn runs_that_are_killed_at_any_moment_end_as_others() {
    survives(Signal::KILL, None);
}

#[test]
#[ignore = "takes a minute or two; MNISTRY_KILLS says how many"]
fn runs_that_are_asked_to_end_at_any_moment_end_as_others() {
    survives(Signal::TERM, Some(143));
}
