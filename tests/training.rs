//! How a run behaves: its steps against those of the reference, its short last minibatch, what
//! its observer sees and decides, and what it refuses.

mod generated;

use generated::{engine, images, stripes};
use mnistry::image::ImageShape;
use mnistry::internals::Reference;
use mnistry::train::{Epoch, Error, History, Observer, ObserverError, Progress};
use mnistry::{
    Activation, Adam, Engine, FitOptions, Network, NoObserver, Optimizer, Sequential, Sgd, Split,
};
use std::ops::ControlFlow;

const SHAPE: ImageShape = ImageShape { height: 4, width: 3 };

/// Ten samples in minibatches of four: the third has two.
const SAMPLES: usize = 10;
const BATCH: usize = 4;

/// A network without kinks.
fn smooth_network() -> Network {
    let hidden = Sequential::new(SHAPE).dense(5, Activation::Sigmoid);
    generated::network(hidden.dense(3, Activation::Sigmoid), 1)
}

fn relu_network() -> Network {
    let hidden = Sequential::new(SHAPE).dense(17, Activation::Relu);
    generated::network(hidden.dense(4, Activation::Softmax), 1)
}

/// The samples `from` to `to`, without the latter.
fn part(split: &Split, from: usize, to: usize) -> Split {
    let pixels: Vec<u8> = (from..to).flat_map(|index| split.image(index).to_vec()).collect();
    let labels = split.labels()[from..to].to_vec();
    Split::new(split.shape(), pixels.into(), labels.into()).expect("counts match")
}

fn in_order(epochs: usize, optimizer: Optimizer) -> FitOptions {
    FitOptions { epochs, batch_size: BATCH, optimizer, shuffle: false, ..FitOptions::default() }
}

fn sgd(learning_rate: f64, momentum: f64) -> Optimizer {
    Optimizer::Sgd(Sgd { learning_rate, momentum })
}

/// Keeps what it is told; stops after `stop_after` steps.
#[derive(Default)]
struct Recorder {
    steps: Vec<Progress>,
    epochs: Vec<Epoch>,
    networks: Vec<Network>,
    stop_after: Option<usize>,
}

impl Observer for Recorder {
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.steps.push(*progress);
        if self.stop_after == Some(self.steps.len()) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn on_epoch_end(
        &mut self,
        epoch: &Epoch,
        network: &Network,
    ) -> Result<ControlFlow<()>, ObserverError> {
        self.epochs.push(*epoch);
        self.networks.push(network.clone());
        Ok(ControlFlow::Continue(()))
    }
}

fn fit(network: &mut Network, split: &Split, options: &FitOptions) -> (History, Recorder) {
    let mut recorder = Recorder::default();
    let history = engine(2).fit(network, split, options, &mut recorder).expect("a sound run");
    (history, recorder)
}

/// A rule's update in f64: from step, gradient, weight and two moments.
type Rule<'a> = &'a dyn Fn(i32, f64, &mut f64, &mut [f64; 2]);

/// The parameters after `epochs` in order under `rule`, and the loss of each minibatch as met.
fn reference_run(
    network: &Network,
    split: &Split,
    epochs: usize,
    rule: Rule,
) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut reference = Reference::new(network);
    let mut moments: Vec<Vec<[f64; 2]>> =
        reference.parameters.iter().map(|tensor| vec![[0.0; 2]; tensor.len()]).collect();
    let mut losses = Vec::new();
    for _ in 0..epochs {
        for from in (0..split.len()).step_by(BATCH) {
            let batch = part(split, from, split.len().min(from + BATCH));
            losses.push(reference.loss(&batch));
            let step = losses.len() as i32;
            let gradient = reference.gradient(&batch);
            let tensors = reference.parameters.iter_mut().zip(&gradient).zip(&mut moments);
            for ((weights, gradients), moments) in tensors {
                for ((weight, gradient), moment) in weights.iter_mut().zip(gradients).zip(moments) {
                    rule(step, *gradient, weight, moment);
                }
            }
        }
    }
    (reference.parameters, losses)
}

/// The greatest difference of a parameter; NaN, which counts as greater than all numbers, where
/// there is one.
fn distance(network: &Network, parameters: &[Vec<f64>]) -> f64 {
    let found = network.tensors().iter().flat_map(|tensor| &tensor.values);
    assert_eq!(found.clone().count(), parameters.iter().flatten().count());
    let pairs = found.zip(parameters.iter().flatten());
    let differences = pairs.map(|(found, exact)| (f64::from(*found) - exact).abs());
    differences.max_by(f64::total_cmp).expect("there are parameters")
}

/// Trains for three epochs both ways; parameters may differ by `tolerance`.
fn follows(optimizer: Optimizer, tolerance: f64, rule: Rule) {
    let split = images(SHAPE, SAMPLES, 3, 2);
    let mut network = smooth_network();
    let (parameters, losses) = reference_run(&network, &split, 3, rule);
    let moved = distance(&network, &parameters);
    let (history, recorder) = fit(&mut network, &split, &in_order(3, optimizer));

    let error = distance(&network, &parameters);
    assert!(error <= tolerance, "parameters differ by {error:e} > {tolerance:e}");
    assert!(moved > 1000.0 * tolerance, "the tolerance is no small part of the way {moved:e}");
    assert_eq!((recorder.steps.len(), history.epochs.len()), (losses.len(), 3));
    for (progress, loss) in recorder.steps.iter().zip(&losses) {
        assert!((f64::from(progress.loss) - loss).abs() < 1e-5, "{progress:?}, not {loss}");
    }
    // An epoch's loss is the mean over its samples, each as it was met: the short minibatch
    // counts by its samples.
    for (epoch, losses) in history.epochs.iter().zip(losses.chunks(3)) {
        let mean = (4.0 * losses[0] + 4.0 * losses[1] + 2.0 * losses[2]) / SAMPLES as f64;
        assert!((epoch.loss - mean).abs() < 1e-5, "{epoch:?}, not {mean}");
    }
}

/// Gradients are good to some 1e-6 of terms of size one; nine steps add that up, and momentum
/// ten times more of each.
#[test]
fn descent_follows_the_reference() {
    for momentum in [0.0, 0.9] {
        let rate = 0.5;
        let tolerance = 9.0 * rate * 1e-6 / (1.0 - momentum);
        follows(sgd(rate, momentum), tolerance, &|_, gradient, weight, [velocity, _]| {
            *velocity = momentum * *velocity - rate * gradient;
            *weight += *velocity;
        });
    }
}

/// Adam divides a gradient by its own size, so that one of 1e-3 times its terms is good to 1e-3
/// of a step.
#[test]
fn adam_follows_the_reference() {
    let Adam { learning_rate, beta_1, beta_2, epsilon } = Adam::default();
    let optimizer = Optimizer::Adam(Adam::default());
    follows(optimizer, 1e-3 * learning_rate, &|step, gradient, weight, [m, v]| {
        *m = beta_1 * *m + (1.0 - beta_1) * gradient;
        *v = beta_2 * *v + (1.0 - beta_2) * gradient * gradient;
        let correction = (1.0 - beta_2.powi(step)).sqrt() / (1.0 - beta_1.powi(step));
        *weight -= learning_rate * correction * *m / (v.sqrt() + epsilon);
    });
}

#[test]
fn progress_counts_epochs_steps_and_samples() {
    let split = images(SHAPE, SAMPLES, 3, 3);
    let mut network = smooth_network();
    let (history, recorder) = fit(&mut network, &split, &in_order(2, sgd(0.1, 0.0)));
    let counts: Vec<_> = recorder.steps.iter().map(|p| (p.epoch, p.step, p.samples)).collect();
    assert_eq!(counts, [(1, 1, 4), (1, 2, 8), (1, 3, 10), (2, 1, 4), (2, 2, 8), (2, 3, 10)]);
    assert_eq!(recorder.epochs, history.epochs);
    assert_eq!(recorder.networks.last(), Some(&network));
    assert!(!history.stopped);
    for epoch in &history.epochs {
        let last = &recorder.steps[3 * epoch.epoch - 1];
        assert_eq!((last.epoch_loss, last.epoch_accuracy), (epoch.loss, epoch.accuracy));
        let right = epoch.accuracy * SAMPLES as f64;
        assert!((right - right.round()).abs() < 1e-9, "a share of the samples: {epoch:?}");
    }
}

#[test]
fn a_minibatch_larger_than_the_data_is_all_of_it() {
    let split = images(SHAPE, SAMPLES, 4, 4);
    let [mut exact, mut larger] = [relu_network(), relu_network()];
    for (network, batch_size) in [(&mut exact, SAMPLES), (&mut larger, 1000)] {
        fit(network, &split, &FitOptions { batch_size, ..in_order(2, Optimizer::default()) });
    }
    assert_eq!(exact, larger);
}

#[test]
fn no_epochs_change_nothing() {
    let mut network = relu_network();
    let options = in_order(0, Optimizer::default());
    let (history, _) = fit(&mut network, &images(SHAPE, 5, 4, 5), &options);
    assert_eq!((network, history), (relu_network(), History::default()));
}

/// At a rate that moves no weight, the loss of each sample tells which one it was.
#[test]
fn each_epoch_meets_every_sample_once_in_an_order_of_its_own() {
    let split = images(SHAPE, 50, 4, 6);
    let losses = |shuffle| {
        let still = sgd(1e-30, 0.0);
        let options = FitOptions { batch_size: 1, shuffle, ..in_order(2, still) };
        let (_, recorder) = fit(&mut relu_network(), &split, &options);
        let bits: Vec<u32> = recorder.steps.iter().map(|step| step.loss.to_bits()).collect();
        let (first, second) = bits.split_at(50);
        (first.to_vec(), second.to_vec())
    };
    let sorted = |mut losses: Vec<u32>| {
        losses.sort_unstable();
        losses
    };
    let (unshuffled, again) = losses(false);
    assert_eq!(unshuffled, again);
    let (first, second) = losses(true);
    assert_ne!(first, unshuffled);
    assert_ne!(first, second);
    assert_eq!(sorted(first), sorted(unshuffled.clone()));
    assert_eq!(sorted(second), sorted(unshuffled));
}

#[test]
fn the_last_activation_does_not_show_in_training() {
    let split = stripes(SHAPE, 40, 7);
    let trained = [Activation::Linear, Activation::Sigmoid, Activation::Softmax].map(|last| {
        let hidden = Sequential::new(SHAPE).dense(6, Activation::Relu);
        let mut network = generated::network(hidden.dense(4, last), 8);
        fit(&mut network, &split, &in_order(2, Optimizer::default()));
        network.tensors().to_vec()
    });
    assert_eq!(trained[0], trained[1]);
    assert_eq!(trained[0], trained[2]);
}

#[test]
fn training_learns() {
    let split = stripes(SHAPE, 200, 9);
    let unseen = stripes(SHAPE, 200, 10);
    let mut network = relu_network();
    let before = engine(1).evaluate(&network, &unseen).expect("it fits").accuracy();
    let options = FitOptions {
        epochs: 20,
        optimizer: Optimizer::Adam(Adam { learning_rate: 0.01, ..Adam::default() }),
        ..FitOptions::default()
    };
    let (history, _) = fit(&mut network, &split, &options);
    let after = engine(1).evaluate(&network, &unseen).expect("it fits").accuracy();
    assert!(before < 0.7 && after > 0.98, "{before} became {after}");
    assert!(history.epochs[19].loss < 0.2 * history.epochs[0].loss, "{history:?}");
}

/// Teams that must agree on when a run ends.
const TEAMS: [usize; 3] = [1, 2, 3];

#[test]
fn an_observer_stops_a_run_after_a_step() {
    let split = images(SHAPE, SAMPLES, 4, 11);
    let options = in_order(3, Optimizer::default());
    for threads in TEAMS {
        let mut stopped = relu_network();
        let mut recorder = Recorder { stop_after: Some(2), ..Recorder::default() };
        let history = engine(threads).fit(&mut stopped, &split, &options, &mut recorder);
        let history = history.unwrap();
        assert!(history.stopped && history.epochs.is_empty(), "{history:?}");
        let teams: Vec<_> =
            history.teams.iter().map(|team| (team.epoch, team.threads, team.steps)).collect();
        assert_eq!(teams, [(1, threads, 2)]);
        assert_eq!((recorder.steps.len(), recorder.epochs.len()), (2, 0));

        // The first two minibatches are an epoch of the first eight samples.
        let mut same = relu_network();
        let options = in_order(1, Optimizer::default());
        fit(&mut same, &split.take(8).expect("eight are there"), &options);
        assert_eq!(stopped, same);
    }
}

#[test]
fn an_observer_stops_a_run_in_the_last_step_of_an_epoch() {
    let split = images(SHAPE, SAMPLES, 4, 11);
    let options = in_order(3, Optimizer::default());
    // An epoch has three steps.
    for (threads, epochs) in TEAMS.into_iter().flat_map(|threads| [1, 3].map(|n| (threads, n))) {
        let [mut stopped, mut same] = [relu_network(), relu_network()];
        let mut recorder = Recorder { stop_after: Some(3 * epochs), ..Recorder::default() };
        let history = engine(threads).fit(&mut stopped, &split, &options, &mut recorder).unwrap();
        assert_eq!((history.epochs.len(), history.stopped), (epochs, epochs < 3));
        assert_eq!(recorder.steps.len(), 3 * epochs);
        fit(&mut same, &split, &in_order(epochs, Optimizer::default()));
        // The learning rate does not depend on how many epochs are planned.
        assert_eq!(stopped, same);
    }
}

/// Does this at the end of each epoch.
struct AtEpoch(fn() -> Result<ControlFlow<()>, ObserverError>);

impl Observer for AtEpoch {
    fn on_epoch_end(&mut self, _: &Epoch, _: &Network) -> Result<ControlFlow<()>, ObserverError> {
        (self.0)()
    }
}

#[test]
fn an_observer_stops_a_run_after_an_epoch() {
    for threads in TEAMS {
        let split = images(SHAPE, SAMPLES, 4, 12);
        let options = in_order(3, Optimizer::default());
        let [mut stopped, mut same] = [relu_network(), relu_network()];
        let history = engine(threads).fit(
            &mut stopped,
            &split,
            &options,
            &mut AtEpoch(|| Ok(ControlFlow::Break(()))),
        );
        let history = history.expect("stopped");
        assert_eq!((history.epochs.len(), history.stopped), (1, true));
        fit(&mut same, &split, &in_order(1, Optimizer::default()));
        assert_eq!(stopped, same);
    }
}

/// Asks the very engine that trains.
struct Asks<'a> {
    engine: &'a Engine,
    split: &'a Split,
    accuracies: Vec<f64>,
}

impl Observer for Asks<'_> {
    fn on_epoch_end(
        &mut self,
        _: &Epoch,
        network: &Network,
    ) -> Result<ControlFlow<()>, ObserverError> {
        self.accuracies.push(self.engine.evaluate(network, self.split)?.accuracy());
        let refused = self.engine.gradients(network, self.split).map(|_| ()).unwrap_err();
        assert!(refused.to_string().starts_with("the engine's threads are at work: "), "{refused}");
        Ok(ControlFlow::Continue(()))
    }
}

#[test]
fn an_observer_may_evaluate_but_not_train() {
    let (engine, split) = (engine(2), images(SHAPE, SAMPLES, 4, 12));
    let mut network = relu_network();
    let mut asks = Asks { engine: &engine, split: &split, accuracies: Vec::new() };
    engine.fit(&mut network, &split, &in_order(3, Optimizer::default()), &mut asks).unwrap();
    let after = engine.evaluate(&network, &split).unwrap().accuracy();
    assert_eq!((asks.accuracies.len(), asks.accuracies[2]), (3, after));
}

#[test]
fn an_error_of_the_observer_ends_the_run() {
    for threads in TEAMS {
        let split = images(SHAPE, SAMPLES, 4, 12);
        let mut fails = AtEpoch(|| Err("the disk is full".into()));
        let options = in_order(3, Optimizer::default());
        let error = engine(threads).fit(&mut relu_network(), &split, &options, &mut fails);
        assert_eq!(error.expect_err("the observer failed").to_string(), "the disk is full");
    }
}

/// At this rate one step takes the weights out of sight.
fn reckless() -> Optimizer {
    sgd(1e37, 0.0)
}

#[test]
fn a_loss_that_is_not_finite_leaves_the_network_of_the_last_epoch() {
    for threads in TEAMS {
        let split = images(SHAPE, SAMPLES, 4, 13);
        let one_step_an_epoch =
            |epochs| FitOptions { batch_size: SAMPLES, ..in_order(epochs, reckless()) };
        let [mut ruined, mut last_good] = [relu_network(), relu_network()];
        fit(&mut last_good, &split, &one_step_an_epoch(1));
        let error =
            engine(threads).fit(&mut ruined, &split, &one_step_an_epoch(5), &mut NoObserver);
        let error = error.expect_err("the loss is not finite");
        let Error::NotFinite { epoch: 2, step: 1, loss } = error else { panic!("{error:?}") };
        assert!(!loss.is_finite());
        assert_eq!(ruined, last_good);
    }
}

#[test]
fn a_loss_that_is_not_finite_in_the_first_epoch_leaves_the_network_as_it_was() {
    for threads in TEAMS {
        let split = images(SHAPE, SAMPLES, 4, 13);
        let mut network = relu_network();
        let mut recorder = Recorder::default();
        let error =
            engine(threads).fit(&mut network, &split, &in_order(5, reckless()), &mut recorder);
        let error = error.expect_err("the loss is not finite");
        assert!(matches!(error, Error::NotFinite { epoch: 1, step: 2, .. }), "{error:?}");
        assert_eq!(network, relu_network());
        assert_eq!(recorder.steps.len(), 1, "the observer is told of good steps only");
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let usual = FitOptions::default();
    let adam = |adam| FitOptions { optimizer: Optimizer::Adam(adam), ..usual };
    let refused = [
        ("batch", FitOptions { batch_size: 0, ..usual }),
        ("batch", FitOptions { batch_size: usize::MAX, ..usual }),
        ("learning rate", FitOptions { optimizer: sgd(0.0, 0.0), ..usual }),
        ("learning rate", FitOptions { optimizer: sgd(-0.1, 0.0), ..usual }),
        ("learning rate", FitOptions { optimizer: sgd(f64::NAN, 0.0), ..usual }),
        ("learning rate", adam(Adam { learning_rate: f64::INFINITY, ..Adam::default() })),
        ("momentum", FitOptions { optimizer: sgd(0.1, 1.0), ..usual }),
        ("beta", adam(Adam { beta_2: 1.0, ..Adam::default() })),
        ("epsilon", adam(Adam { epsilon: 0.0, ..Adam::default() })),
    ];
    let split = images(SHAPE, SAMPLES, 4, 14);
    for (what, options) in refused {
        let mut network = relu_network();
        let error = engine(1).fit(&mut network, &split, &options, &mut NoObserver);
        let error = error.expect_err(what);
        assert!(matches!(error, Error::Option(_)) && error.to_string().contains(what), "{error}");
        assert_eq!(network, relu_network());
    }
}

#[test]
fn data_that_the_network_cannot_read_are_refused() {
    let turned = ImageShape { height: SHAPE.width, width: SHAPE.height };
    let beyond = Split::new(SHAPE, vec![0; SHAPE.pixels()].into(), vec![4].into());
    let cases = [
        ("reads images of 4 × 3", images(turned, 5, 4, 15)),
        ("tells 4 classes apart", beyond.expect("one image")),
    ];
    let (engine, mut network) = (engine(1), relu_network());
    for (what, split) in cases {
        let errors = [
            engine.fit(&mut network, &split, &FitOptions::default(), &mut NoObserver).err(),
            engine.evaluate(&network, &split).err(),
            engine.gradients(&network, &split).err(),
        ];
        for error in errors {
            let error = error.expect("the data do not fit");
            assert!(
                matches!(error, Error::Shape { .. } | Error::Classes { .. })
                    && error.to_string().contains(what)
            );
        }
    }
    assert_eq!(network, relu_network());
}
