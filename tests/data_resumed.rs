//! Downloads that end in the middle, or are many at once: killed, interrupted and resumed ones.
//!
//! A server on the loopback address stands for the network.
#![cfg(feature = "cli")]

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use program::{Desk, NOWHERE};
use publisher::{Publisher, archive_server, desk_of, froms, good};
use server::{Request, Server, head, serve, serve_up_to};

mod program;
mod publisher;
mod server;

/// A server that sends half of the archive to whoever asks first, and then nothing.
fn stopping_server(publisher: &Arc<Publisher>) -> Server {
    let half = publisher.archive().len() / 2;
    archive_server(publisher, move |count, request, stream, archive| {
        if count > 0 {
            return serve(request, stream, archive);
        }
        serve_up_to(request, stream, archive, half)?;
        thread::sleep(Duration::from_secs(60));
        Ok(())
    })
}

/// Waits until `process` has received so many bytes into the cache folder.
fn wait_for_bytes(desk: &Desk, bytes: u64, process: &mut Child) {
    let received = || -> u64 {
        let Ok(entries) = fs::read_dir(desk.path("cache/mnist")) else { return 0 };
        entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    };
    let start = Instant::now();
    while received() < bytes {
        assert!(start.elapsed() < Duration::from_secs(60), "{} bytes after a minute", received());
        assert_eq!(process.try_wait().unwrap(), None, "it ended too early");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn several_processes_at_once_do_not_harm_each_other() {
    let publisher = Arc::new(Publisher::new());
    let server = archive_server(&publisher, |_, _, stream, archive| {
        head(stream, "200 OK", &format!("Content-Length: {}\r\n", archive.len()))?;
        for piece in archive.chunks(archive.len() / 20) {
            std::io::Write::write_all(stream, piece)?;
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    });
    let desk = desk_of(&publisher, &server);
    let mut processes: Vec<_> =
        (0..4).map(|_| desk.command("data fetch mnist --quiet").spawn().unwrap()).collect();
    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    let froms = froms(&server);
    assert!(froms.iter().all(Option::is_none), "one went on with the part of another: {froms:?}");
    assert_eq!(desk.bytes("cache/mnist/mnist.npz"), publisher.archive());
    assert_eq!(desk.names("cache/mnist"), ["mnist.npz"]);
}

#[test]
fn what_a_killed_process_leaves_is_not_trusted_but_resumed() {
    let publisher = Arc::new(Publisher::new());
    let half = publisher.archive().len() / 2;
    let server = stopping_server(&publisher);
    let desk = desk_of(&publisher, &server);
    let mut command = desk.command("data fetch mnist --quiet");
    let mut process = command.stderr(Stdio::null()).spawn().unwrap();
    wait_for_bytes(&desk, half as u64, &mut process);
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(!desk.path("cache/mnist/mnist.npz").exists());

    desk.write_catalogue(&publisher.catalogue(&[NOWHERE], &[]));
    let ended = desk.run("train --data mnist");
    assert_eq!(ended.code, Some(1), "half a file is not used");
    desk.write_catalogue(&publisher.catalogue(&[&server.url()], &[]));
    desk.succeed("data fetch mnist");
    assert_eq!(desk.bytes("cache/mnist/mnist.npz"), publisher.archive());
    assert_eq!(froms(&server), [None, Some(half)]);
    assert_eq!(desk.names("cache/mnist"), ["mnist.npz"]);
}

/// Ctrl-C in a download has nothing to save: it ends the process as it ends any other.
#[test]
#[cfg(target_os = "linux")]
fn a_download_can_be_interrupted_and_is_resumed() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    const SIGINT: i32 = 2;
    for arguments in ["data fetch mnist --quiet", "train --epochs 1"] {
        let publisher = Arc::new(Publisher::new());
        let server = stopping_server(&publisher);
        let desk = desk_of(&publisher, &server);
        let plain = desk.command(arguments);
        // Whoever runs the tests may ignore the signal, and a child would inherit that.
        let mut command = Command::new("env");
        command.arg("--default-signal=INT").arg(plain.get_program()).args(plain.get_args());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(plain.get_current_dir().unwrap());
        let mut process = command.stderr(Stdio::null()).spawn().unwrap();
        let half = publisher.archive().len() / 2;
        wait_for_bytes(&desk, half as u64, &mut process);
        let begun = Instant::now();
        let kill = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let status = process.wait().unwrap();
        assert_eq!(status.signal(), Some(SIGINT), "{arguments}: {status:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        desk.succeed("data fetch mnist");
        assert_eq!(desk.bytes("cache/mnist/mnist.npz"), publisher.archive());
        assert_eq!(froms(&server), [None, Some(half)], "what had come was kept");
    }
}

#[test]
#[ignore = "takes half a minute"]
fn training_without_data_does_not_wait_for_a_server_that_drips() {
    let publisher = Arc::new(Publisher::new());
    // What once passed for patience: a little before each connection would count as stalled.
    let dripping = |_: usize, _: &Request, stream: &mut TcpStream, _: &[u8]| {
        head(stream, "200 OK", "Content-Length: 11490434\r\n")?;
        loop {
            std::io::Write::write_all(stream, &[0; 16 << 10])?;
            thread::sleep(Duration::from_secs(5));
        }
    };
    let server = archive_server(&publisher, dripping);
    let desk = Desk::new();
    let mut catalogue = publisher.catalogue(&[&server.url()], &[]);
    catalogue["mnist"]["editions"][0]["files"][0]["bytes"] = 11_490_434.into();
    desk.write_catalogue(&catalogue);
    let begun = Instant::now();
    let ended = desk.run("train --epochs 1 --train-limit 100 --hidden 4");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let word = "no data set was named, so these are generated digits (cannot fetch MNIST: ";
    assert!(ended.stderr.contains(word) && ended.stderr.contains("stalled after"), "{ended:?}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn what_is_left_of_something_else_is_fetched_anew() {
    let publisher = Arc::new(Publisher::new());
    let server = good(&publisher);
    let len = publisher.archive().len();
    for (left, expected) in [
        // Another file, or one that a crash has damaged; one that is complete; one that is too long.
        (vec![0; 1000], vec![Some(1000), None]),
        (vec![0; len], vec![None]),
        (vec![0; len + 1], vec![Some(len + 1), None]),
    ] {
        let desk = desk_of(&publisher, &server);
        let before = server.requests().len();
        fs::create_dir_all(desk.path("cache/mnist")).unwrap();
        fs::write(desk.path("cache/mnist/.mnist.npz-left.part"), left).unwrap();
        desk.succeed("data fetch mnist");
        assert_eq!(desk.bytes("cache/mnist/mnist.npz"), publisher.archive());
        assert_eq!(froms(&server)[before..], expected);
        assert_eq!(desk.names("cache/mnist"), ["mnist.npz"]);
    }
}
