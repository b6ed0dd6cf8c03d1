//! Who may connect: a bounded number at once, each for so long as it uses the connection.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::site::Site;
use crate::cli::CommandError;

/// So many connections are open at once.
const MOST_CONNECTIONS: usize = 256;
/// So long may the head of a request take.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// So many headers may a request have,
const MOST_HEADERS: usize = 64;
/// and so many bytes at once in memory of a request.
const BUFFER: usize = 16 << 10;
/// Threads that read pictures and files, so that the others need not wait.
const THREADS: usize = 4;
/// How often it is looked whether the server is to end,
const LOOK: Duration = Duration::from_millis(50);
/// and so long may what is in work take then.
const END_WITHIN: Duration = Duration::from_secs(1);

/// A socket that listens.
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// One at port `port` of `host`, or at any port where that is 0.
    ///
    /// # Errors
    /// When that is not to be had.
    pub(super) fn at(host: IpAddr, port: u16) -> Result<Self, CommandError> {
        let refused =
            |source| CommandError::Listen { address: SocketAddr::new(host, port), source };
        let socket = TcpListener::bind((host, port)).map_err(refused)?;
        socket.set_nonblocking(true).map_err(refused)?;
        let address = socket.local_addr().map_err(refused)?;
        Ok(Self { socket, address })
    }

    /// The port that it listens at.
    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Where a browser on this machine finds the page.
    pub(super) fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}/")
    }

    /// Serves `site` until `stop` is set.
    ///
    /// # Errors
    /// When the system grants no more than the socket.
    pub(super) fn serve(self, site: Arc<Site>, stop: &AtomicBool) -> Result<(), CommandError> {
        let refused = |source| CommandError::Listen { address: self.address, source };
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime =
            runtime.enable_all().max_blocking_threads(THREADS).thread_name("mnistry-page");
        let runtime = runtime.build().map_err(refused)?;
        let served = runtime.block_on(async {
            let socket = tokio::net::TcpListener::from_std(self.socket)?;
            let router = site.router(self.address.ip());
            tokio::select! {
                () = accept(socket, router) => {}
                () = told(stop) => {}
            }
            Ok(())
        });
        runtime.shutdown_timeout(END_WITHIN);
        served.map_err(refused)
    }
}

/// Returns when `stop` is set.
async fn told(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Takes whoever connects to `socket`, for ever.
async fn accept(socket: tokio::net::TcpListener, router: Router) {
    let connections = Arc::new(Connections::default());
    loop {
        match socket.accept().await {
            Ok((stream, _)) => connections.add(stream, router.clone()),
            Err(error) if is_of_peer(&error) => {}
            // Too many files are open.
            Err(_) => {
                connections.end_idlest();
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

/// Whether who wanted to connect gave up.
fn is_of_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    [ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted].contains(&error.kind())
}

/// The connections that are open.
#[derive(Default)]
struct Connections {
    /// Counts connections and requests.
    clock: AtomicU64,
    open: Mutex<HashMap<u64, Connection>>,
}

struct Connection {
    /// When its last request came; 0 where none has yet.
    used: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Connections {
    /// Answers what is asked over `stream`. Where there are too many, the connection is closed that
    /// has asked for nothing for the longest time: slow ones do not keep others out.
    fn add(self: &Arc<Self>, stream: TcpStream, router: Router) {
        if self.open().len() >= MOST_CONNECTIONS {
            self.end_idlest();
        }
        let number = self.now();
        let used = Arc::new(AtomicU64::new(0));
        let answer = self.answer(stream, router, Arc::clone(&used));
        let all = Arc::clone(self);
        // Before the task can end: it begins when this thread waits next.
        let task = tokio::spawn(async move {
            answer.await;
            all.open().remove(&number);
        });
        self.open().insert(number, Connection { used, task: task.abort_handle() });
    }

    /// What answers requests over `stream`, and notes in `used` when they came.
    fn answer(
        self: &Arc<Self>,
        stream: TcpStream,
        router: Router,
        used: Arc<AtomicU64>,
    ) -> impl Future<Output = ()> + use<> {
        let (all, site) = (Arc::clone(self), TowerToHyperService::new(router));
        let service = service_fn(move |request| {
            used.store(all.now(), Ordering::Relaxed);
            site.call(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
        http.max_headers(MOST_HEADERS).max_buf_size(BUFFER);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        // How it ended is the matter of who connected.
        async move { drop(connection.await) }
    }

    /// Closes the connection that has asked for nothing for the longest time, those first that never
    /// did.
    fn end_idlest(&self) {
        let mut open = self.open();
        let age = |(&number, connection): (&u64, &Connection)| {
            (connection.used.load(Ordering::Relaxed), number)
        };
        if let Some((_, number)) = open.iter().map(age).min()
            && let Some(connection) = open.remove(&number)
        {
            connection.task.abort();
        }
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Only ever inserted to and removed from, so that it is sound whatever a thread did that panicked.
    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
