//! Downloads from good servers and from bad ones.
//!
//! A server on the loopback address stands for the network.
#![cfg(feature = "cli")]

use std::fs;
use std::sync::Arc;

use program::{Desk, Ended, NOWHERE};
use publisher::{Publisher, archive_server, desk_of, froms, good, sha256};
use serde_json::Value;
use server::{Request, Server, head, not_found, serve, serve_up_to};

mod program;
mod publisher;
mod server;

/// Runs `data fetch mnist` on `desk`, which must fail with this line and leave no data set.
fn assert_fetch_fails(desk: &Desk, line: &str) {
    let ended = desk.run("data fetch mnist --quiet");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!((&*ended.stdout, &*ended.stderr), ("", &*format!("error: {line}\n")));
    assert!(!desk.path("cache/mnist/mnist.npz").exists());
}

const HINT: &str = "; try again later, or another mirror";

#[test]
fn a_data_set_is_fetched_once_and_then_used_without_a_network() {
    let publisher = Arc::new(Publisher::new());
    let server = good(&publisher);
    let desk = desk_of(&publisher, &server);
    let ended = desk.run("data fetch mnist");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, format!("fetching {}mnist.npz (251.76 kB)\n", server.url()));
    let (path, bytes) = (desk.path("cache/mnist/mnist.npz"), publisher.archive().len());
    let line =
        format!("MNIST is in {}, {bytes} bytes that have the published checksum\n", path.display());
    assert_eq!(ended.stdout, line);
    assert_eq!(desk.bytes("cache/mnist/mnist.npz"), publisher.archive());
    assert_eq!(desk.names("cache/mnist"), ["mnist.npz"]);

    desk.write_catalogue(&publisher.catalogue(&[NOWHERE], &[NOWHERE]));
    let json: Value = serde_json::from_str(&desk.succeed("data fetch mnist --json")).unwrap();
    assert_eq!(json["dataset"], "MNIST");
    assert_eq!(json["bytes"], bytes);
    assert_eq!(json["path"], path.to_str().unwrap());
    for place in ["", "--data mnist"] {
        let ended = desk.run(&format!("train {place} --epochs 1 --hidden 4 --run-dir run"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stderr.starts_with("training "), "{}", ended.stderr);
        assert_eq!(desk.json("run/report.json")["dataset"], "MNIST");
    }
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn training_without_data_fetches_mnist() {
    let publisher = Arc::new(Publisher::new());
    let server = good(&publisher);
    let desk = desk_of(&publisher, &server);
    let ended = desk.run("train --epochs 1 --hidden 4");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.starts_with("fetching http://127.0.0.1:"), "{}", ended.stderr);
    assert_eq!(desk.json("runs/1/report.json")["dataset"], "MNIST");
    assert_eq!(desk.json("runs/1/config.json")["train_images"], 300);
}

#[test]
fn without_a_network_generated_digits_stand_in_and_that_is_said() {
    let desk = Desk::new();
    let ended = desk.run("train --train-limit 100 --epochs 1");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (first, rest) = ended.stderr.split_once('\n').unwrap();
    if cfg!(target_os = "linux") {
        assert_eq!(
            first,
            "no data set was named, so these are generated digits (cannot fetch MNIST: \
             127.0.0.1:1: Connection refused (os error 111); try again later, or another mirror); \
             for MNIST, run `mnistry data fetch mnist` where there is a network, or name a copy \
             with --data or MNISTRY_DATA_DIR"
        );
    }
    assert!(rest.starts_with("training "), "{rest}");
    assert_eq!(desk.json("runs/1/report.json")["dataset"], "generated digits");

    let ended = desk.run("train --data mnist");
    assert_eq!(ended.code, Some(1), "a data set that was named is not replaced");
    assert!(ended.stderr.starts_with("error: cannot fetch MNIST: 127.0.0.1:1: "), "{ended:?}");
    let quiet = desk.run("train --train-limit 100 --epochs 1 --quiet");
    assert_eq!((quiet.code, &*quiet.stderr), (Some(0), ""));
}

#[test]
fn the_place_that_the_environment_names_comes_before_the_network() {
    let publisher = Arc::new(Publisher::new());
    let server = good(&publisher);
    let desk = desk_of(&publisher, &server);
    let mut command = desk.command("train --epochs 1 --quiet --json");
    let ended = Ended::of(command.env("MNISTRY_DATA_DIR", "data").output().unwrap());
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["dataset"], "data");
    assert_eq!(server.requests(), []);
}

#[test]
fn a_connection_that_is_cut_is_resumed() {
    let publisher = Arc::new(Publisher::new());
    let half = publisher.archive().len() / 2;
    let server = archive_server(&publisher, move |count, request, stream, archive| match count {
        0 => serve_up_to(request, stream, archive, half),
        _ => serve(request, stream, archive),
    });
    let desk = desk_of(&publisher, &server);
    desk.succeed("data fetch mnist");
    assert_eq!(desk.bytes("cache/mnist/mnist.npz"), publisher.archive());
    assert_eq!(froms(&server), [None, Some(half)]);
    assert_eq!(desk.names("cache/mnist"), ["mnist.npz"]);
}

#[test]
fn a_server_that_knows_no_ranges_is_asked_for_all_again() {
    let publisher = Arc::new(Publisher::new());
    let half = publisher.archive().len() / 2;
    let server = archive_server(&publisher, move |count, request, stream, archive| {
        let whole = Request { from: None, ..request.clone() };
        serve_up_to(&whole, stream, archive, if count == 0 { half } else { archive.len() })
    });
    let desk = desk_of(&publisher, &server);
    desk.succeed("data fetch mnist");
    assert_eq!(desk.bytes("cache/mnist/mnist.npz"), publisher.archive());
    assert_eq!(froms(&server), [None, Some(half)]);
}

#[test]
fn a_connection_that_is_cut_again_and_again_is_resumed_as_long_as_it_moves() {
    let publisher = Arc::new(Publisher::new());
    let server = archive_server(&publisher, |_, request, stream, archive| {
        let end = (request.from.unwrap_or(0) + 10_000).min(archive.len());
        serve_up_to(request, stream, archive, end)
    });
    let desk = desk_of(&publisher, &server);
    desk.succeed("data fetch mnist");
    assert_eq!(desk.bytes("cache/mnist/mnist.npz"), publisher.archive());
    assert_eq!(froms(&server).len(), publisher.archive().len().div_ceil(10_000));
}

#[test]
fn a_connection_that_gives_nothing_more_is_given_up_and_resumed_by_the_next_run() {
    let publisher = Arc::new(Publisher::new());
    let len = publisher.archive().len();
    let server = archive_server(&publisher, move |count, request, stream, archive| match count {
        0..6 => serve_up_to(request, stream, archive, 1000),
        _ => serve(request, stream, archive),
    });
    let desk = desk_of(&publisher, &server);
    let url = server.url();
    let line = format!(
        "cannot fetch MNIST: {url}mnist.npz: the connection was cut after 1000 of {len} bytes{HINT}"
    );
    assert_fetch_fails(&desk, &line);
    assert_eq!(froms(&server).len(), 6);
    desk.succeed("data fetch mnist");
    assert_eq!(froms(&server)[1..], [Some(1000); 6]);
}

#[test]
fn bytes_that_are_wrong_are_refused() {
    let publisher = Arc::new(Publisher::new());
    let mut wrong = publisher.archive().to_vec();
    wrong[1000] ^= 1;
    let found = sha256(&wrong);
    let server =
        archive_server(&publisher, move |_, request, stream, _| serve(request, stream, &wrong));
    let desk = desk_of(&publisher, &server);
    let (url, expected) = (server.url(), publisher.sha256());
    let line = format!(
        "cannot fetch MNIST: {url}mnist.npz: it is not what was published: its SHA-256 is {found} \
         and should be {expected}{HINT}"
    );
    assert_fetch_fails(&desk, &line);
    assert_eq!(desk.names("cache/mnist"), [""; 0]);
}

#[test]
fn a_file_of_another_length_is_refused_before_it_comes() {
    let publisher = Arc::new(Publisher::new());
    let len = publisher.archive().len();
    for wrong in [1, 17, len - 1, len + 1, 1 << 40] {
        let server = archive_server(&publisher, move |_, _, stream, _| {
            head(stream, "200 OK", &format!("Content-Length: {wrong}\r\n"))
        });
        let line = format!(
            "cannot fetch MNIST: {}mnist.npz: it is {wrong} bytes long, and should be {len}{HINT}",
            server.url()
        );
        assert_fetch_fails(&desk_of(&publisher, &server), &line);
    }
}

#[test]
fn a_body_without_end_is_left_when_it_is_too_long() {
    let publisher = Arc::new(Publisher::new());
    let len = publisher.archive().len();
    let server = archive_server(&publisher, |_, _, stream, archive| {
        head(stream, "200 OK", "")?;
        loop {
            std::io::Write::write_all(stream, archive)?;
        }
    });
    let desk = desk_of(&publisher, &server);
    let line = format!(
        "cannot fetch MNIST: {}mnist.npz: it goes on after the {len} bytes that it should \
         have{HINT}",
        server.url()
    );
    assert_fetch_fails(&desk, &line);
    assert_eq!(desk.names("cache/mnist"), [""; 0]);
}

#[test]
fn a_refusal_is_told() {
    let publisher = Arc::new(Publisher::new());
    let server = archive_server(&publisher, |_, _, stream, _| not_found(stream));
    let line = format!(
        "cannot fetch MNIST: {}mnist.npz: the answer was 404 Not Found{HINT}",
        server.url()
    );
    assert_fetch_fails(&desk_of(&publisher, &server), &line);
}

#[test]
fn redirections_are_followed_but_not_for_ever() {
    let publisher = Arc::new(Publisher::new());
    let published = Arc::clone(&publisher);
    let server = Server::new(move |request, stream| {
        let file = publisher.file(&request.target).unwrap();
        match request.target.split_once("/from/") {
            Some((_, name)) => head(stream, "302 Found", &format!("Location: /to/{name}\r\n")),
            None if request.target.starts_with("/round/") => {
                head(stream, "302 Found", &format!("Location: {}\r\n", request.target))
            }
            None => serve(request, stream, file),
        }
    });
    let desk = Desk::new();
    let url = server.url();
    desk.write_catalogue(&published.catalogue(&[&format!("{url}round/")], &[]));
    let line = format!(
        "cannot fetch MNIST: {url}round/mnist.npz: the answer was one redirection after another{HINT}"
    );
    assert_fetch_fails(&desk, &line);
    desk.write_catalogue(&published.catalogue(&[&format!("{url}from/")], &[]));
    desk.succeed("data fetch mnist");
    assert_eq!(desk.bytes("cache/mnist/mnist.npz"), published.archive());
}

#[test]
fn where_the_archive_is_not_to_be_had_the_other_files_are_fetched_from_whoever_has_them() {
    let publisher = Arc::new(Publisher::new());
    let everything = good(&publisher);
    let published = Arc::clone(&publisher);
    let labels_alone = Server::new(move |request, stream| match published.file(&request.target) {
        Some(file) if request.target.contains("labels") => serve(request, stream, file),
        _ => not_found(stream),
    });
    let desk = Desk::new();
    let hosts = [&*labels_alone.url(), &*everything.url()];
    desk.write_catalogue(&publisher.catalogue(&[NOWHERE, &labels_alone.url()], &hosts));
    desk.succeed("data fetch mnist");
    assert_eq!(
        desk.names("cache/mnist"),
        [
            "t10k-images-idx3-ubyte.gz",
            "t10k-labels-idx1-ubyte.gz",
            "train-images-idx3-ubyte.gz",
            "train-labels-idx1-ubyte.gz"
        ]
    );
    assert_eq!(everything.requests().len(), 2, "it is asked only for what the first lacks");
    let json = desk.succeed("data info mnist --json");
    let info: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&info["dataset"], &info["train"]["images"]), (&"MNIST".into(), &300.into()));
}

#[test]
fn a_mirror_is_asked_instead_of_the_hosts() {
    let publisher = Arc::new(Publisher::new());
    let (host, mirror) = (good(&publisher), good(&publisher));
    let desk = desk_of(&publisher, &host);
    let address = format!("{}pub", mirror.url());
    desk.succeed(&format!("data fetch mnist --mirror {address}"));
    assert_eq!(mirror.requests()[0].target, "/pub/mnist.npz");
    assert_eq!(host.requests(), []);
}

#[test]
fn a_fetched_file_that_is_no_longer_what_it_was_is_fetched_again() {
    let publisher = Arc::new(Publisher::new());
    let server = good(&publisher);
    let desk = desk_of(&publisher, &server);
    desk.succeed("data fetch mnist");
    let mut damaged = publisher.archive().to_vec();
    damaged[5000] ^= 1;
    for damage in [damaged, publisher.archive()[..7].to_vec(), vec![]] {
        fs::write(desk.path("cache/mnist/mnist.npz"), damage).unwrap();
        desk.succeed("data info mnist --quiet");
        assert_eq!(desk.bytes("cache/mnist/mnist.npz"), publisher.archive());
    }
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    let publisher = Arc::new(Publisher::new());
    let published = Arc::clone(&publisher);
    // Once connected, a proxy passes on what it hears; this one is the server too.
    let proxy = Server::new(move |request, stream| match &*request.method {
        "CONNECT" => std::io::Write::write_all(stream, b"HTTP/1.1 200 OK\r\n\r\n"),
        _ => serve(request, stream, published.file(&request.target).unwrap()),
    });
    let desk = Desk::new();
    desk.write_catalogue(&publisher.catalogue(&["http://publisher.invalid/"], &[]));
    let fetch = |variables: &[(&str, &str)]| {
        let mut command = desk.command("data fetch mnist --quiet");
        Ended::of(command.envs(variables.iter().copied()).output().unwrap()).code
    };
    let address = proxy.url();
    let variable = ("HTTP_PROXY", &*address);
    assert_eq!(fetch(&[variable, ("NO_PROXY", "publisher.invalid")]), Some(1));
    assert_eq!(proxy.requests(), []);
    assert_eq!(fetch(&[variable]), Some(0));
    assert_eq!(proxy.requests()[0].target, "publisher.invalid:80");
    assert_eq!(desk.bytes("cache/mnist/mnist.npz"), publisher.archive());
}

#[test]
fn a_cache_folder_that_cannot_be_written_is_named() {
    let publisher = Arc::new(Publisher::new());
    let server = good(&publisher);
    let desk = desk_of(&publisher, &server);
    fs::write(desk.path("cache"), "a file").unwrap();
    let ended = desk.run("data fetch mnist");
    let start = format!("error: cannot create the folder {}: ", desk.path("cache/mnist").display());
    assert!(ended.code == Some(1) && ended.stderr.starts_with(&start), "{ended:?}");
    let ended = desk.run("train --epochs 1 --train-limit 100");
    assert_eq!(ended.code, Some(0), "training goes on with generated digits: {ended:?}");
    assert_eq!(server.requests(), []);
}

#[test]
fn wrong_usage_is_told_before_anything_is_fetched() {
    let desk = Desk::new();
    for (arguments, line) in [
        (
            "data fetch kmnist",
            "invalid value 'kmnist' for '<NAME>': there is no such data set to fetch: give mnist",
        ),
        (
            "data fetch mnist --mirror ftp://example.org/",
            "invalid value 'ftp://example.org/' for '--mirror <URL>': give an address that begins \
             with https:// or http://",
        ),
    ] {
        let ended = desk.run(arguments);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!(ended.stderr.lines().next(), Some(&*format!("error: {line}")));
    }
    fs::write(desk.path("catalogue.json"), "{").unwrap();
    let ended = desk.run("data fetch mnist");
    let line = format!(
        "error: {}: not a catalogue of data sets: EOF while parsing an object at line 1 column 1\n",
        desk.path("catalogue.json").display()
    );
    assert_eq!((ended.code, ended.stderr), (Some(1), line));
}
