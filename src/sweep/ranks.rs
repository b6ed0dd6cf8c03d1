//! A sweep by several ranks: the first one hands tasks out to whoever is free, and keeps what comes of
//! them; the others know no folder.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::tasks::{Done, Task, TaskQueue};
use super::workforce::{Threads, Workforce};
use crate::ranks::{self, Ranks};
use crate::sync::lead_threads;

/// How long a rank listens to its own workers between two looks at what other ranks say.
const LISTENING: Duration = Duration::from_millis(1);

/// How often a rank says that it is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// What a rank says to the first one.
#[derive(Debug, Serialize, Deserialize)]
enum Report {
    /// A worker has nothing to do.
    Free { worker: usize },
    /// A task is done.
    Done(Box<Done>),
    /// One cannot be carried out.
    Failed(String),
    /// The rank was asked to stop.
    Stopped,
    /// It is there.
    Alive,
    /// It has heard that nothing is left to do, and says nothing more.
    Ended,
}

/// What the first rank says to another.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    /// A worker shall carry a task out.
    Task { worker: usize, task: Task },
    /// There is nothing left to do.
    End,
    /// The first rank is there.
    Alive,
}

/// A worker of another rank.
#[derive(Clone, Copy, Debug)]
struct Remote {
    rank: usize,
    worker: usize,
}

/// The workers of all ranks, as the first one has them work.
pub(super) struct AllRanks<'a> {
    ranks: &'a Ranks,
    own: Threads<'a>,
    /// Those of other ranks that have nothing to do.
    free: Vec<Remote>,
    life: SignsOfLife,
}

impl<'a> AllRanks<'a> {
    /// The workers of `ranks`, of which this is the first; its `own` are threads.
    pub(super) fn new(ranks: &'a Ranks, own: Threads<'a>) -> Self {
        let life = SignsOfLife::new(1..ranks.size());
        Self { ranks, own, free: Vec::new(), life }
    }

    /// Hands tasks out, and `keep`s what comes of them, until none is left.
    fn lead(
        &mut self,
        tasks: &TaskQueue,
        told: &Receiver<Result<Done>>,
        keep: &mut dyn FnMut(Done) -> Result<()>,
    ) -> Result<()> {
        // How many tasks other ranks have, and whether the workers of this one find more.
        let (mut away, mut is_working) = (0, true);
        loop {
            let stops = self.own.stop.load(Ordering::Relaxed);
            while !stops && let Some(&Remote { rank, worker }) = self.free.last() {
                let Some(task) = tasks.take() else { break };
                tell(self.ranks, rank, &Order::Task { worker, task: task? })?;
                self.free.pop();
                away += 1;
            }
            // What other ranks are at is given up where the sweep is to stop.
            if !is_working && (stops || away == 0) {
                return Ok(());
            }
            match told.recv_timeout(LISTENING) {
                Ok(done) => keep(done?)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    is_working = false;
                    std::thread::sleep(LISTENING);
                }
            }
            while let Some((rank, message)) = self.ranks.receive() {
                self.life.heard(rank);
                match read(&message)? {
                    Report::Free { worker } => self.free.push(Remote { rank, worker }),
                    Report::Done(done) => {
                        let run = done.result.run;
                        if !(1..=self.own.trainer.runs.len()).contains(&run) {
                            return Err(Error::NoSuchRun(run));
                        }
                        away -= 1;
                        keep(*done)?;
                    }
                    Report::Failed(problem) => {
                        return Err(ranks::Error::Rank { rank, problem }.into());
                    }
                    Report::Stopped => self.own.stop.store(true, Ordering::Relaxed),
                    Report::Alive | Report::Ended => {}
                }
            }
            if self.life.is_due() {
                tell_all(self.ranks, &Order::Alive)?;
            }
            self.life.check(self.ranks);
        }
    }
}

impl Workforce for AllRanks<'_> {
    fn carry_out(
        &mut self,
        tasks: &TaskQueue,
        keep: &mut dyn FnMut(Done) -> Result<()>,
    ) -> Result<()> {
        let own = self.own;
        own.lead(tasks, |told| self.lead(tasks, told, keep))
    }
}

impl Drop for AllRanks<'_> {
    /// Has all ranks end. What they found in the meantime is given up: it is done again by who goes on.
    fn drop(&mut self) {
        // Of an error that cannot be told another one is told.
        let _ = tell_all(self.ranks, &Order::End);
        let mut left = self.ranks.size() - 1;
        while left > 0 {
            match self.ranks.receive() {
                Some((rank, message)) => {
                    self.life.heard(rank);
                    left -= usize::from(matches!(read(&message), Ok(Report::Ended)));
                }
                None => std::thread::sleep(LISTENING),
            }
            self.life.check(self.ranks);
        }
    }
}

/// The workers of a rank that is not the first: they carry out what that one hands out, until it says
/// that nothing is left. Whether the networks that come of it are wanted, `keeps` says.
///
/// # Errors
/// When a task cannot be carried out, or the first rank not be understood.
pub(super) fn follow(ranks: &Ranks, own: Threads<'_>, keeps: bool) -> Result<()> {
    let (report, reports) = channel();
    let (desks, works): (Vec<_>, Vec<_>) = own
        .engines
        .iter()
        .enumerate()
        .map(|(worker, engine)| {
            let (desk, tasks) = sync_channel(1);
            let report = report.clone();
            let work = move || {
                let _panics = PanicReport(report.clone());
                // Whoever is told that it is free has a task for it, or ends.
                while report.send(Report::Free { worker }).is_ok()
                    && let Ok(task) = tasks.recv()
                {
                    let found = match own.trainer.carry_out(engine, own.make, &task) {
                        Ok(Some(done)) => {
                            let model = done.model.filter(|_| keeps);
                            Report::Done(Box::new(Done { model, ..done }))
                        }
                        Ok(None) => Report::Stopped,
                        Err(error) => Report::Failed(error.to_string()),
                    };
                    if report.send(found).is_err() {
                        return;
                    }
                }
            };
            (desk, work)
        })
        .unzip();
    drop(report);
    let lead = || {
        let ended = pass_on(ranks, &reports, &desks, own.stop);
        own.stop.store(true, Ordering::Relaxed);
        drop((desks, reports));
        ended
    };
    match lead_threads(works, lead) {
        Ok(ended) => ended,
        Err(error) => {
            // There is nobody to report it but this thread, which waits for the end all the same.
            let error = Error::Thread(error);
            tell(ranks, 0, &Report::Failed(error.to_string()))?;
            pass_on(ranks, &channel().1, &[], own.stop)?;
            Err(error)
        }
    }
}

/// Reports a worker that panics.
struct PanicReport(Sender<Report>);

impl Drop for PanicReport {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.send(Report::Failed("a worker panicked".into()));
        }
    }
}

/// Passes on to the first rank what the workers report, and to them at their `desks` what that one
/// orders, until it says that nothing is left.
fn pass_on(
    ranks: &Ranks,
    reports: &Receiver<Report>,
    desks: &[SyncSender<Task>],
    stop: &AtomicBool,
) -> Result<()> {
    let mut life = SignsOfLife::new(0..1);
    let (mut failed, mut has_said) = (None, false);
    loop {
        match reports.recv_timeout(LISTENING) {
            Ok(report) => {
                if let Report::Failed(problem) = &report {
                    failed = Some(ranks::Error::Local(problem.clone()));
                }
                tell(ranks, 0, &report)?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LISTENING),
        }
        if stop.load(Ordering::Relaxed) && !std::mem::replace(&mut has_said, true) {
            tell(ranks, 0, &Report::Stopped)?;
        }
        while let Some((_, message)) = ranks.receive() {
            life.heard(0);
            match read(&message)? {
                Order::Task { worker, task } => {
                    // It is free, and takes it at once.
                    let _ = desks.get(worker).map(|desk| desk.send(task));
                }
                Order::End => {
                    tell(ranks, 0, &Report::Ended)?;
                    return failed.map_or(Ok(()), |failed| Err(failed.into()));
                }
                Order::Alive => {}
            }
        }
        if life.is_due() {
            tell(ranks, 0, &Report::Alive)?;
        }
        life.check(ranks);
    }
}

/// When other ranks were last heard of, and this one last spoke.
#[derive(Debug)]
struct SignsOfLife {
    heard: Vec<(usize, Instant)>,
    spoke: Instant,
}

impl SignsOfLife {
    /// Of these ranks.
    fn new(ranks: std::ops::Range<usize>) -> Self {
        let now = Instant::now();
        Self { heard: ranks.map(|rank| (rank, now)).collect(), spoke: now }
    }

    /// Rank `rank` has said something.
    fn heard(&mut self, rank: usize) {
        if let Some((_, last)) = self.heard.iter_mut().find(|(of, _)| *of == rank) {
            *last = Instant::now();
        }
    }

    /// Whether this rank should say something.
    fn is_due(&mut self) -> bool {
        let due = self.spoke.elapsed() > SIGN_OF_LIFE;
        if due {
            self.spoke = Instant::now();
        }
        due
    }

    /// Ends the job where a rank was not heard of for too long.
    fn check(&self, ranks: &Ranks) {
        if let Some((rank, last)) = self.heard.iter().min_by_key(|(_, last)| *last) {
            ranks.check_silence(*rank, last.elapsed());
        }
    }
}

/// Says `message` to rank `to`.
fn tell(ranks: &Ranks, to: usize, message: &impl Serialize) -> Result<()> {
    let bytes = postcard::to_stdvec(message).map_err(|error| Error::Message(error.to_string()))?;
    ranks.send(to, &bytes);
    Ok(())
}

/// Says `message` to all others.
fn tell_all(ranks: &Ranks, message: &Order) -> Result<()> {
    (1..ranks.size()).try_for_each(|rank| tell(ranks, rank, message))
}

fn read<T: DeserializeOwned>(message: &[u8]) -> Result<T> {
    postcard::from_bytes(message).map_err(|error| Error::Message(error.to_string()))
}
