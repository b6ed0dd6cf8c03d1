//! What the runs of a folder say of themselves, and how far those are that are in progress.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use mnistry::report::{Error, RunRecord, RunStatus, curves};
use mnistry::train::Epoch;
use serde::Serialize;

use super::live::Told;
use super::place::{Named, Place};

/// So many runs are listed, the last ones.
const MOST_RUNS: usize = 1000;

/// The pace of a run is that of so many epochs, the last ones.
const EPOCHS_OF_PACE: usize = 3;

/// The run that this process trains.
pub(super) struct OwnRun {
    pub(super) folder: PathBuf,
    pub(super) told: Told,
}

/// What was read of the runs.
#[derive(Default)]
pub(super) struct Runs {
    known: HashMap<PathBuf, Known>,
    /// Those that cannot be read, since when, and why.
    damaged: HashMap<PathBuf, (Instant, String)>,
}

/// How long it takes until one that cannot be read is tried again.
const AGAIN: Duration = Duration::from_secs(10);

struct Known {
    record: RunRecord,
    curves: Arc<str>,
}

/// What the page shows of all runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Overview {
    /// The folder, as it was named.
    place: String,
    runs: Vec<RunEntry>,
    /// How many earlier ones are not listed.
    more_runs: usize,
    models: Vec<ModelEntry>,
    /// The model that reads if no other is chosen.
    default_model: Option<String>,
}

/// A run in the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct RunEntry {
    name: String,
    status: Status,
    network: String,
    dataset: String,
    epochs: usize,
    of_epochs: usize,
    test_accuracy: Option<f64>,
    test_loss: Option<f64>,
    train_seconds: Option<f64>,
    /// Why it cannot be shown.
    problem: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Running,
    Complete,
    Interrupted,
    Damaged,
}

/// A model in the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ModelEntry {
    name: String,
    /// What it is, where that is known.
    about: String,
}

/// A run that is in progress.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct LiveRun {
    pub(super) name: String,
    /// The epochs that are complete,
    epochs: usize,
    of_epochs: usize,
    /// and the share of all that is done, from 0 to 1.
    share: f64,
    images_per_second: Option<f64>,
    seconds_left: Option<f64>,
    /// The mean over the epoch that is in progress, where that is known, else over the last one.
    loss: Option<f64>,
    accuracy: Option<f64>,
    #[serde(skip)]
    pub(super) curves: Arc<str>,
}

/// All that the page is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Snapshot {
    pub(super) overview: Option<Arc<Overview>>,
    pub(super) live: Arc<Vec<LiveRun>>,
}

impl Runs {
    /// What there is at `place` now; `own` is the run that this process trains.
    pub(super) fn look(&mut self, place: &Place, own: Option<&OwnRun>) -> Snapshot {
        let mut found = place.runs();
        let models = place.models(&found);
        let more_runs = found.len().saturating_sub(MOST_RUNS);
        found.drain(..more_runs);
        self.known.retain(|path, _| found.iter().any(|run| run.path == *path));
        self.damaged.retain(|path, _| found.iter().any(|run| run.path == *path));
        let mut live = Vec::new();
        let mut entries = Vec::new();
        for run in found {
            entries.push(match self.record(&run) {
                Ok(known) => {
                    if known.record.status == RunStatus::Running {
                        live.push(LiveRun::new(&run.name, known, own));
                    }
                    RunEntry::new(run.name, &known.record)
                }
                Err(problem) => RunEntry::damaged(run.name, problem),
            });
        }
        let models: Vec<_> = models.into_iter().map(|model| model.name).collect();
        let is_complete =
            |entry: &&RunEntry| entry.status == Status::Complete && models.contains(&entry.name);
        let last = entries.iter().rev().find(is_complete).map(|entry| entry.name.clone());
        let default_model = last.or_else(|| models.last().cloned());
        let models = models.into_iter().map(|name| ModelEntry::new(name, &entries)).collect();
        let place = place.path().display().to_string();
        let overview = Overview { place, runs: entries, more_runs, models, default_model };
        Snapshot { overview: Some(Arc::new(overview)), live: Arc::new(live) }
    }

    /// What `run` says of itself, read anew if that changed.
    fn record(&mut self, run: &Named) -> Result<&Known, String> {
        if let Some((_, problem)) =
            self.damaged.get(&run.path).filter(|(tried, _)| tried.elapsed() < AGAIN)
        {
            return Err(problem.clone());
        }
        self.damaged.remove(&run.path);
        let known = self.known.remove(&run.path).filter(|known| known.record.is_current());
        let read = || {
            let record = RunRecord::read(&run.path)?;
            let curves = match record.status {
                RunStatus::Running => curves(&record)?.into(),
                RunStatus::Complete | RunStatus::Interrupted => "".into(),
            };
            Ok(Known { record, curves })
        };
        let known = known.map_or_else(read, Ok).map_err(|error: Error| {
            let problem = error.to_string();
            self.damaged.insert(run.path.clone(), (Instant::now(), problem.clone()));
            problem
        })?;
        Ok(self.known.entry(run.path.clone()).insert_entry(known).into_mut())
    }
}

impl RunEntry {
    fn new(name: String, record: &RunRecord) -> Self {
        let RunRecord { config, epochs, report, status, .. } = record;
        let of_epochs = config.fit.epochs;
        Self {
            name,
            status: match status {
                RunStatus::Running => Status::Running,
                RunStatus::Complete => Status::Complete,
                RunStatus::Interrupted => Status::Interrupted,
            },
            network: config.architecture.to_string(),
            dataset: config.dataset.clone(),
            epochs: epochs.len(),
            of_epochs,
            test_accuracy: report.as_ref().map(|report| report.test.accuracy),
            test_loss: report.as_ref().map(|report| report.test.loss),
            train_seconds: report.as_ref().map(|report| report.train_seconds),
            problem: None,
        }
    }

    fn damaged(name: String, problem: String) -> Self {
        Self {
            name,
            status: Status::Damaged,
            network: String::new(),
            dataset: String::new(),
            epochs: 0,
            of_epochs: 0,
            test_accuracy: None,
            test_loss: None,
            train_seconds: None,
            problem: Some(problem),
        }
    }
}

impl ModelEntry {
    /// The model called `name`, with what its run says.
    fn new(name: String, runs: &[RunEntry]) -> Self {
        let about = match runs.iter().find(|run| run.name == name) {
            Some(RunEntry { network, dataset, test_accuracy: Some(accuracy), .. }) => {
                format!("{network} on {dataset}, {:.2} %", 100.0 * accuracy)
            }
            Some(RunEntry { network, dataset, problem: None, .. }) => {
                format!("{network} on {dataset}, not tested")
            }
            _ => String::new(),
        };
        Self { name, about }
    }
}

impl LiveRun {
    fn new(name: &str, known: &Known, own: Option<&OwnRun>) -> Self {
        let RunRecord { folder, config, epochs, .. } = &known.record;
        let own = own.filter(|own| own.folder == *folder);
        let pace = own.and_then(|own| *own.told.lock().unwrap_or_else(PoisonError::into_inner));
        let (of_epochs, samples) = (config.fit.epochs, config.train_images as f64);
        let last = epochs.last();
        let live = Self {
            name: name.to_owned(),
            epochs: epochs.len(),
            of_epochs,
            share: epochs.len() as f64 / of_epochs.max(1) as f64,
            images_per_second: last.map(|epoch| samples / epoch.seconds),
            seconds_left: None,
            loss: last.map(|epoch| epoch.loss),
            accuracy: last.map(|epoch| epoch.accuracy),
            curves: Arc::clone(&known.curves),
        };
        if let Some(pace) = pace {
            let done = (pace.progress.epoch - 1) as f64 * samples + pace.progress.samples as f64;
            let all = of_epochs as f64 * samples;
            return Self {
                share: (done / all).clamp(0.0, 1.0),
                images_per_second: Some(pace.rate),
                seconds_left: Some((all - done).max(0.0) / pace.rate),
                loss: Some(pace.progress.epoch_loss),
                accuracy: Some(pace.progress.epoch_accuracy),
                ..live
            };
        }
        live.estimated(&known.record)
    }

    /// The same of a run of another process, as far as its epochs tell: as if the one that is in
    /// progress took as long as the last ones.
    fn estimated(self, record: &RunRecord) -> Self {
        let last = &record.epochs[record.epochs.len().saturating_sub(EPOCHS_OF_PACE)..];
        let mean = last.iter().map(|epoch: &Epoch| epoch.seconds).sum::<f64>() / last.len() as f64;
        let since = record.last_epoch.and_then(|end| SystemTime::now().duration_since(end).ok());
        let Some(since) = since.filter(|_| mean > 0.0) else { return self };
        let begun = (since.as_secs_f64() / mean).min(1.0);
        let left = (self.of_epochs.saturating_sub(self.epochs) as f64 - begun).max(0.0);
        Self {
            share: (1.0 - left / self.of_epochs.max(1) as f64).clamp(0.0, 1.0),
            seconds_left: Some(left * mean),
            ..self
        }
    }
}
