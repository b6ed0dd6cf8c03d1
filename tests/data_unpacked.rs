//! Data sets that are published together in one archive: EMNIST's.
//!
//! A server on the loopback address stands for the network.
#![cfg(feature = "cli")]

use std::io::{Cursor, Write};
use std::sync::Arc;

use program::{Desk, NOWHERE, writers};
use publisher::sha256;
use serde_json::{Value, json};
use server::{Server, serve, serve_up_to};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

mod program;
mod publisher;
mod server;

/// The files of one set, without what their names begin with.
const PARTS: [&str; 4] =
    ["train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"];

fn members(set: &str) -> [String; 4] {
    PARTS.map(|part| format!("gzip/emnist-{set}-{part}-ubyte.gz"))
}

/// An archive with the sets `letters`, whose labels count from 1, and `digits`.
fn archive() -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (set, first, classes) in [("letters", 1, 26), ("digits", 0, 10)] {
        let images = |count: usize| {
            let pixel = |place: usize| (place % 251) as u8;
            (vec![count, 2, 3], (0..count * 6).map(pixel).collect())
        };
        let labels = |count: usize| {
            let label = |image: usize| first + (image % classes) as u8;
            (vec![count], (0..count).map(label).collect::<Vec<u8>>())
        };
        let arrays = [images(60), labels(60), images(30), labels(30)];
        for (name, array) in members(set).iter().zip(&arrays) {
            let method = match set {
                "letters" => CompressionMethod::DEFLATE,
                _ => CompressionMethod::STORE,
            };
            let options = SimpleFileOptions::default().compression_method(method);
            archive.start_file(name.as_str(), options).unwrap();
            archive.write_all(&writers::gzip(&writers::idx(array))).unwrap();
        }
    }
    archive.finish().unwrap().into_inner()
}

/// A desk that knows both sets of `archive`, and `others`, at `host`.
fn desk(archive: &[u8], host: &str) -> Desk {
    let desk = Desk::new();
    write_catalogue(&desk, archive, host);
    desk
}

fn write_catalogue(desk: &Desk, archive: &[u8], host: &str) {
    let file = json!({ "name": "gzip.zip", "bytes": archive.len(), "sha256": sha256(archive) });
    let set = |unpack: Value| {
        let edition = json!({ "hosts": [host], "files": [file], "unpack": unpack });
        json!({ "title": "EMNIST", "editions": [edition] })
    };
    desk.write_catalogue(&json!({
        "emnist-letters": set(json!(members("letters"))),
        "emnist-digits": set(json!(members("digits"))),
        "emnist-other": set(json!(members("other"))),
    }));
}

fn server(archive: &Arc<Vec<u8>>) -> Server {
    let archive = Arc::clone(archive);
    Server::new(move |request, stream| serve(request, stream, &archive))
}

fn names(set: &str) -> Vec<String> {
    let mut names: Vec<_> =
        members(set).iter().map(|name| name.trim_start_matches("gzip/").to_owned()).collect();
    names.push("unpacked.json".into());
    names.sort();
    names
}

#[test]
fn a_set_is_unpacked_and_the_archive_is_not_kept() {
    let archive = Arc::new(archive());
    let server = server(&archive);
    let desk = desk(&archive, &server.url());
    let ended = desk.run("data fetch emnist-letters");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains(" is not kept; with `data fetch --keep-archive`"), "{ended:?}");
    assert!(ended.stdout.ends_with("bytes of an archive that had the published checksum\n"));
    assert_eq!(desk.names("cache"), ["emnist-letters"]);
    assert_eq!(desk.names("cache/emnist-letters"), names("letters"));

    // Read from there, without a network: letters as names, upright.
    write_catalogue(&desk, &archive, NOWHERE);
    let info: Value =
        serde_json::from_str(&desk.succeed("data info emnist-letters --json")).unwrap();
    assert_eq!((&info["height"], &info["width"]), (&json!(3), &json!(2)));
    assert_eq!((&info["class_names"][0], &info["classes"]), (&json!("a"), &json!(26)));
    assert_eq!(server.requests().len(), 1);

    // What was changed since is not trusted.
    let file = desk.path("cache/emnist-letters").join(&names("letters")[0]);
    std::fs::write(file, "other").unwrap();
    let ended = desk.run("data info emnist-letters");
    assert!(ended.code == Some(1) && ended.stderr.starts_with("error: cannot fetch EMNIST: "));
}

#[test]
fn an_archive_that_is_kept_serves_the_other_sets_too() {
    let archive = Arc::new(archive());
    let server = server(&archive);
    let desk = desk(&archive, &server.url());
    let ended = desk.run("data fetch emnist-letters --keep-archive");
    assert!(
        ended.stderr.contains("gzip.zip (") && ended.stderr.contains(") is kept, for"),
        "{ended:?}"
    );
    for _ in 0..2 {
        desk.succeed("data fetch emnist-digits");
    }
    assert_eq!(desk.names("cache/emnist-digits"), names("digits"));
    assert_eq!(server.requests().len(), 1);
    let folder = format!("cache/archive-{}", &sha256(&archive)[..16]);
    assert_eq!(desk.names(&folder), ["gzip.zip"], "a fetch that finds it there leaves it there");
}

#[test]
fn an_archive_that_was_cut_is_resumed() {
    let archive = Arc::new(archive());
    let (half, shared) = (archive.len() / 2, Arc::clone(&archive));
    let cutting = Server::new(move |request, stream| serve_up_to(request, stream, &shared, half));
    let desk = desk(&archive, &cutting.url());
    let ended = desk.run("data fetch emnist-digits");
    assert!(ended.code == Some(1) && ended.stderr.lines().last().unwrap().starts_with("error: "));
    let server = server(&archive);
    write_catalogue(&desk, &archive, &server.url());
    desk.succeed("data fetch emnist-digits");
    assert_eq!(server.requests()[0].from, Some(half));
    assert_eq!(desk.names("cache"), ["emnist-digits"]);
}

#[test]
fn an_archive_that_lacks_the_set_or_is_another_is_refused() {
    let archive = Arc::new(archive());
    let server = server(&archive);
    let desk = desk(&archive, &server.url());
    let ended = desk.run("data fetch emnist-other --quiet");
    assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1), "{ended:?}");
    let problem = "gzip/emnist-other-train-images-idx3-ubyte.gz: it lacks gzip/emnist-other";
    assert!(ended.stderr.contains(problem), "{ended:?}");

    let mut other = archive.to_vec();
    other[50] ^= 1;
    write_catalogue(&desk, &other, &server.url());
    let ended = desk.run("data fetch emnist-letters --quiet");
    assert!(ended.code == Some(1) && ended.stderr.contains("SHA-256"), "{ended:?}");
    assert!(!desk.path("cache/emnist-letters").exists());
}
