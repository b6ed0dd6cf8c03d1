//! `mnistry serve`: what it answers, and what it refuses.
#![cfg(all(unix, feature = "serve"))]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use mnistry::image::{ImageShape, Raster};
use page::Page;
use program::{Desk, running::Running};
use rustix::process::Signal;
use serde_json::{Value, json};

mod page;
mod program;

const TRAIN: &str = "train --quiet --hidden 32 --epochs 3 --threads 2";

/// A desk with a network that reads generated digits, in `runs/1`.
fn trained() -> Desk {
    let desk = Desk::new();
    desk.write_digits("digits", 3000, 100);
    desk.succeed(&format!("{TRAIN} --data digits"));
    desk
}

/// A generated digit on white paper, as a PNG file, and which it is.
fn drawn() -> (Vec<u8>, u8) {
    let digits = mnistry::data::generated::generate(7, 10, 10).unwrap();
    let mut paper = Raster::blank(ImageShape { height: 300, width: 450 });
    paper.pixels_mut().fill(255);
    for row in 0..224 {
        for column in 0..224 {
            let ink = digits.test.image(0)[row / 8 * 28 + column / 8];
            paper.pixels_mut()[(row + 30) * 450 + column + 100] = 255 - ink;
        }
    }
    (paper.to_png().unwrap(), digits.test.labels()[0])
}

#[test]
fn what_is_drawn_is_read_as_predict_reads_it() {
    let desk = trained();
    let (picture, digit) = drawn();
    fs::write(desk.path("drawn.png"), &picture).unwrap();
    let page = Page::start(desk.command("serve"));
    let answer = page.post("/read?model=1", &picture).json();
    assert_eq!(answer["text"], digit.to_string());
    let predicted: Value =
        serde_json::from_str(&desk.succeed("predict runs/1 drawn.png --json")).unwrap();
    let bars = answer["digits"][0]["bars"].as_array().unwrap();
    let probabilities: Vec<_> = bars.iter().map(|bar| bar["probability"].clone()).collect();
    assert_eq!(json!(probabilities), predicted[0]["probabilities"]);
    assert_eq!(answer["digits"][0]["is_unsure"], predicted[0]["unsure"]);
    let image = answer["digits"][0]["image"].as_str().unwrap();
    assert!(image.starts_with("data:image/png;base64,"), "{image}");
}

#[test]
fn paper_without_a_digit_is_no_failure() {
    let desk = trained();
    let page = Page::start(desk.command("serve runs/1/model.safetensors"));
    let mut paper = Raster::blank(ImageShape { height: 300, width: 450 });
    paper.pixels_mut().fill(255);
    let answer = page.post("/read?model=model.safetensors", &paper.to_png().unwrap());
    assert_eq!((answer.status, &answer.json()["digits"]), (200, &json!([])));
    assert!(answer.json()["problem"].is_string());
}

#[test]
fn corrections_are_a_data_set() {
    let desk = trained();
    let (picture, digit) = drawn();
    let page = Page::start(desk.command("serve --corrections put/right"));
    for number in 1..=4 {
        let target = format!("/corrections?model=1&digit=0&label={digit}");
        let saved = page.post(&target, &picture).json();
        assert_eq!(saved["file"], format!("put/right/{digit}/{number:05}.png"));
    }
    let other = u8::from(digit == 0);
    for _ in 0..4 {
        page.post(&format!("/corrections?model=1&digit=0&label={other}"), &picture);
    }
    for (target, why) in [
        ("digit=1&label=4", "no such digit"),
        ("digit=0&label=11", "no class 11"),
        ("digit=0&label=..", "no class .."),
        ("digit=0&label=4%2F..%2F..", "no class 4/../.."),
    ] {
        let refused = page.post(&format!("/corrections?model=1&{target}"), &picture);
        assert_eq!(refused.status, 422, "{target}");
        assert!(refused.error().contains(why), "{}", refused.error());
    }
    assert_eq!(desk.names("put"), ["right"]);
    assert_eq!(desk.names("put/right").len(), 2);
    let trained =
        desk.succeed(&format!("{TRAIN} --data put/right --init runs/1/model.safetensors --json"));
    assert!(trained.contains("\"accuracy\""), "{trained}");
}

#[test]
fn runs_are_listed_with_their_reports() {
    let desk = trained();
    desk.succeed(&format!("{TRAIN} --data data"));
    fs::create_dir(desk.path("runs/3")).unwrap();
    fs::write(desk.path("runs/3/config.json"), "{").unwrap();
    fs::create_dir(desk.path("runs/no run")).unwrap();
    fs::remove_file(desk.path("runs/2/report.html")).unwrap();
    let page = Page::start(desk.command("serve"));
    let overview = page.event("overview", |_| true);
    let runs = overview["runs"].as_array().unwrap();
    let said: Vec<_> = runs.iter().map(|run| [&run["name"], &run["status"]]).collect();
    assert_eq!(json!(said), json!([["1", "complete"], ["2", "complete"], ["3", "damaged"]]));
    assert_eq!(overview["default_model"], "2");
    let report = page.get("/runs/1");
    assert_eq!((report.status, report.body), (200, desk.bytes("runs/1/report.html")));
    let made = page.get("/runs/2");
    assert!(made.status == 200 && String::from_utf8(made.body).unwrap().contains("</html>"));
    assert_eq!(page.get("/runs/3").status, 422);
    let both = page.get("/compare?run=1&run=2");
    assert!(both.status == 200 && String::from_utf8(both.body).unwrap().contains("2 runs"));
    assert_eq!(page.get("/compare").status, 404);
}

#[test]
fn a_run_in_progress_is_shown_live() {
    let desk = Desk::new();
    desk.write_digits("digits", 3000, 100);
    fs::create_dir(desk.path("runs")).unwrap();
    let page = Page::start(desk.command("serve"));
    assert_eq!(page.event("overview", |_| true)["runs"], json!([]));
    let long = "train --data digits --epochs 100000 --run-dir runs/long";
    let training = Running::start(desk.command(long)).until("epoch 2");
    let live = page.event("live", |live| live[0]["epochs"].as_u64() >= Some(2));
    assert_eq!((&live[0]["name"], &live[0]["of_epochs"]), (&json!("long"), &json!(100_000)));
    for number in ["images_per_second", "seconds_left", "loss", "accuracy"] {
        assert!(live[0][number].as_f64().unwrap() > 0.0, "{number}: {live}");
    }
    let curves = page.event("curves", |_| true);
    assert!(curves["html"].as_str().unwrap().contains("<svg "), "{curves}");
    training.send(Signal::INT);
    training.end();
    let overview = page.event("overview", |overview| overview["runs"][0]["status"] != "running");
    assert_eq!(overview["runs"][0]["status"], "interrupted");
}

#[test]
fn other_pages_and_other_names_are_refused() {
    let desk = trained();
    let page = Page::start(desk.command("serve"));
    let port = page.port;
    assert_eq!(page.get("/").status, 200);
    for host in ["example.com", &format!("example.com:{port}"), "192.168.0.1", "localhost.evil.org"]
    {
        let refused = page.ask("GET /events", &[&format!("host: {host}")], &[]);
        assert_eq!(refused.status, 403, "{host}");
        assert!(refused.head.contains("content-security-policy: default-src 'none'"));
    }
    for origin in ["http://example.com", "null", "http://localhost:1"] {
        let origin = format!("origin: {origin}");
        assert_eq!(page.ask("POST /read?model=1", &[&origin], b"x").status, 403, "{origin}");
    }
    let own = format!("origin: http://localhost:{port}");
    assert_eq!(page.ask("POST /read?model=1", &[&own], b"x").status, 422);
}

#[test]
fn nothing_but_runs_is_served() {
    let desk = trained();
    fs::write(desk.path("secret"), "what nobody may read").unwrap();
    fs::create_dir(desk.path("runs/9")).unwrap();
    fs::copy(desk.path("runs/1/config.json"), desk.path("runs/9/config.json")).unwrap();
    fs::copy(desk.path("runs/1/history.csv"), desk.path("runs/9/history.csv")).unwrap();
    std::os::unix::fs::symlink(desk.path("secret"), desk.path("runs/9/report.html")).unwrap();
    let page = Page::start(desk.command("serve"));
    let linked = page.get("/runs/9");
    assert_eq!(linked.status, 200);
    assert!(!String::from_utf8_lossy(&linked.body).contains("what nobody may read"));
    for path in [
        "/runs/../secret",
        "/runs/..%2fsecret",
        "/runs/%2e%2e/secret",
        "/runs/..%5csecret",
        "/runs/%2e%2e%2fsecret",
        "/runs/..%252fsecret",
        "/runs//etc/passwd",
        "/runs/%2fetc%2fpasswd",
        "/../secret",
        "/..%2fsecret",
        "/runs/1%00",
        "/runs/1/../../secret",
        "/runs/.",
        "/runs/..",
        "/runs/%ff",
        "/compare?run=../secret",
    ] {
        let answer = page.get(path);
        assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
    }
    for model in ["..%2fruns%2f1", "%2e%2e", "", "1%2f", "/etc/passwd"] {
        assert_eq!(page.post(&format!("/read?model={model}"), b"x").status, 404, "{model}");
    }
}

#[test]
fn what_is_too_much_is_refused_and_the_page_goes_on() {
    let desk = trained();
    let (picture, digit) = drawn();
    let page = Page::start(desk.command("serve"));
    let read = json!(digit.to_string());
    let is_well = || page.post("/read?model=1", &picture).json()["text"] == read;
    assert!(is_well());

    // A body that says how long it is, and one that does not and never ends.
    let long = page.ask("POST /read?model=1", &["content-length: 1073741824"], &[0; 1 << 16]);
    assert_eq!(long.status, 413);
    let mut stream = page.connect();
    let head =
        "POST /read?model=1 HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [b"100000\r\n", &[0; 1 << 20][..], b"\r\n"].concat();
    let sent = (0..1024).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!(sent < 200, "{sent} MiB were taken");
    assert!(is_well());

    // A small file with a great picture.
    let bomb = bomb();
    assert!(bomb.len() < 1 << 20);
    assert_eq!(page.post("/read?model=1", &bomb).status, 422);
    assert_eq!(page.post("/read?model=1", b"{\"no\": picture").status, 422);
    assert_eq!(page.post("/read", &picture).status, 400);
    assert_eq!(page.post("/read?model=7", &picture).status, 404);
    assert_eq!(page.get("/read?model=1").status, 405);
    assert_eq!(page.get("/nothing").status, 404);

    // Heads that are too long.
    let header = format!("x: {}", "y".repeat(1 << 20));
    assert_eq!(page.ask("GET /", &[&header], &[]).status, 431);
    let headers: Vec<_> = (0..1000).map(|number| format!("x{number}: y")).collect();
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    assert_eq!(page.ask("GET /", &headers, &[]).status, 431);
    assert!(is_well());
}

/// A PNG file of 40,000 × 40,000 black pixels, or what begins as one.
fn bomb() -> Vec<u8> {
    let side = 40_000_u32.to_be_bytes();
    let header = [b"IHDR", &side[..], &side, &[8, 0, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    file.extend(&header);
    file.extend(crc32fast::hash(&header).to_be_bytes());
    file.extend([0; 1 << 10]);
    file
}

/// How many kB of memory the server has, where the system says it.
fn memory(page: &Page) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", page.process())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().split(' ').next()?.parse().ok()
}

fn assert_grew_by_at_most(most: u64, before: Option<u64>, page: &Page) {
    if let (Some(before), Some(after)) = (before, memory(page)) {
        assert!(after < before + most, "{before} kB, then {after} kB");
    }
}

#[test]
fn large_pictures_wait_for_each_other() {
    let desk = trained();
    let (picture, digit) = drawn();
    let page = Page::start(desk.command("serve"));
    let read = json!(digit.to_string());
    let is_well = || page.post("/read?model=1", &picture).json()["text"] == read;
    assert!(is_well());
    let before = memory(&page);
    let portion = vec![7; 1 << 20];
    let begin = |size: usize| {
        let mut stream = page.connect();
        stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        let head = "POST /read?model=1 HTTP/1.1\r\nhost: localhost\r\ncontent-length:";
        stream.write_all(format!("{head} {size}\r\n\r\n").as_bytes()).unwrap();
        stream
    };
    // Those that never end, of which some are taken and the others wait.
    let mut open: Vec<_> = (0..20).map(|_| begin(30 << 20)).collect();
    for stream in &mut open {
        let _ = (0..29).take_while(|_| stream.write_all(&portion).is_ok()).count();
    }
    assert!(is_well());
    assert_grew_by_at_most(200_000, before, &page);
    drop(open);
    // Those whose senders go while they are read.
    let noise = Raster::new(
        ImageShape { height: 3000, width: 3000 },
        (0..9_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
    );
    let large = noise.unwrap().to_png().unwrap();
    for _ in 0..8 {
        let mut stream = begin(large.len());
        stream.set_write_timeout(None).unwrap();
        stream.write_all(&large).unwrap();
    }
    assert!(is_well());
    assert_grew_by_at_most(500_000, before, &page);
}

#[test]
fn slow_connections_keep_nobody_out() {
    let desk = trained();
    let page = Page::start(desk.command("serve"));
    let before = memory(&page);
    // As many at once as this process may have open; those that the server closes make room.
    let mut open = std::collections::VecDeque::new();
    for _ in 0..10_000 {
        let mut stream = page.connect();
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: lo");
        open.push_back(stream);
        if open.len() > 400 {
            open.pop_front();
        }
    }
    let asked = Instant::now();
    assert_eq!(page.get("/").status, 200);
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_grew_by_at_most(64_000, before, &page);
}

#[test]
fn it_ends_when_it_is_asked_to() {
    let desk = trained();
    for signal in [Signal::INT, Signal::TERM] {
        let page = Page::start(desk.command("serve"));
        // A page that listens is no reason to stay.
        let mut stream = page.connect();
        stream.write_all(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        assert_ne!(stream.read(&mut [0; 64]).unwrap(), 0);
        page.send(signal);
        let asked = Instant::now();
        assert_eq!(page.end(), Some(0));
        assert!(asked.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn where_it_cannot_listen_is_one_line() {
    let desk = trained();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let ended = desk.run(&format!("serve --port {}", address.port()));
    assert_eq!(ended.code, Some(1));
    let start = format!("error: cannot listen at {address}: ");
    assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("--port takes another port, 0 any that is free\n"));
    assert_eq!(ended.stderr.lines().count(), 1);

    let ended = desk.run("serve elsewhere --port 0");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("error: cannot serve elsewhere: "), "{}", ended.stderr);
    fs::write(desk.path("digits.onnx"), "a graph").unwrap();
    let ended = desk.run("serve digits.onnx --port 0");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    let start = "error: digits.onnx: holds ONNX, by its name: import it first";
    assert!(ended.stderr.starts_with(start), "{}", ended.stderr);
    let ended = desk.run("serve --port 70000");
    assert_eq!(ended.code, Some(2));
}
