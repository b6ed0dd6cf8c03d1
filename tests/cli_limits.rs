//! Limits that the system sets to the program: memory, the size of files, threads, stack. What is
//! too much is one line, and nothing is lost.
#![cfg(all(feature = "cli", target_os = "linux"))]

use std::fs;
use std::time::{Duration, Instant};

use program::{Desk, Ended};

mod program;

const TRAIN: &str = "train --data data --epochs 1 --run-dir run --quiet";

/// Runs under limits; it must not be ended by a signal, and soon.
fn under(desk: &Desk, limits: &str, arguments: &str) -> Ended {
    let begun = Instant::now();
    let ended = Ended::of(desk.limited(limits, arguments).output().unwrap());
    assert!(ended.code.is_some(), "{limits}: {arguments}: ended by a signal: {}", ended.stderr);
    assert!(begun.elapsed() < Duration::from_secs(60), "{limits}: {arguments}");
    ended
}

/// It is refused in one line that says so.
fn refused(ended: &Ended, said: &str) {
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
}

#[test]
fn what_needs_more_memory_than_there_is_says_how_much_for_what() {
    let desk = Desk::new();
    desk.succeed(TRAIN);
    let model = desk.bytes("run/model.safetensors");
    fs::write(
        desk.path("large.toml"),
        "[[layers]]\ntype = \"conv2d\"\nfilters = 1\nkernel = 16000\npadding = \"same\"\n\
         activation = \"relu\"\n[[layers]]\ntype = \"flatten\"\n\
         [[layers]]\ntype = \"dense\"\nunits = 3\nactivation = \"softmax\"\n",
    )
    .unwrap();
    fs::write(
        desk.path("many.toml"),
        "[[layers]]\ntype = \"conv2d\"\nfilters = 300000\nkernel = 3\nactivation = \"relu\"\n\
         [[layers]]\ntype = \"flatten\"\n\
         [[layers]]\ntype = \"dense\"\nunits = 3\nactivation = \"softmax\"\n",
    )
    .unwrap();
    for setting in ["--hidden 3000000", "--model large.toml", "--model many.toml"] {
        let ended = under(&desk, "-v 1000000", &format!("{TRAIN} {setting}"));
        refused(&ended, " of memory (of that ");
        assert_eq!(desk.bytes("run/model.safetensors"), model, "{setting}");
        assert!(desk.path("run/report.json").exists(), "{setting}");
    }
}

#[test]
fn an_export_that_needs_more_memory_than_there_is_is_refused() {
    let desk = Desk::new();
    desk.succeed(&format!("{TRAIN} --hidden 100000 --train-limit 1"));
    for out in ["n.onnx", "n.keras", "n.weights.h5", "n.npz", "n.h", "n.safetensors"] {
        let mut said = String::new();
        // Enough for the network itself, and then more and more.
        for limit in (100_000..=600_000).step_by(30_000) {
            let ended = under(&desk, &format!("-v {limit}"), &format!("export run {out} --quiet"));
            if ended.code == Some(0) {
                break;
            }
            refused(&ended, " of memory");
            assert!(!desk.path(out).exists(), "{out}");
            said += &ended.stderr;
        }
        assert!(desk.path(out).exists(), "{out}: {said}");
        let task = format!("{out}: the export needs about ");
        assert!(said.contains(&task) && said.contains("are free: "), "{out}: {said}");
    }
}

#[test]
fn a_file_that_may_not_be_so_large_is_an_error_and_the_earlier_run_stays() {
    let desk = Desk::new();
    desk.succeed(TRAIN);
    let model = desk.bytes("run/model.safetensors");
    // In blocks of 512 bytes: the new network has more.
    let ended = under(&desk, "-f 200", &format!("{TRAIN} --hidden 2000"));
    refused(&ended, "cannot write run/model.safetensors: File too large");
    assert_eq!(desk.bytes("run/model.safetensors"), model);
    assert_eq!(desk.names("run").iter().filter(|name| name.starts_with(".mn")).count(), 0);
    refused(&under(&desk, "-f 200", "data generate digits"), "File too large");
    desk.succeed("data generate digits");
}

#[test]
fn threads_that_the_system_refuses_are_an_error_or_fewer() {
    let desk = Desk::new();
    // Each needs an address space of two megabytes for its stack.
    refused(&under(&desk, "-v 400000", &format!("{TRAIN} --threads 250")), "thread");
    // Work that is not the engine's is done by as many as there may be.
    let ended = under(&desk, "-v 300000", "data generate digits");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn a_run_of_thousands_of_layers_can_be_replaced_and_gone_on_with() {
    let desk = Desk::new();
    let layers = "[[layers]]\ntype = \"average_pool\"\nsize = 1\n".repeat(12_000)
        + "[[layers]]\ntype = \"flatten\"\n\
           [[layers]]\ntype = \"dense\"\nunits = 3\nactivation = \"softmax\"\n";
    fs::write(desk.path("deep.toml"), layers).unwrap();
    for _ in 0..2 {
        desk.succeed(&format!("{TRAIN} --model deep.toml"));
    }
    desk.succeed("train --resume run --epochs 2 --quiet");
    desk.succeed("evaluate run --data data");
}

#[test]
fn a_small_stack_is_enough() {
    let desk = Desk::new();
    for stack in [160, 512] {
        let ended = under(&desk, &format!("-s {stack}"), TRAIN);
        assert_eq!(ended.code, Some(0), "{stack} KiB: {}", ended.stderr);
    }
}

#[test]
fn few_open_files_are_an_error_or_enough() {
    let desk = Desk::new();
    desk.succeed(TRAIN);
    let model = desk.bytes("run/model.safetensors");
    for files in 4..16 {
        let ended = under(&desk, &format!("-n {files}"), TRAIN);
        if ended.code != Some(0) {
            refused(&ended, "Too many open files");
        }
        assert_eq!(desk.bytes("run/model.safetensors"), model);
    }
}
