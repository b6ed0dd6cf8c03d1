//! What is answered to which request.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use mnistry::data::Bytes;
use mnistry::report::{PAGE_FILE, RunRecord, RunStatus, comparison_page, run_page};
use mnistry::{Engine, Network};
use tokio::sync::Semaphore;

use super::events::{self, Board};
use super::guard::guard;
use super::models::Models;
use super::place::{Named, Place};
use super::refusal::Refusal;
use super::runs::OwnRun;
use super::{corrections, drawing};

/// The most bytes of a report.
const MOST_BYTES: u64 = 32 << 20;
/// So many large pictures are held at once.
const MOST_LARGE: usize = 4;
/// So many runs are compared at most.
const MOST_COMPARED: usize = 100;

/// What a report may load: nothing but what is in it.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                             base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The parts of the page: where, of which type, and what.
const PARTS: [(&str, &str, &str); 7] = [
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    (
        "/style.css",
        "text/css; charset=utf-8",
        concat!(include_str!("../../report/html/style.css"), include_str!("page/style.css")),
    ),
    ("/page.js", "text/javascript; charset=utf-8", include_str!("page/page.js")),
    ("/canvas.js", "text/javascript; charset=utf-8", include_str!("page/canvas.js")),
    ("/dom.js", "text/javascript; charset=utf-8", include_str!("page/dom.js")),
    ("/draw.js", "text/javascript; charset=utf-8", include_str!("page/draw.js")),
    ("/runs.js", "text/javascript; charset=utf-8", include_str!("page/runs.js")),
];

/// What is served.
pub(super) struct Site {
    pub(super) place: Place,
    /// The folder that corrections are saved in.
    pub(super) corrections: PathBuf,
    pub(super) engine: Engine,
    /// The run that this process trains.
    pub(super) own: Option<OwnRun>,
    pub(super) board: Board,
    models: Models,
    /// One picture is read at a time: what it needs of memory is needed once.
    turn: Arc<Semaphore>,
    /// Large pictures that may still come.
    pub(super) large: Arc<Semaphore>,
}

impl Site {
    pub(super) fn new(
        place: Place,
        corrections: PathBuf,
        engine: Engine,
        own: Option<OwnRun>,
    ) -> Self {
        let (board, models) = (Board::default(), Models::default());
        let (turn, large) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(MOST_LARGE)));
        Self { place, corrections, engine, own, board, models, turn, large }
    }

    /// All that is answered by a server that listens at `address`. Begins to look at the runs.
    pub(super) fn router(self: Arc<Self>, address: IpAddr) -> Router {
        tokio::spawn(events::look(Arc::clone(&self)));
        let mut router = Router::new();
        for (path, kind, text) in PARTS {
            router = router.route(path, get(move || async move { ([(CONTENT_TYPE, kind)], text) }));
        }
        router
            .route("/read", post(drawing::read))
            .route("/corrections", post(corrections::save))
            .route("/events", get(events::events))
            .route("/runs/{name}", get(report))
            .route("/compare", get(comparison))
            .fallback(async || Refusal::not_found("there is no such page"))
            .with_state(self)
            .layer(from_fn_with_state(address, guard))
    }

    /// The network called `name`.
    ///
    /// # Errors
    /// When there is none, or its file holds something else.
    pub(super) fn network(&self, name: &str) -> Result<Arc<Network>, Refusal> {
        self.models.named(&self.place, name)
    }

    /// The run called `name`.
    ///
    /// # Errors
    /// When there is none.
    fn run(&self, name: &str) -> Result<Named, Refusal> {
        let run = self.place.runs().into_iter().find(|run| run.name == name);
        run.ok_or_else(|| Refusal::not_found(format!("there is no run {name}")))
    }

    /// What `work` does, beside the thread that answers, one after the other.
    pub(super) async fn work<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(Refusal::failed)?;
        let done = tokio::task::spawn_blocking(move || {
            // Until it is done, though who asked may have gone.
            let _turn = turn;
            work(&self)
        });
        done.await.map_err(Refusal::failed)?
    }
}

/// `GET /runs/NAME`: the report that the run left, or what there is of one that is not complete.
async fn report(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let page = site.work(move |site| {
        let folder = site.run(&name)?.path;
        let file = folder.join(PAGE_FILE);
        let record = RunRecord::read(&folder).map_err(Refusal::unusable)?;
        // Not of an earlier time, nor what a link in the folder leads to elsewhere.
        let is_its_own = file.symlink_metadata().is_ok_and(|found| found.is_file());
        if record.status == RunStatus::Complete && is_its_own {
            return Ok(Bytes::read(&file, MOST_BYTES).map_err(Refusal::failed)?.to_vec());
        }
        Ok(run_page(&record, None).map_err(Refusal::failed)?.into_bytes())
    });
    Ok(as_report(page.await?))
}

/// `GET /compare?run=NAME&run=NAME`: several runs together.
async fn comparison(
    State(site): State<Arc<Site>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(query) = query?;
    let page = site.work(move |site| {
        let names = query.iter().filter(|(key, _)| key == "run").take(MOST_COMPARED);
        let record = |(_, name): &(String, String)| {
            RunRecord::read(site.run(name)?.path).map_err(Refusal::unusable)
        };
        let records = names.map(record).collect::<Result<Vec<_>, _>>()?;
        if records.is_empty() {
            return Err(Refusal::not_found("no run is named"));
        }
        comparison_page(&records).map_err(Refusal::failed)
    });
    Ok(as_report(page.await?.into_bytes()))
}

fn as_report(page: Vec<u8>) -> Response {
    let policy = HeaderValue::from_static(REPORT_POLICY);
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, policy)], page).into_response()
}
