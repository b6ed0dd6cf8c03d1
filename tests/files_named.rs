//! Files that a person names: outputs destroy nothing that they should not, inputs are never waited
//! for, and what killed processes left is cleared away.
#![cfg(all(feature = "cli", unix))]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mnistry::data::generated::generate;
use program::{Desk, Ended};

mod program;

const SUBMISSION: &str = "ImageId,Label\n1,";
const PREDICT: &str = "predict run --data data --index 0-9";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 1 --run-dir run --quiet");
    desk
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// How the program ends, which it must within a minute.
fn end_of(desk: &Desk, arguments: &str) -> Ended {
    let mut command = desk.command(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{arguments}: waits");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ended::of(child.wait_with_output().unwrap())
}

fn refused(desk: &Desk, arguments: &str, line: &str) {
    let ended = end_of(desk, arguments);
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{arguments}: {}", ended.stderr);
    assert_eq!(ended.stderr, format!("error: {line}\n"), "{arguments}");
}

#[test]
fn what_is_no_regular_file_is_written_into_and_a_link_is_followed() {
    let desk = desk();
    make_pipe(&desk.path("pipe"));
    let reader = Command::new("cat").arg(desk.path("pipe")).stdout(Stdio::piped()).spawn();
    desk.succeed(&format!("{PREDICT} --csv pipe"));
    let read = Ended::of(reader.unwrap().wait_with_output().unwrap());
    assert!(read.stdout.starts_with(SUBMISSION), "{}", read.stdout);
    assert!(!desk.path("pipe").is_file());

    fs::write(desk.path("file.csv"), "old").unwrap();
    symlink("file.csv", desk.path("link.csv")).unwrap();
    symlink("new.csv", desk.path("dangling.csv")).unwrap();
    symlink("/dev/null", desk.path("null.csv")).unwrap();
    for (link, file) in [("link.csv", "file.csv"), ("dangling.csv", "new.csv")] {
        desk.succeed(&format!("{PREDICT} --csv {link}"));
        assert!(desk.path(link).is_symlink());
        assert!(desk.read(file).starts_with(SUBMISSION));
    }
    desk.succeed(&format!("{PREDICT} --csv null.csv"));
    assert!(desk.path("null.csv").is_symlink());
    let full = desk.run(&format!("{PREDICT} --csv /dev/full"));
    assert_eq!(full.code, Some(1));
    assert!(full.stderr.starts_with("error: cannot write /dev/full: "), "{}", full.stderr);
}

#[test]
fn a_file_that_is_read_is_not_written() {
    let desk = desk();
    let picture = image::GrayImage::from_pixel(8, 8, image::Luma([99]));
    picture.save(desk.path("one.png")).unwrap();
    symlink("one.png", desk.path("link")).unwrap();
    fs::hard_link(desk.path("data/t10k-labels-idx1-ubyte"), desk.path("hard")).unwrap();
    let files = ["run/model.safetensors", "one.png", "data/t10k-labels-idx1-ubyte"];
    let before = files.map(|file| desk.bytes(file));
    for (arguments, file) in [
        ("predict run one.png --csv run/model.safetensors", "run/model.safetensors"),
        (
            "predict run/model.safetensors one.png --csv run/../run/model.safetensors",
            "run/../run/model.safetensors",
        ),
        ("predict run one.png --csv one.png", "one.png"),
        ("predict run one.png --csv link", "link"),
        ("predict run --data data --index 0 --csv hard", "hard"),
        (
            "predict run --data data --index 0 --csv data/t10k-labels-idx1-ubyte",
            "data/t10k-labels-idx1-ubyte",
        ),
        ("data generate new --sheet new/train-images-idx3-ubyte", "new/train-images-idx3-ubyte"),
    ] {
        let line = "is read or written here, and would be overwritten: name another file";
        refused(&desk, arguments, &format!("{file}: {line}"));
    }
    assert_eq!(files.map(|file| desk.bytes(file)), before);
    assert!(!desk.path("new").exists());
    refused(
        &desk,
        &format!("{PREDICT} --csv data"),
        "data: is a folder: name a file to be written",
    );
    desk.succeed(&format!("{PREDICT} --csv none/yet/a.csv"));
    assert!(desk.read("none/yet/a.csv").starts_with(SUBMISSION));
    refused(
        &desk,
        &format!("{PREDICT} --csv one.png/a.csv"),
        "cannot write to one.png: Not a directory (os error 20)",
    );
}

#[test]
fn a_submission_goes_to_standard_output_alone() {
    let desk = desk();
    desk.succeed(&format!("{PREDICT} --csv file"));
    for arguments in ["--csv -", "--csv - --quiet", "--csv /dev/stdout"] {
        assert_eq!(desk.succeed(&format!("{PREDICT} {arguments}")), desk.read("file"));
    }
    for arguments in ["--csv - --json", "--csv - --show"] {
        let ended = desk.run(&format!("{PREDICT} {arguments}"));
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
        assert!(ended.stderr.contains("give --csv a file"), "{}", ended.stderr);
    }
}

#[test]
fn an_input_that_is_no_regular_file_is_not_waited_for() {
    let desk = desk();
    for name in ["pipe", "pipe.csv", "pipe.npz", "pipe.png", "pipe.toml"] {
        make_pipe(&desk.path(name));
    }
    let is = |name: &str, what: &str| {
        format!("{name}: is {what}, and only a regular file is read: name one")
    };
    for (arguments, name) in [
        ("evaluate pipe --data data", "pipe"),
        ("train --data data --model pipe.toml", "pipe.toml"),
        ("train --data data --init pipe", "pipe"),
    ] {
        refused(&desk, arguments, &is(name, "a named pipe"));
    }
    for name in ["pipe.csv", "pipe.png"] {
        let line = format!("{name}: nobody writes into this named pipe: begin that first");
        refused(&desk, &format!("predict run {name}"), &line);
    }
    refused(&desk, "evaluate /dev/zero --data data", &is("/dev/zero", "a device"));
    for arguments in ["data info pipe.csv", "data info pipe.npz", "data info pipe"] {
        assert_eq!(end_of(&desk, arguments).code, Some(1), "{arguments}");
    }
}

#[test]
fn what_killed_processes_left_is_swept_by_whoever_writes_there_next() {
    let desk = desk();
    let left = |folder: &str| {
        fs::create_dir_all(desk.path(folder)).unwrap();
        for name in [".mnistry-a1B2c3", ".tmpa1B2c3", ".tmp", "other"] {
            fs::write(desk.path(folder).join(name), "half").unwrap();
        }
    };
    left("out");
    desk.succeed(&format!("{PREDICT} --csv out/file.csv"));
    assert_eq!(desk.names("out"), [".tmp", ".tmpa1B2c3", "file.csv", "other"]);

    left("digits");
    generate(0, 40, 10).unwrap().write_idx(desk.path("digits")).unwrap();
    assert_eq!(desk.names("digits").len(), 7);
    assert!(!desk.path("digits/.mnistry-a1B2c3").exists());

    left("cache");
    fs::create_dir(desk.path("zipped")).unwrap();
    for name in desk.names("data") {
        let bytes = program::writers::gzip(&desk.bytes(&format!("data/{name}")));
        fs::write(desk.path("zipped").join(name + ".gz"), bytes).unwrap();
    }
    desk.succeed("data info zipped");
    fs::write(desk.path("cache/.mnistry-b"), "left beside whole copies").unwrap();
    desk.succeed("data info zipped");
    let names = desk.names("cache");
    let hidden = names.iter().map(String::as_str).filter(|name| name.starts_with('.'));
    let hidden: Vec<_> = hidden.collect();
    assert_eq!((hidden, names.len()), (vec![".tmp", ".tmpa1B2c3"], 7), "{names:?}");
}

#[test]
fn a_set_that_was_half_written_is_completed_and_another_one_is_left_alone() {
    let desk = Desk::new();
    let data = generate(3, 100, 20).unwrap();
    let folder = desk.path("digits");
    data.write_idx(&folder).unwrap();
    let names = desk.names("digits");
    let whole: Vec<_> = names.iter().map(|name| desk.bytes(&format!("digits/{name}"))).collect();
    for missing in 1..=names.len() {
        for name in &names[..missing] {
            fs::remove_file(folder.join(name)).unwrap();
        }
        data.write_idx(&folder).unwrap();
        let again = names.iter().map(|name| desk.bytes(&format!("digits/{name}")));
        assert!(again.eq(whole.iter().cloned()), "{missing} were missing");
        assert_eq!(desk.names("digits"), names);
    }
    let said = data.write_idx(&folder).unwrap_err().to_string();
    assert!(said.ends_with("is there already: choose another folder"), "{said}");

    fs::remove_file(folder.join(&names[0])).unwrap();
    let other = generate(4, 100, 20).unwrap();
    let said = other.write_idx(&folder).unwrap_err().to_string();
    assert!(said.contains("remove it, or choose another folder"), "{said}");
    assert!(
        names[1..]
            .iter()
            .zip(&whole[1..])
            .all(|(name, bytes)| { desk.bytes(&format!("digits/{name}")) == *bytes })
    );
    assert!(!folder.join(&names[0]).exists());
}

#[test]
fn a_file_that_others_could_read_or_not_stays_so() {
    let desk = desk();
    let mode = |name: &str| desk.path(name).metadata().unwrap().permissions().mode() & 0o777;
    for kept in [0o600, 0o640, 0o644] {
        fs::write(desk.path("file.csv"), "").unwrap();
        fs::set_permissions(desk.path("file.csv"), fs::Permissions::from_mode(kept)).unwrap();
        desk.succeed(&format!("{PREDICT} --csv file.csv"));
        assert_eq!(mode("file.csv"), kept);
    }
}
