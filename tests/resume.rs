//! A run that is stopped at any step, kept on disk, and gone on with by other threads and another
//! instruction set, once or many times, ends as one that was never stopped: the same bytes of the
//! network, the same history but for the seconds.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mnistry::data::Dataset;
use mnistry::data::generated::generate;
use mnistry::image::{ImageShape, RandomAffine};
use mnistry::simd::Isa;
use mnistry::train::{
    ClassWeights, Epoch, Error, LrDecay, LrSchedule, Observer, ObserverError, Progress, State,
};
use mnistry::{
    Activation, Adam, Engine, EngineOptions, FitOptions, Network, NoObserver, Optimizer,
    Sequential, Sgd, Split,
};
use proptest::prelude::*;

const SHAPE: ImageShape = ImageShape { height: 28, width: 28 };

/// A kind of run.
#[derive(Clone, Debug)]
struct Kind {
    layers: Sequential,
    options: FitOptions,
}

fn kinds() -> Vec<Kind> {
    let mlp = Sequential::new(SHAPE).dense(20, Activation::Relu).dense(10, Activation::Sigmoid);
    let plain = FitOptions { epochs: 3, batch_size: 16, ..FitOptions::default() };
    let augmentation = RandomAffine { shift: 2.0, rotation: 10.0, scale: 0.1 };
    let sgd = Optimizer::Sgd(Sgd { learning_rate: 0.05, momentum: 0.9 });
    let cosine = LrSchedule { warm_up: 0.5, decay: LrDecay::Cosine };
    let one_cycle = LrSchedule { warm_up: 0.0, decay: LrDecay::OneCycle };
    let validated = FitOptions { validation_split: 0.3, ..plain };
    let class_weights = Some(ClassWeights::Balanced);
    // So high a rate that the validation loss rises, and the patience is at an end.
    let reckless = Optimizer::Adam(Adam { learning_rate: 0.3, ..Adam::default() });
    [
        (mlp.clone(), plain),
        (mlp.clone(), FitOptions { optimizer: sgd, schedule: cosine, ..validated }),
        (mlp.clone(), FitOptions { schedule: one_cycle, until_accuracy: Some(0.4), ..validated }),
        (mlp, FitOptions { epochs: 8, optimizer: reckless, patience: Some(2), ..validated }),
        (Sequential::lenet5(SHAPE, 10), FitOptions { epochs: 2, class_weights, ..plain }),
        (
            Sequential::cnn(SHAPE, 10),
            FitOptions { epochs: 2, augmentation, optimizer: sgd, schedule: cosine, ..validated },
        ),
    ]
    .map(|(layers, options)| Kind { layers, options })
    .into()
}

fn digits() -> Split {
    let Dataset { train, .. } = generate(0, 75, 10).expect("enough images");
    train
}

impl Kind {
    fn begin(&self) -> State {
        let network = Network::new(self.layers.clone(), 1).expect("it checks");
        State::new(network, self.options)
    }

    /// Where a run ends that is never stopped.
    fn end(&self, data: &Split) -> State {
        let mut state = self.begin();
        engine(0).fit_from(&mut state, data, &mut NoObserver).expect("it learns");
        assert!(state.is_complete());
        state
    }
}

/// One of the engines that there are, all of which compute the same.
fn engine(choice: usize) -> Engine {
    let isas: Vec<Isa> = Isa::available().into_iter().filter(|isa| isa.is_fused()).collect();
    let isa = isas.get(choice % isas.len().max(1)).copied();
    let threads = Some(1 + choice % 3);
    Engine::new(EngineOptions { isa, threads, ..EngineOptions::default() }).expect("threads")
}

/// What must be equal of two runs: all but the seconds.
fn essence(state: &State) -> (Vec<Epoch>, Network, Network, Option<(usize, Network)>) {
    let epochs = state.epochs().iter().map(|epoch| Epoch { seconds: 0.0, ..*epoch }).collect();
    let best = state.best().map(|(epoch, network)| (epoch, network.clone()));
    (epochs, state.network().clone(), state.result().clone(), best)
}

/// Stops a run after so many steps, by its answer or by the engine's flag, and keeps every so
/// manieth state.
struct Stopper<'a> {
    left: usize,
    flag: Option<Arc<AtomicBool>>,
    checkpoints: Option<&'a Path>,
    steps: usize,
}

impl Observer for Stopper<'_> {
    fn on_step_end(&mut self, _: &Progress) -> ControlFlow<()> {
        self.steps += 1;
        self.left = self.left.saturating_sub(1);
        match (self.left, &self.flag) {
            (0, None) => ControlFlow::Break(()),
            (0, Some(flag)) => {
                flag.store(true, Ordering::Relaxed);
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn is_checkpoint_due(&mut self) -> bool {
        self.checkpoints.is_some() && self.steps % 2 == 1
    }

    fn on_checkpoint(&mut self, state: &State) -> Result<(), ObserverError> {
        if let Some(path) = self.checkpoints {
            state.save(path)?;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_that_is_stopped_and_gone_on_with_ends_as_if_it_had_not_been(
        kind in prop::sample::select(kinds()),
        stops in prop::collection::vec((1_usize..9, any::<bool>(), 0_usize..12), 1..5),
    ) {
        let data = digits();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("checkpoint.safetensors");
        let mut state = kind.begin();
        for (left, by_flag, choice) in stops {
            let engine = engine(choice);
            let flag = by_flag.then(|| engine.stop_flag());
            let mut stopper = Stopper { left, flag, checkpoints: None, steps: 0 };
            let history = engine.fit_from(&mut state, &data, &mut stopper).expect("it learns");
            prop_assert_eq!(history.stopped, !state.is_complete());
            state.save(&path).expect("the folder can be written");
            let kept = State::load(&path).expect("a state");
            prop_assert_eq!(&kept, &state);
            state = kept;
        }
        engine(1).fit_from(&mut state, &data, &mut NoObserver).expect("it learns");
        prop_assert_eq!(essence(&state), essence(&kind.end(&data)));
    }
}

#[test]
fn checkpoints_change_nothing_and_any_can_be_gone_on_with() {
    let data = digits();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("checkpoint.safetensors");
    for (kind, threads) in kinds().into_iter().zip([2, 1, 2, 1, 2]) {
        let mut state = kind.begin();
        let mut stopper =
            Stopper { left: usize::MAX, flag: None, checkpoints: Some(&path), steps: 0 };
        engine(threads).fit_from(&mut state, &data, &mut stopper).expect("it learns");
        assert_eq!(essence(&state), essence(&kind.end(&data)));
        let mut last = State::load(&path).expect("a state");
        assert!(!last.is_complete());
        engine(0).fit_from(&mut last, &data, &mut NoObserver).expect("it learns");
        assert_eq!(essence(&last), essence(&state));
    }
}

#[test]
fn an_epoch_whose_validation_is_stopped_is_validated_later() {
    let data = digits();
    let kind = kinds().swap_remove(1);
    let mut state = kind.begin();
    let engine = engine(1);
    // An epoch has four steps.
    let flag = Some(engine.stop_flag());
    let mut stopper = Stopper { left: 4, flag, checkpoints: None, steps: 0 };
    let history = engine.fit_from(&mut state, &data, &mut stopper).expect("it learns");
    assert!(history.stopped);
    assert_eq!((state.epochs().len(), state.step()), (0, 4));
    assert!(matches!(engine.evaluate(state.network(), &data), Err(Error::Stopped)));
}

#[test]
fn more_epochs_are_as_if_planned_from_the_start_or_refused() {
    let data = digits();
    let [plain, cosine] = [0, 1].map(|index| kinds().swap_remove(index));
    let mut state = plain.end(&data);
    state.set_epochs(5).expect("the learning rate is constant");
    engine(2).fit_from(&mut state, &data, &mut NoObserver).expect("it learns");
    let options = FitOptions { epochs: 5, ..plain.options };
    assert_eq!(essence(&state), essence(&Kind { options, ..plain }.end(&data)));
    assert!(matches!(state.set_epochs(4), Err(Error::EpochsDone { epochs: 4, done: 5 })));

    let mut state = cosine.end(&data);
    let refused = state.set_epochs(5);
    assert!(matches!(refused, Err(Error::EpochsDecide { planned: 3, epochs: 5 })));
    let mut fresh = cosine.begin();
    fresh.set_epochs(5).expect("nothing is done yet");
}

#[test]
fn a_state_of_other_data_is_refused() {
    let data = digits();
    let mut state = kinds().swap_remove(0).begin();
    let mut stopper = Stopper { left: 4, flag: None, checkpoints: None, steps: 0 };
    engine(0).fit_from(&mut state, &data, &mut stopper).expect("it learns");
    let few = data.take(40).expect("there are more");
    let refused = engine(0).fit_from(&mut state, &few, &mut NoObserver);
    assert!(matches!(refused, Err(Error::Position { step: 4, steps: 3 })), "{refused:?}");
}
