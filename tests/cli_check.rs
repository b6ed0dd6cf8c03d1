//! `mnistry check`: the gradients of a network, checked.
#![cfg(feature = "cli")]

mod program;

use std::fs;

use program::Desk;
use serde_json::Value;

const NETWORK: &str = r#"
    [[layers]]
    type = "conv2d"
    filters = 3
    kernel = 2
    activation = "relu"

    [[layers]]
    type = "flatten"

    [[layers]]
    type = "dense"
    units = 4
"#;

/// A desk with a small network in `network.toml`.
fn desk() -> Desk {
    let desk = Desk::new();
    fs::write(desk.path("network.toml"), NETWORK).unwrap();
    desk
}

fn check(desk: &Desk, arguments: &str) -> Value {
    let stdout = desk.succeed(&format!("check --model network.toml --json {arguments}"));
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn a_table_says_how_each_tensor_agrees() {
    let desk = desk();
    let stdout = desk.succeed("check --model network.toml --images 5x4 --cases 3 --threads 1");
    let line = |start: &str| stdout.lines().find(|line| line.starts_with(start));
    for tensor in ["conv2d.kernel", "conv2d.bias", "dense.kernel", "dense.bias", "loss"] {
        assert!(line(tensor).is_some_and(|line| line.ends_with("agrees")), "{tensor}: {stdout}");
    }
    let title = "gradients of conv2d 3 of 2 × 2 relu, flatten, dense 4, of images of 5 × 4";
    assert!(line(title).is_some(), "{stdout}");
    assert!(line("cases: 3,").is_some(), "{stdout}");
    assert!(stdout.ends_with("\n\nall 4 tensors agree\n"), "{stdout}");
    assert!(!stdout.contains("error:"), "{stdout}");
    assert_eq!(desk.succeed("check --model network.toml --images 5x4 --cases 1 --quiet"), "");
}

#[test]
fn machines_are_told_the_same_whatever_it_is_computed_by() {
    let desk = desk();
    let found = check(&desk, "--images 5x4 --cases 4 --seed 7 --threads 1");
    assert_eq!((&found["verdict"], &found["cases"]), (&"agrees".into(), &4.into()));
    let tensors = found["tensors"].as_array().unwrap();
    assert_eq!(tensors.len(), 4);
    assert_eq!(
        (&tensors[0]["verdict"], &found["loss"]["verdict"]),
        (&"agrees".into(), &"agrees".into())
    );
    assert_eq!(found["images"], serde_json::json!({ "height": 5, "width": 4 }));
    // Each entry in each case.
    assert_eq!(tensors[0]["backward"]["compared"], 4 * 12);
    let share = found["greatest_share"].as_f64().unwrap();
    assert!(share > 0.0 && share <= 1.0, "{share}");

    let mut of_three = check(&desk, "--images 5x4 --cases 4 --seed 7 --threads 3");
    assert_eq!(of_three["threads"], 3);
    of_three["threads"] = 1.into();
    assert_eq!(of_three, found);
    let other = check(&desk, "--images 5x4 --cases 4 --seed 8 --threads 1");
    assert_ne!(other["loss"], found["loss"]);
}

#[test]
fn what_cannot_be_checked_is_refused_in_a_line() {
    let desk = desk();
    for (arguments, code, part) in [
        ("check --model nothing.toml", 1, "nothing.toml"),
        ("check --model network.toml --images 1x1", 1, "conv2d 3 of 2 × 2 relu"),
        ("check --model network.toml --images 28", 2, "such as 28x28"),
        ("check --model network.toml --images 0x5", 2, "such as 28x28"),
        ("check --cases 0", 2, "--cases"),
        ("check --model net", 2, "--model"),
        ("check --model network.toml --threads 0", 2, "--threads"),
    ] {
        let ended = desk.run(arguments);
        assert_eq!(ended.code, Some(code), "{arguments}: {}", ended.stderr);
        assert!(ended.stderr.contains(part), "{arguments}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments}");
        assert!(code == 2 || ended.stderr.lines().count() == 1, "{}", ended.stderr);
    }
}

#[test]
#[cfg(unix)]
fn asked_to_end_it_says_what_was_found() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let desk = desk();
    let mut command = desk.command("check --model network.toml --cases 4294967295 --json");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("checking "), "{line}");
    // Not by Ctrl-C, which a program that a script began in the background does not heed.
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());

    let (mut said, mut found) = (String::new(), String::new());
    stderr.read_to_string(&mut said).unwrap();
    child.stdout.take().unwrap().read_to_string(&mut found).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143), "{said}");
    assert!(said.lines().last().unwrap().starts_with("interrupted after "), "{said}");
    let found: Value = serde_json::from_str(&found).unwrap();
    assert!(found["cases"].as_u64().unwrap() < 4_294_967_295);
}
