//! A run whose network is trained: its test and its report.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::config::RunConfig;
use super::folder::RunFolder;
#[cfg(feature = "html")]
use super::record::RunRecord;
use crate::data::Dataset;
use crate::exec::engine::Engine;
use crate::measure::{Machine, share_of_peak};
use crate::model::Network;
use crate::ranks::Ranks;
use crate::report::error::Result;
#[cfg(feature = "html")]
use crate::report::html::{RunPictures, run_page};
use crate::report::{Report, TestReport, UntilAccuracy, peak_memory_bytes, tensorboard};
use crate::train::{Epoch, State, TeamUse};

/// A [`RecordedRun`](super::RecordedRun) whose network is trained, and not tested yet. It is being
/// saved: when it is tested, or dropped, it is on the disk.
#[derive(Debug)]
pub struct TrainedRun<'a> {
    pub(super) engine: &'a Engine,
    pub(super) dataset: &'a Dataset,
    pub(super) started: Instant,
    pub(super) state: State,
    pub(super) folder: RunFolder,
    pub(super) config: RunConfig,
    /// Whether it was trained in one go, so that `train_seconds` are those of its validation too.
    pub(super) since_start: bool,
    pub(super) train_seconds: f64,
    pub(super) teams: Vec<TeamUse>,
}

impl TrainedRun<'_> {
    /// Its epochs.
    #[must_use]
    pub fn epochs(&self) -> &[Epoch] {
        self.state.epochs()
    }

    /// Where the network is not that of the last epoch, the one that it is of: the epoch of the
    /// lowest validation loss.
    #[must_use]
    pub fn best(&self) -> Option<usize> {
        self.state.restored().map(|(epoch, _)| epoch)
    }

    /// The trained network.
    #[must_use]
    pub fn network(&self) -> &Network {
        self.state.result()
    }

    /// The folder that keeps the run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its network is, which is waited for.
    ///
    /// # Errors
    /// When it could not be saved.
    pub fn model_path(&self) -> Result<PathBuf> {
        self.folder.settle()?;
        Ok(self.folder.model_path())
    }

    /// Tests the network on the data set's test images, and completes the folder with
    /// `report.json`, `confusion_matrix.csv` and, by the feature `html`, `report.html`.
    ///
    /// # Errors
    /// When the test loss is not a finite number, a file cannot be written, or the engine is asked to
    /// stop: the run can then be gone on with, to be tested.
    pub fn test(&self) -> Result<Report> {
        let Self { engine, dataset, state, config, .. } = self;
        let network = state.result();
        let test =
            TestReport::new(engine.evaluate(network, &dataset.test)?, &network.names_of_classes())?;
        if let Some(place) = &config.tensorboard {
            let epoch = state.restored().map_or(state.epochs().len(), |(epoch, _)| epoch);
            tensorboard::add_test(place, epoch, &test)?;
        }
        let samples = config.train_images * state.epochs().len();
        let samples_per_second = samples as f64 / self.train_seconds;
        let ranks = engine.ranks().map(Ranks::size);
        let report = Report {
            dataset: dataset.name.clone(),
            model: network.architecture().to_string(),
            parameters: network.parameter_count(),
            threads: engine.training_threads(),
            ranks,
            teams: self.teams.clone(),
            isa: engine.isa().name().into(),
            machine: Some(Machine::this()),
            train_seconds: self.train_seconds,
            total_seconds: self.started.elapsed().as_secs_f64(),
            samples_per_second,
            // Of other machines it is not known.
            of_peak: ranks
                .is_none()
                .then(|| share_of_peak(engine, network.architecture(), samples_per_second)),
            peak_memory_bytes: peak_memory_bytes(),
            history: state.epochs().to_vec(),
            until_accuracy: UntilAccuracy::of(
                state,
                self.since_start.then_some(self.train_seconds),
            ),
            test,
        };
        let page = self.page(&report);
        self.folder.finish(&report, page.as_ref().ok().and_then(Option::as_deref))?;
        // What was trained and tested is kept, whatever became of its page.
        page?;
        Ok(report)
    }

    /// The report as a web page.
    #[cfg(feature = "html")]
    fn page(&self, report: &Report) -> Result<Option<String>> {
        let Self { engine, dataset, state, config, folder, .. } = self;
        let record = RunRecord::completed(folder.path(), config, report);
        let pictures = RunPictures::new(engine, state.result(), dataset, &record)?;
        run_page(&record, Some(&pictures)).map(Some)
    }

    #[cfg(not(feature = "html"))]
    #[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "as with the feature")]
    fn page(&self, _: &Report) -> Result<Option<String>> {
        Ok(None)
    }
}
