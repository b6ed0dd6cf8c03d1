//! A run that is recorded: to its end, interrupted, and with something in its way.

use std::fs;
use std::ops::ControlFlow;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::data::generated::generate;
use crate::exec::engine::EngineOptions;
use crate::model::{Activation, Sequential};
use crate::report::Report;
use crate::train::{Epoch, NoObserver, ObserverError, Progress};

/// What a run needs, and a folder for it.
struct Desk {
    folder: TempDir,
    engine: Engine,
    data: Dataset,
    network: Network,
}

impl Desk {
    fn new() -> Self {
        let data = generate(0, 80, 20).unwrap();
        let layers = Sequential::new(data.shape()).dense(data.classes(), Activation::Softmax);
        let options = EngineOptions { threads: Some(1), ..EngineOptions::default() };
        Self {
            folder: TempDir::new().unwrap(),
            engine: Engine::new(options).unwrap(),
            network: Network::new(layers, 0).unwrap(),
            data,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A run of two epochs of four steps each, in the folder `run`.
    fn begin(&self) -> StartedRun<'_> {
        let options = FitOptions { epochs: 2, batch_size: 20, ..FitOptions::default() };
        let folder = self.path("run");
        RecordedRun::new(&self.engine, &self.data)
            .options(options)
            .folder(folder)
            .begin(self.network.clone())
            .unwrap()
    }
}

/// Takes its time after each epoch, and stops the run after a step or an epoch.
#[derive(Default)]
struct Watch {
    last_step: Option<(usize, usize)>,
    last_epoch: Option<usize>,
    pause: Duration,
}

impl Observer for Watch {
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        match self.last_step == Some((progress.epoch, progress.step)) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn on_epoch_end(
        &mut self,
        epoch: &Epoch,
        _: &Network,
    ) -> Result<ControlFlow<()>, ObserverError> {
        std::thread::sleep(self.pause);
        match self.last_epoch == Some(epoch.epoch) {
            true => Ok(ControlFlow::Break(())),
            false => Ok(ControlFlow::Continue(())),
        }
    }
}

#[test]
fn a_completed_run_is_tested_and_its_report_kept() {
    let desk = Desk::new();
    let folder = desk.path("run");
    let run = desk.begin();
    assert_eq!((run.folder(), run.config().train_images), (&*folder, 80));
    let mut watch = Watch { pause: Duration::from_millis(200), ..Watch::default() };
    let RunEnd::Completed(run) = run.train(&mut watch).unwrap() else { panic!("not completed") };
    assert_eq!((run.epochs().len(), run.best()), (2, None));
    assert!(!folder.join("report.json").exists());
    let report = run.test().unwrap();
    let network = run.network();
    // What the observer does after an epoch is no training.
    assert!(report.train_seconds + 0.4 <= report.total_seconds, "{report:?}");
    let kept: Report =
        serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap();
    assert_eq!(kept, report);
    assert_eq!(Network::load(folder.join(MODEL_FILE)).unwrap(), *network);
}

#[test]
fn an_interrupted_run_keeps_its_network_and_is_not_tested() {
    for (watch, position) in [
        (Watch { last_step: Some((1, 3)), ..Watch::default() }, (1, 3)),
        (Watch { last_epoch: Some(1), ..Watch::default() }, (1, 4)),
    ] {
        let desk = Desk::new();
        let mut watch = watch;
        match desk.begin().train(&mut watch).unwrap() {
            RunEnd::Interrupted { epoch, step, model } => {
                assert_eq!((epoch, step), position);
                let run = SavedRun::open(desk.path("run"), None).unwrap();
                let state = run.state().unwrap();
                assert_eq!(Network::load(model).unwrap(), *state.network());
                assert!(!run.is_complete());
                let run = run.resume(&desk.engine, &desk.data).unwrap();
                assert!(matches!(run.train(&mut NoObserver).unwrap(), RunEnd::Completed(_)));
            }
            RunEnd::Completed(_) => panic!("not interrupted"),
        }
        assert!(!desk.path("run/report.json").exists());
    }
}

#[test]
fn what_cannot_begin_leaves_the_earlier_run() {
    let desk = Desk::new();
    let RunEnd::Completed(run) = desk.begin().train(&mut NoObserver).unwrap() else {
        panic!("not completed")
    };
    run.test().unwrap();
    let run = RecordedRun::new(&desk.engine, &desk.data).folder(desk.path("run"));
    let options = FitOptions { weight_decay: f64::INFINITY, ..FitOptions::default() };
    let unsound = run.clone().options(options);
    assert!(unsound.begin(desk.network.clone()).is_err());
    let unlogged = run.step_log(desk.path("nowhere/steps.csv"));
    assert!(unlogged.begin(desk.network.clone()).is_err());
    assert!(desk.path("run/report.json").exists());
}
