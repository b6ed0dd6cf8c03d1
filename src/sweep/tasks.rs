//! What a worker of a sweep does at a time, and what comes of it: plain data, so that the worker may be
//! a thread or another process.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use super::error::Result;
use super::results::ResultRow;
use super::states::StateFiles;

/// A run, or the part of one between two epochs, with the tests after it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Task {
    /// The number of the run, from 1: the plan has its settings, its seed and its fold.
    pub(super) run: usize,
    /// Where the run goes on from: a [`State`](crate::train::State) as the bytes of its file; its
    /// start where it is `None`.
    pub(super) state: Option<Vec<u8>>,
    /// The epoch that it ends with; its last one where it is `None`.
    pub(super) until: Option<usize>,
}

/// A task that is done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) result: ResultRow,
    /// What `model.safetensors` of such a run holds; none where there is no network.
    pub(super) model: Option<Vec<u8>>,
    /// Where the run can go on from, as a task has it; none where its training is over.
    pub(super) state: Option<Vec<u8>>,
}

/// Tasks, which are taken one after the other by whoever is free.
#[derive(Debug, Default)]
pub(super) struct TaskQueue {
    tasks: Vec<Task>,
    next: AtomicUsize,
    /// Where their states are read from when they are taken: all at once would be much.
    states: Option<StateFiles>,
}

impl Task {
    /// All of run `run`.
    pub(super) fn whole(run: usize) -> Self {
        Self { run, state: None, until: None }
    }
}

impl TaskQueue {
    pub(super) fn new(tasks: Vec<Task>) -> Self {
        Self { tasks, ..Self::default() }
    }

    /// The same, each going on from the state of its run, if that is among `states`.
    pub(super) fn going_on_from(self, states: StateFiles) -> Self {
        Self { states: Some(states), ..self }
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// The next one, if any is left.
    ///
    /// # Errors
    /// When its state cannot be read.
    pub(super) fn take(&self) -> Option<Result<Task>> {
        let task = self.tasks.get(self.next.fetch_add(1, Ordering::Relaxed))?;
        let state = match &self.states {
            Some(states) => states.read(task.run),
            None => Ok(None),
        };
        Some(state.map(|state| Task { state, ..*task }))
    }
}
