//! A web server on the loopback address that does to each request what a test says.

#![allow(dead_code, reason = "each test file uses some of this")]

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// The first byte that is wanted, where not all are.
    pub(crate) from: Option<usize>,
}

/// A server that runs until the test process ends.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// A server that answers each request, on a thread of its own, as `answer` does; what cannot
    /// be written, as the client has gone, is not written.
    pub(crate) fn new<F>(answer: F) -> Self
    where
        F: Fn(&Request, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), requests: Arc::default() };
        let (requests, answer) = (Arc::clone(&server.requests), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
                thread::spawn(move || -> io::Result<()> {
                    let mut stream = stream?;
                    while let Some(request) = read_request(&stream)? {
                        requests.lock().unwrap().push(request.clone());
                        answer(&request, &mut stream)?;
                        if request.method != "CONNECT" {
                            break;
                        }
                    }
                    Ok(())
                });
            }
        });
        server
    }

    /// The address of its root folder.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut lines = BufReader::new(stream).lines();
    let Some(first) = lines.next().transpose()? else { return Ok(None) };
    let mut words = first.split(' ').map(str::to_owned);
    let mut request = Request {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        from: None,
    };
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            request.from = range.trim_end_matches('-').parse().ok();
        }
    }
    Ok(Some(request))
}

/// Writes a status line and headers.
pub(crate) fn head(stream: &mut TcpStream, status: &str, headers: &str) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n")
}

/// Answers `request` with `file`, or the part of it that is wanted, as a good server does.
pub(crate) fn serve(request: &Request, stream: &mut TcpStream, file: &[u8]) -> io::Result<()> {
    serve_up_to(request, stream, file, file.len())
}

/// As [`serve`], but sends no byte from number `end` on.
pub(crate) fn serve_up_to(
    request: &Request,
    stream: &mut TcpStream,
    file: &[u8],
    end: usize,
) -> io::Result<()> {
    let len = file.len();
    let start = request.from.unwrap_or(0);
    if start >= len {
        return head(stream, "416 Range Not Satisfiable", "Content-Length: 0\r\n");
    }
    match request.from {
        None => head(stream, "200 OK", &format!("Content-Length: {len}\r\n"))?,
        Some(start) => {
            let range = format!("Content-Range: bytes {start}-{}/{len}\r\n", len - 1);
            let length = format!("Content-Length: {}\r\n", len - start);
            head(stream, "206 Partial Content", &(range + &length))?;
        }
    }
    stream.write_all(&file[start..end.max(start)])
}

/// Answers with 404.
pub(crate) fn not_found(stream: &mut TcpStream) -> io::Result<()> {
    head(stream, "404 Not Found", "Content-Length: 0\r\n")
}
