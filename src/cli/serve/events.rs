//! What the page is told while it is open, by server-sent events: of the runs when they change, of
//! those in progress a few times a second.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures_util::stream::{Stream, unfold};
use serde::Serialize;
use tokio::sync::{Notify, watch};

use super::runs::{LiveRun, Runs, Snapshot};
use super::site::Site;

/// How often the runs are looked at while a page is open.
const EVERY: Duration = Duration::from_millis(400);
/// How often a page is told that there is nothing new, by which it is noticed that it was closed.
const NOTHING_NEW: Duration = Duration::from_secs(10);

/// What all pages are told.
#[derive(Default)]
pub(super) struct Board {
    snapshot: watch::Sender<Snapshot>,
    /// Someone came to read.
    came: Notify,
}

/// Looks at the runs of `site` for ever, while anyone wants to know.
pub(super) async fn look(site: Arc<Site>) {
    let mut runs = Runs::default();
    loop {
        if site.board.snapshot.receiver_count() == 0 {
            site.board.came.notified().await;
        }
        let looking = Arc::clone(&site);
        let looked = tokio::task::spawn_blocking(move || {
            let snapshot = runs.look(&looking.place, looking.own.as_ref());
            (runs, snapshot)
        });
        // Where a look ends in a panic, the next begins anew.
        let (again, snapshot) = looked.await.unwrap_or_default();
        runs = again;
        site.board.snapshot.send_if_modified(|known| {
            let is_new = *known != snapshot;
            *known = snapshot;
            is_new
        });
        tokio::time::sleep(EVERY).await;
    }
}

/// The curves of a run.
#[derive(Serialize)]
struct Curves<'a> {
    name: &'a str,
    html: &'a str,
}

/// A page that is told.
struct Reader {
    snapshot: watch::Receiver<Snapshot>,
    /// What it was told last.
    told: Snapshot,
    /// What is to be said next.
    next: Vec<Event>,
}

/// `GET /events`: what there is, and what is new.
pub(super) async fn events(
    State(site): State<Arc<Site>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut snapshot = site.board.snapshot.subscribe();
    // What was seen last, which is looked at anew.
    snapshot.mark_changed();
    site.board.came.notify_one();
    let reader = Reader { snapshot, told: Snapshot::default(), next: Vec::new() };
    Sse::new(unfold(reader, |mut reader| async move {
        let event = reader.event().await?;
        Some((Ok(event), reader))
    }))
}

impl Reader {
    /// The next event; `None` when the server ends.
    async fn event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.next.pop() {
                return Some(event);
            }
            match tokio::time::timeout(NOTHING_NEW, self.snapshot.changed()).await {
                Err(_) => return Some(Event::default().comment("")),
                Ok(changed) => changed.ok()?,
            }
            let snapshot = self.snapshot.borrow_and_update().clone();
            self.next = self.news(&snapshot);
            self.told = snapshot;
        }
    }

    /// What is new in `snapshot`, the last first.
    fn news(&self, snapshot: &Snapshot) -> Vec<Event> {
        let mut news = Vec::new();
        if snapshot.overview != self.told.overview
            && let Some(overview) = &snapshot.overview
        {
            news.extend(event("overview", &**overview));
        }
        if snapshot.live != self.told.live || snapshot.overview != self.told.overview {
            news.extend(event("live", &*snapshot.live));
        }
        let known = |run: &LiveRun| {
            let told = self.told.live.iter().find(|told| told.name == run.name);
            told.is_some_and(|told| told.curves == run.curves)
        };
        for run in snapshot.live.iter().filter(|run| !known(run)) {
            news.extend(event("curves", &Curves { name: &run.name, html: &run.curves }));
        }
        news.reverse();
        news
    }
}

/// The event called `name` with `value` as JSON; a value of ours can be said as that.
fn event(name: &str, value: &impl Serialize) -> Option<Event> {
    let json = serde_json::to_string(value).ok()?;
    Some(Event::default().event(name).data(json))
}
