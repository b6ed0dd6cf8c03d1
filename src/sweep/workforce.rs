//! Who carries out the tasks of a sweep.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::error::{Error, Result};
use super::job::MakeJob;
use super::tasks::{Done, TaskQueue};
use super::trainer::Trainer;
use crate::exec::engine::Engine;
use crate::sync::lead_threads;

/// Who carries out tasks. What comes of one does not depend on who that is.
pub(super) trait Workforce {
    /// Has `tasks` carried out, in any order, and hands what comes of each to `keep`, on the thread
    /// that calls. It ends early when the sweep is asked to stop.
    ///
    /// # Errors
    /// When a task cannot be carried out, or `keep` fails. What was handed over before is kept.
    fn carry_out(
        &mut self,
        tasks: &TaskQueue,
        keep: &mut dyn FnMut(Done) -> Result<()>,
    ) -> Result<()>;
}

/// Threads of this process, each with an engine.
#[derive(Clone, Copy)]
pub(super) struct Threads<'a> {
    pub(super) engines: &'a [Engine],
    pub(super) trainer: &'a Trainer<'a>,
    pub(super) make: &'a MakeJob<'a>,
    /// Asks all of them to stop.
    pub(super) stop: &'a AtomicBool,
}

impl Workforce for Threads<'_> {
    fn carry_out(
        &mut self,
        tasks: &TaskQueue,
        keep: &mut dyn FnMut(Done) -> Result<()>,
    ) -> Result<()> {
        self.lead(tasks, |told| told.iter().try_for_each(|done| keep(done?)))
    }
}

impl Threads<'_> {
    /// Has the threads carry out `tasks`, while this one does `listen` to what comes of them.
    pub(super) fn lead(
        self,
        tasks: &TaskQueue,
        listen: impl FnOnce(&Receiver<Result<Done>>) -> Result<()>,
    ) -> Result<()> {
        // A worker that is ahead waits until what it found is kept.
        let (tell, told) = sync_channel(self.engines.len());
        let works = self.engines.iter().map(|engine| {
            let tell = tell.clone();
            move || self.work(engine, tasks, &tell)
        });
        let works: Vec<_> = works.collect();
        drop(tell);
        let lead = || {
            let kept = listen(&told);
            if kept.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            // Nobody waits for a listener who has left.
            drop(told);
            kept
        };
        lead_threads(works, lead).map_err(Error::Thread)?
    }

    /// Carries out one of `tasks` after the other.
    fn work(&self, engine: &Engine, tasks: &TaskQueue, tell: &SyncSender<Result<Done>>) {
        while !self.stop.load(Ordering::Relaxed) {
            let Some(task) = tasks.take() else { return };
            let done = task.and_then(|task| self.trainer.carry_out(engine, self.make, &task));
            let Some(done) = done.transpose() else { return };
            if tell.send(done).is_err() {
                return;
            }
        }
    }
}
