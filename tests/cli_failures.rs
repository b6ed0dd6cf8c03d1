//! The program when things go wrong: one clear line, the right exit code, and a run folder that
//! can be used.
#![cfg(feature = "cli")]

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use program::{Desk, Ended, is_usable};

mod program;

/// What must be on stderr, and the exit code that goes with it.
fn assert_fails(desk: &Desk, arguments: &str, code: i32, line: &str) {
    let ended = desk.run(arguments);
    assert_eq!(ended.code, Some(code), "{arguments}: {}", ended.stderr);
    assert_eq!(ended.stdout, "", "{arguments}");
    if code == 1 {
        assert_eq!(ended.stderr, format!("error: {line}\n"), "{arguments}");
    } else {
        let first = ended.stderr.lines().next().unwrap_or_default();
        assert_eq!(first, format!("error: {line}"), "{arguments}");
    }
}

#[test]
fn what_cannot_be_done_is_one_line() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --run-dir run --quiet");
    desk.write_data("more", 4);
    fs::write(desk.path("text.safetensors"), "not a model").unwrap();
    fs::create_dir(desk.path("empty")).unwrap();
    for (arguments, line) in [
        ("train --data none", "cannot open none: No such file or directory (os error 2)"),
        ("evaluate none --data data", "cannot open none: No such file or directory (os error 2)"),
        (
            "evaluate empty --data data",
            "cannot open empty/model.safetensors: No such file or directory (os error 2)",
        ),
        (
            "evaluate run --data more",
            "the network tells 3 classes apart, but the labels go up to 3",
        ),
        ("predict run --data data --index 3,60", "there is no test image 60: they are 0 to 59"),
        (
            "train --data data --init run/model.safetensors --hidden 50",
            "run/model.safetensors: tensor dense.kernel has shape [64, 100] where the network has \
             [64, 50]",
        ),
        (
            "train --data data --run-dir text.safetensors",
            "cannot create the folder text.safetensors: File exists (os error 17)",
        ),
    ] {
        if cfg!(unix) {
            assert_fails(&desk, arguments, 1, line);
        } else {
            assert_eq!(desk.run(arguments).code, Some(1), "{arguments}");
        }
    }
}

#[test]
fn wrong_usage_is_told_apart() {
    let desk = Desk::new();
    for (arguments, line) in [
        ("train --bogus", "unexpected argument '--bogus' found"),
        ("train --momentum 0.9", "--momentum is for --optimizer sgd: adam has moments of its own"),
        (
            "train --learning-rate 0",
            "invalid value '0' for '--learning-rate <RATE>': give a number above 0",
        ),
        (
            "train --optimizer sgd --momentum 1",
            "invalid value '1' for '--momentum <SHARE>': give a number from 0 up to, not \
             including, 1",
        ),
        ("train --isa mmx", "invalid value 'mmx' for '--isa <ISA>'"),
        (
            "train --threads 0",
            "invalid value '0' for '--threads <N>': give auto, or a number from 1 to 1024",
        ),
        ("train --batch-size 0", "invalid value '0' for '--batch-size <N>': 0 is not in 1..=65536"),
        (
            "predict m --index 9-0",
            "invalid value '9-0' for '--index <N>': a range goes from low to high",
        ),
        (
            "predict m --index x",
            "invalid value 'x' for '--index <N>': give numbers from 0 such as 7, or ranges such \
             as 0-9",
        ),
    ] {
        assert_fails(&desk, arguments, 2, line);
    }
    assert_eq!(desk.run("").code, Some(2));
    assert!(!desk.path("runs").exists(), "nothing is begun");
}

#[test]
fn an_instruction_set_that_is_none_is_named() {
    let desk = Desk::new();
    let mut command = desk.command("train --data data");
    let ended = Ended::of(command.env("MNISTRY_ISA", "mmx").output().unwrap());
    assert_eq!(ended.code, Some(1));
    let line = "error: MNISTRY_ISA: there is no instruction set mmx: give auto or one of portable";
    assert!(ended.stderr.starts_with(line), "{}", ended.stderr);
}

#[test]
fn a_loss_that_is_not_finite_ends_the_run_and_keeps_what_was_good() {
    let desk = Desk::new();
    let ended = desk.run("train --data data --learning-rate 1e30 --run-dir run --quiet");
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.stderr,
        "error: the loss became NaN in epoch 1, step 2: lower the learning rate (the weights are \
         as after epoch 0)\n"
    );
    assert_eq!(desk.read("run/history.csv"), "epoch,loss,accuracy,seconds\n");
    assert!(is_usable(&desk.path("run")));
    assert!(!desk.path("run/report.json").exists());
}

#[test]
fn weights_that_are_too_large_for_a_finite_test_loss_are_reported() {
    let desk = Desk::new();
    let one_step = "train --data data --epochs 1 --train-limit 32 --run-dir run --quiet";
    let ended = desk.run(&format!("{one_step} --learning-rate 1e30"));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("error: the test loss is "), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1);
    assert!(!desk.path("run/report.json").exists());
}

#[test]
fn a_folder_that_is_no_run_is_left_alone() {
    let desk = Desk::new();
    fs::create_dir(desk.path("site")).unwrap();
    fs::write(desk.path("site/config.json"), r#"{ "theme": "dark" }"#).unwrap();
    let line = "site/config.json: was not written by a run: choose another folder for this one";
    assert_fails(&desk, "train --data data --run-dir site", 1, line);
    assert_eq!(desk.names("site"), ["config.json"]);
    fs::create_dir(desk.path("models")).unwrap();
    fs::write(desk.path("models/model.safetensors"), "precious").unwrap();
    let line = "models/model.safetensors: would be replaced, but belongs to no run: choose another \
                folder";
    assert_fails(&desk, "train --data data --run-dir models", 1, line);
    assert_eq!(desk.read("models/model.safetensors"), "precious");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --run-dir run --quiet");
    for arguments in [
        "train --data data --epochs 2",
        "train --data data --epochs 2 --json",
        "evaluate run --data data",
        "predict run --data data --index 0-59",
        "train --help",
    ] {
        // Both ends that would read are closed before the program starts to write.
        let closed = || {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            Stdio::from(writer)
        };
        let status = desk.command(arguments).stdout(closed()).stderr(closed()).status().unwrap();
        assert_eq!(status.code(), Some(0), "{arguments}");
    }
    assert_eq!(desk.names("runs"), ["1", "2"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_failure() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --run-dir run --quiet");
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let output = desk.command("evaluate run --data data").stdout(full()).output().unwrap();
    let ended = Ended::of(output);
    assert_eq!(ended.code, Some(1));
    let line = "error: cannot write to standard output: No space left on device (os error 28)\n";
    assert_eq!(ended.stderr, line);

    let ended = desk.run("train --data data --epochs 100000 --log-steps /dev/full --quiet");
    assert_eq!(ended.code, Some(1));
    let line = "error: cannot write /dev/full: No space left on device (os error 28)\n";
    assert_eq!(ended.stderr, line);
}

#[test]
#[cfg(unix)]
fn ctrl_c_keeps_the_network_as_it_is() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Command;

    let desk = Desk::new();
    let mut command = desk.command("train --data data --epochs 1000000 --run-dir run");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    // The second epoch's line: training is well under way.
    let mut line = String::new();
    while !line.starts_with("epoch 2/") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0);
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());

    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("interrupted after epoch "), "{said}");
    let told = "the network is saved as it is then in run/model.safetensors; it was not tested; \
                `mnistry train --resume run` goes on";
    assert!(last.ends_with(told), "{said}");
    assert_eq!(
        desk.names("run"),
        [".lock", "checkpoint.safetensors", "config.json", "history.csv", "model.safetensors"]
    );
    desk.succeed("evaluate run --data data");
}

#[test]
fn a_run_that_cannot_begin_leaves_the_earlier_one_alone() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --run-dir run --quiet");
    let (model, report) = (desk.bytes("run/model.safetensors"), desk.read("run/report.json"));
    for settings in [
        "--validation-split 2",
        "--label-smoothing 1.5",
        "--weight-decay inf",
        "--log-steps run/config.json/steps.csv",
    ] {
        let ended = desk.run(&format!("train --data data --run-dir run {settings}"));
        assert_eq!(ended.code, Some(1), "{settings}: {}", ended.stderr);
        assert_eq!(desk.bytes("run/model.safetensors"), model, "{settings}");
        assert_eq!(desk.read("run/report.json"), report, "{settings}");
    }
}

#[test]
fn folders_that_the_log_of_steps_lacks_are_made() {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --run-dir run --log-steps new/deep/steps.csv -q");
    assert!(desk.read("new/deep/steps.csv").starts_with("step,loss\n1,"));
}

/// Of processes that share a terminal or a pipe, one must not end the other's line.
#[test]
#[cfg(unix)]
fn what_is_wrong_is_written_at_once() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixDatagram;

    let desk = Desk::new();
    // The first of many may say before that they do not share what they do.
    for (arguments, rank, writes) in [
        ("train --data none", "0", 1),
        ("train --data data --isa avx1024", "0", 1),
        ("train --data data --isa avx1024", "1", 1),
        ("data info none", "0", 2),
    ] {
        // It keeps each write apart.
        let (theirs, ours) = UnixDatagram::pair().unwrap();
        let mut command = desk.command(arguments);
        command.env("PMI_SIZE", "2").env("PMI_RANK", rank).stdout(Stdio::null());
        let begun = Instant::now();
        let status = command.stderr(OwnedFd::from(theirs)).status().unwrap();
        assert!(!status.success(), "{arguments}");
        // The first one has a while to say why, before mpirun ends all as one has failed.
        assert!(rank == "0" || begun.elapsed() >= Duration::from_secs(1), "{arguments}");
        drop(command);
        ours.set_nonblocking(true).unwrap();
        let (mut said, mut found) = ([0; 4096], Vec::new());
        while let Ok(length @ 1..) = ours.recv(&mut said) {
            found.push(said[..length].escape_ascii().to_string());
        }
        assert!(found.len() == writes && found[0].ends_with(r"\n"), "{arguments}: {found:#?}");
    }
}
