//! A small data set as a publisher has it, in two editions, and the catalogue that lists it.

#![allow(dead_code, reason = "each test file uses some of this")]

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::CompressionMethod;

use crate::program::{Desk, writers};
use crate::server::{Request, Server, not_found, serve};

/// The published files, by name.
pub(crate) struct Publisher {
    files: BTreeMap<String, Vec<u8>>,
}

impl Publisher {
    /// Images of noise, which cannot be compressed: the archive has some 250,000 bytes.
    pub(crate) fn new() -> Self {
        let mut state = 1_u32;
        let mut noise = |count: usize| -> Vec<u8> {
            let next = |_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            (0..count).map(next).collect()
        };
        let labels = |count: usize| (0..count).map(|image| (image % 10) as u8).collect();
        let arrays = [
            (vec![300, 28, 28], noise(300 * 784)),
            (vec![300], labels(300)),
            (vec![20, 28, 28], noise(20 * 784)),
            (vec![20], labels(20)),
        ];
        let archive = writers::npz(&writers::members(&arrays), CompressionMethod::DEFLATE);
        let names = writers::FILES.iter().map(|name| format!("{name}.gz"));
        let mut files: BTreeMap<_, _> =
            names.zip(arrays.iter().map(|array| writers::gzip(&writers::idx(array)))).collect();
        files.insert("mnist.npz".into(), archive);
        Self { files }
    }

    /// The file that is meant by the path of an address.
    pub(crate) fn file(&self, target: &str) -> Option<&[u8]> {
        self.files.get(target.rsplit('/').next()?).map(Vec::as_slice)
    }

    pub(crate) fn archive(&self) -> &[u8] {
        &self.files["mnist.npz"]
    }

    /// The catalogue with hosts for the archive and hosts for the other files.
    pub(crate) fn catalogue(&self, archive: &[&str], others: &[&str]) -> Value {
        let (npz, idx): (Vec<_>, _) =
            self.files.iter().map(entry).partition(|file| file["name"] == "mnist.npz");
        json!({
            "mnist": { "title": "MNIST", "editions": [
                { "hosts": archive, "files": npz },
                { "hosts": others, "files": idx },
            ]}
        })
    }

    pub(crate) fn sha256(&self) -> String {
        sha256(self.archive())
    }
}

fn entry((name, bytes): (&String, &Vec<u8>)) -> Value {
    json!({ "name": name, "bytes": bytes.len(), "sha256": sha256(bytes) })
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A server that has all published files.
pub(crate) fn good(publisher: &Arc<Publisher>) -> Server {
    let publisher = Arc::clone(publisher);
    Server::new(move |request, stream| match publisher.file(&request.target) {
        Some(file) => serve(request, stream, file),
        None => not_found(stream),
    })
}

/// A server that does to each request for the archive as `answer` does, which is also given how
/// many requests came before, and that has nothing else.
pub(crate) fn archive_server<F>(publisher: &Arc<Publisher>, answer: F) -> Server
where
    F: Fn(usize, &Request, &mut TcpStream, &[u8]) -> std::io::Result<()> + Send + Sync + 'static,
{
    let (publisher, count) = (Arc::clone(publisher), AtomicUsize::new(0));
    Server::new(move |request, stream| {
        if !request.target.ends_with(".npz") {
            return not_found(stream);
        }
        answer(count.fetch_add(1, Ordering::Relaxed), request, stream, publisher.archive())
    })
}

/// A desk whose catalogue has the archive at `server`, and nothing anywhere else.
pub(crate) fn desk_of(publisher: &Publisher, server: &Server) -> Desk {
    let desk = Desk::new();
    desk.write_catalogue(&publisher.catalogue(&[&server.url()], &[]));
    desk
}

/// The first byte that was wanted, request after request.
pub(crate) fn froms(server: &Server) -> Vec<Option<usize>> {
    server.requests().iter().map(|request| request.from).collect()
}
