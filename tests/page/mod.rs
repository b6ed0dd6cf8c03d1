//! `mnistry serve` while it runs, and requests to it, to the byte.

#![allow(dead_code, reason = "each test file uses some of this")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A server, which is killed when it is dropped.
pub(crate) struct Page {
    child: Child,
    pub(crate) port: u16,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// What was read until the server closed the connection.
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("the end of a head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

impl Page {
    /// Starts `command`, which is `mnistry serve --port 0` and more, and waits until it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let command = command.args(["--port", "0", "--json"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut page = Self { child, port: 0 };
        let mut lines = BufReader::new(page.child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.contains('}') {
            assert_ne!(lines.read_line(&mut text).unwrap(), 0, "it ended: {text}");
        }
        let address: Value = serde_json::from_str(&text).unwrap();
        let url = address["url"].as_str().unwrap().trim_end_matches('/');
        page.port = url.rsplit_once(':').unwrap().1.parse().unwrap();
        page
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// The answer to a request with these lines of a head, and `body`.
    pub(crate) fn ask(&self, request: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let mut head = format!("{request} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|header| header.starts_with("host:")) {
            head += &format!("host: localhost:{}\r\n", self.port);
        }
        if !headers.iter().any(|header| header.starts_with("content-length:")) {
            head += &format!("content-length: {}\r\n", body.len());
        }
        headers.iter().for_each(|header| head += &format!("{header}\r\n"));
        // A server that has heard enough may not take the rest.
        let sent = stream
            .write_all(format!("{head}\r\n").as_bytes())
            .and_then(|()| stream.write_all(body));
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        let ended: io::Result<()> = sent.and(read.map(drop));
        assert!(!bytes.is_empty(), "no answer to {request}: {ended:?}");
        Answer::parse(&bytes)
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask(&format!("GET {target}"), &[], &[])
    }

    pub(crate) fn post(&self, target: &str, body: &[u8]) -> Answer {
        self.ask(&format!("POST {target}"), &[], body)
    }

    /// The first event called `name` that fulfils `wanted`.
    pub(crate) fn event(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut stream = self.connect();
        let head = format!("GET /events HTTP/1.1\r\nhost: localhost:{}\r\n\r\n", self.port);
        stream.write_all(head.as_bytes()).unwrap();
        let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
        loop {
            let event = lines.find(|line| line.starts_with("event:")).expect("an event");
            let data = lines.next().expect("its data");
            let data = serde_json::from_str(data.strip_prefix("data:").unwrap()).unwrap();
            if event.strip_prefix("event:").unwrap().trim() == name && wanted(&data) {
                return data;
            }
        }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; gives the exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
