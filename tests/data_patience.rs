//! Downloads from servers that keep their clients waiting: each is left after a while.
#![cfg(feature = "download")]

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use mnistry::data::Cache;
use mnistry::data::download::{Catalogue, Downloader, Event, Patience};
use serde_json::json;
use server::{Server, head};
use tempfile::TempDir;

mod server;

const PATIENCE: Patience = Patience {
    answer: Duration::from_millis(300),
    silence: Duration::from_millis(700),
    stall: Duration::from_millis(300),
    least: 16 << 10,
    total: Duration::from_secs(3),
};

/// A file of 100,000 bytes that `hosts` should have.
fn fetch(hosts: &[&str]) -> (String, Duration) {
    fetch_with(PATIENCE, hosts)
}

fn fetch_with(patience: Patience, hosts: &[&str]) -> (String, Duration) {
    let folder = TempDir::new().unwrap();
    let catalogue = json!({ "set": { "title": "Set", "editions": [{
        "hosts": hosts,
        "files": [{ "name": "set.npz", "bytes": 100_000, "sha256": "" }],
    }]}});
    let catalogue = Catalogue::parse(catalogue.to_string().as_bytes(), Path::new("list")).unwrap();
    let cache = Cache::at(folder.path());
    let downloader = Downloader { catalogue, cache, mirror: None, keep_archives: false, patience };
    let begun = Instant::now();
    let error = downloader.fetch("set", &mut |_: Event<'_>| {}).unwrap_err();
    (error.to_string(), begun.elapsed())
}

fn assert_is_left(hosts: &[&str], causes: &str) {
    let (error, elapsed) = fetch(hosts);
    let expected = format!("cannot fetch Set: {causes}; try again later, or another mirror");
    assert_eq!(error, expected);
    assert!(elapsed < Duration::from_secs(4), "{elapsed:?}");
}

fn host(server: &Server) -> String {
    server.url().trim_start_matches("http://").trim_end_matches('/').into()
}

#[test]
fn a_server_that_never_answers() {
    let server = Server::new(|_, _| {
        thread::sleep(Duration::from_secs(60));
        Ok(())
    });
    assert_is_left(&[&server.url()], &format!("{}: no answer within 0.3 s", host(&server)));
}

#[test]
fn a_server_that_stops_in_the_middle() {
    let server = Server::new(|_, stream| {
        head(stream, "200 OK", "Content-Length: 100000\r\n")?;
        stream.write_all(&[0; 40_000])?;
        thread::sleep(Duration::from_secs(60));
        Ok(())
    });
    // It is asked for the rest once more, and takes that for a wish for all.
    let causes = format!("{}set.npz: stalled after 40000 of 100000 bytes", server.url());
    assert_is_left(&[&server.url()], &causes);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_server_that_sends_a_byte_now_and_then() {
    let server = Server::new(|_, stream| {
        head(stream, "200 OK", "Content-Length: 100000\r\n")?;
        loop {
            stream.write_all(&[0])?;
            thread::sleep(Duration::from_millis(20));
        }
    });
    let (error, elapsed) = fetch(&[&server.url()]);
    assert!(error.contains("set.npz: stalled after "), "{error}");
    assert!(elapsed < Duration::from_secs(6), "{elapsed:?}");
}

#[test]
fn a_server_that_is_slow_but_goes_on_is_waited_for() {
    let server = Server::new(|_, stream| {
        head(stream, "200 OK", "Content-Length: 100000\r\n")?;
        for _ in 0..10 {
            stream.write_all(&[0; 10_000])?;
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    });
    let (error, elapsed) = fetch(&[&server.url()]);
    assert!(error.contains("it is not what was published: "), "all of it came: {error}");
    assert!(elapsed > PATIENCE.stall * 2);
}

/// On Linux, a full queue of connections drops what else comes, as networks without a way do.
#[test]
#[cfg(target_os = "linux")]
fn packets_that_are_dropped() {
    use std::net::TcpStream;

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(100));
    let waiting: Vec<_> = std::iter::from_fn(|| connect().ok()).collect();
    assert_is_left(&[&format!("http://{address}/")], &format!("{address}: no answer within 0.3 s"));
    drop(waiting);
}

#[test]
fn hosts_that_do_not_answer_are_not_all_waited_for() {
    let silent = [(); 5].map(|()| {
        Server::new(|_, _| {
            thread::sleep(Duration::from_secs(60));
            Ok(())
        })
    });
    let urls = silent.each_ref().map(Server::url);
    let (error, elapsed) = fetch(&urls.each_ref().map(String::as_str));
    assert_eq!(error.matches("no answer within 0.3 s").count(), 3, "{error}");
    assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
}

/// Too little comes, though something does before each connection would count as stalled.
#[test]
fn a_server_that_sends_too_little_is_left_and_not_asked_again() {
    let server = Server::new(|_, stream| {
        head(stream, "200 OK", "Content-Length: 100000\r\n")?;
        loop {
            stream.write_all(&[0; 1000])?;
            thread::sleep(Duration::from_millis(100));
        }
    });
    let (error, elapsed) = fetch(&[&server.url()]);
    assert!(error.contains("set.npz: stalled after "), "{error}");
    assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_download_is_over_after_its_time_however_well_it_goes() {
    let server = Server::new(|_, stream| {
        head(stream, "200 OK", "Content-Length: 100000\r\n")?;
        for _ in 0..50 {
            stream.write_all(&[0; 2000])?;
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    });
    let patience = Patience { least: 1, total: Duration::from_millis(500), ..PATIENCE };
    let url = server.url();
    // Another name of the same server, which is no longer asked.
    let (error, elapsed) = fetch_with(patience, &[&url, &url.replace("127.0.0.1", "localhost")]);
    assert!(error.contains(" of 100000 bytes were there after 0.5 s, too late"), "{error}");
    assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
    assert_eq!(server.requests().len(), 1);
}

/// A server whose connections are cut after one new byte each moves, but not for ever.
#[test]
fn a_server_that_is_asked_for_each_byte_is_left() {
    let server = Server::new(|request, stream| {
        let start = request.from.unwrap_or(0);
        let range = format!("Content-Range: bytes {start}-99999/100000\r\n");
        let status = if start == 0 { "200 OK" } else { "206 Partial Content" };
        head(stream, status, &format!("{range}Content-Length: {}\r\n", 100_000 - start))?;
        stream.write_all(&[0])
    });
    let (error, elapsed) = fetch(&[&server.url()]);
    assert!(error.contains("set.npz: stalled after "), "{error}");
    assert!(elapsed < Duration::from_secs(4), "{elapsed:?}");
}

/// A redirection that `write` follows with a body of its own, which is not to be read.
fn redirection_with(write: fn(&mut std::net::TcpStream) -> std::io::Result<()>) -> Server {
    Server::new(move |request, stream| {
        if request.target.starts_with("/to/") {
            head(stream, "200 OK", "Content-Length: 100000\r\n")?;
            return stream.write_all(&[0; 100_000]);
        }
        head(stream, "302 Found", "Location: to/set.npz\r\n")?;
        write(stream)
    })
}

#[test]
fn bodies_of_redirections_are_not_waited_for() {
    let endless = redirection_with(|stream| {
        loop {
            stream.write_all(&[0; 10_000])?;
        }
    });
    let dripping = redirection_with(|stream| {
        loop {
            stream.write_all(&[0])?;
            thread::sleep(Duration::from_millis(20));
        }
    });
    let silent = redirection_with(|_| {
        thread::sleep(Duration::from_secs(60));
        Ok(())
    });
    for server in [endless, dripping, silent] {
        let (error, elapsed) = fetch(&[&server.url()]);
        assert!(error.contains("it is not what was published: "), "all of it came: {error}");
        assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
        let targets: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
        assert_eq!(targets, ["/set.npz", "/to/set.npz"]);
    }
}

#[test]
fn redirections_that_each_take_their_time_are_left() {
    let server = Server::new(|request, stream| {
        thread::sleep(Duration::from_millis(250));
        head(stream, "307 Temporary Redirect", &format!("Location: {}x\r\n", request.target))
    });
    let (error, elapsed) = fetch(&[&server.url()]);
    assert!(error.contains(": no answer within "), "{error}");
    assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
}

#[test]
fn a_head_that_drips_is_left() {
    let server = Server::new(|_, stream| {
        stream.write_all(b"HTTP/1.1 302 Found\r\nX: ")?;
        loop {
            stream.write_all(b"x")?;
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert_is_left(&[&server.url()], &format!("{}: no answer within 0.3 s", host(&server)));
}
