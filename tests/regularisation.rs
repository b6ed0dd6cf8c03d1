//! Regularisation, augmentation and schedules: what each does, and that gradients stay gradients
//! with them.

mod generated;

use generated::{engine, images, stripes};
use mnistry::image::{ImageShape, RandomAffine};
use mnistry::internals::{Reference, softmax};
use mnistry::train::{
    ClassWeights, Error, History, LrDecay, LrSchedule, Observer, Progress, State,
};
use mnistry::{Activation, FitOptions, Network, NoObserver, Optimizer, Sequential, Sgd, Split};
use std::ops::ControlFlow;

const SHAPE: ImageShape = ImageShape { height: 6, width: 6 };

fn small() -> Network {
    let layers = Sequential::new(SHAPE).dense(12, Activation::Relu);
    generated::network(layers.dense(6, Activation::Softmax), 1)
}

fn sgd(learning_rate: f64) -> FitOptions {
    let optimizer = Optimizer::Sgd(Sgd { learning_rate, momentum: 0.0 });
    FitOptions { optimizer, batch_size: 8, ..FitOptions::default() }
}

fn fit(network: &Network, split: &Split, options: &FitOptions) -> (Network, History) {
    let mut network = network.clone();
    let history =
        engine(2).fit(&mut network, split, options, &mut NoObserver).expect("a sound run");
    (network, history)
}

#[test]
fn held_out_images_are_tested_on_and_not_trained_on() {
    let split = stripes(SHAPE, 80, 0);
    let options = FitOptions { validation_split: 0.25, epochs: 3, ..sgd(0.1) };
    let (network, history) = fit(&small(), &split, &options);
    let alone = FitOptions { validation_split: 0.0, ..options };
    let (other, without) = fit(&small(), &split.take(60).expect("some"), &alone);
    assert_eq!(network, other);
    assert!(without.epochs.iter().all(|epoch| epoch.validation.is_none()));
    let (_, held_out) = split.split_at(60).expect("some on both sides");
    let found = engine(1).evaluate(&network, &held_out).expect("it fits");
    let validation = history.epochs[2].validation.expect("it was tested");
    assert_eq!((validation.loss, validation.accuracy), (found.loss, found.accuracy()));
}

#[test]
fn a_run_without_gain_ends_with_its_best_network() {
    // What there is to be learnt of noise does not help with other noise.
    let noise = images(SHAPE, 48, 6, 0);
    let patient = FitOptions { validation_split: 0.5, patience: Some(3), epochs: 200, ..sgd(0.5) };
    let (network, history) = fit(&small(), &noise, &patient);
    let best = history.best.expect("the last epoch was not the best");
    assert_eq!(history.epochs.len(), best + 3);
    assert!(!history.stopped);
    let loss = |epoch: usize| history.epochs[epoch - 1].validation.expect("it was tested").loss;
    assert!((1..=best + 3).all(|epoch| loss(epoch) >= loss(best)), "{history:?}");
    let short = FitOptions { epochs: best, patience: None, ..patient };
    assert_eq!(network, fit(&small(), &noise, &short).0);
}

#[test]
fn weights_decay_apart_from_their_gradient() {
    let split = stripes(SHAPE, 8, 0);
    let plain = FitOptions { epochs: 1, ..sgd(0.1) };
    let start = small();
    let (without, _) = fit(&start, &split, &plain);
    let (with, _) = fit(&start, &split, &FitOptions { weight_decay: 0.5, ..plain });
    for ((start, without), with) in
        start.tensors().iter().zip(without.tensors()).zip(with.tensors())
    {
        for ((start, without), with) in start.values.iter().zip(&without.values).zip(&with.values) {
            assert!((without - 0.1 * 0.5 * start - with).abs() < 1e-6, "{start} {without} {with}");
        }
    }
}

/// The loss of each step.
#[derive(Default)]
struct Losses(Vec<f32>);

impl Observer for Losses {
    fn on_step_end(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.0.push(progress.loss);
        ControlFlow::Continue(())
    }
}

/// The network after one step on all of `split`, and the loss before it.
fn step(network: &Network, split: &Split, options: &FitOptions) -> (Network, f32) {
    let options = FitOptions { epochs: 1, batch_size: split.len(), ..*options };
    let (mut network, mut losses) = (network.clone(), Losses::default());
    engine(2).fit(&mut network, split, &options, &mut losses).expect("a sound step");
    (network, losses.0[0])
}

#[test]
fn smoothed_labels_are_spread_over_all_classes() {
    const SHARE: f64 = 0.3;
    let (start, split) = (small(), images(SHAPE, 20, 6, 0));
    let options = FitOptions { label_smoothing: SHARE as f32, ..sgd(1.0) };
    let (network, loss) = step(&start, &split, &options);
    let reference = Reference::new(&start);
    let (mut expected, mut gradient) = (0.0, vec![0.0; 6]);
    for sample in 0..split.len() {
        let probabilities = softmax(&reference.logits(split.image(sample)));
        for (class, probability) in probabilities.iter().enumerate() {
            let is_label = class == usize::from(split.labels()[sample]);
            let target = SHARE / 6.0 + if is_label { 1.0 - SHARE } else { 0.0 };
            expected -= target * probability.ln() / 20.0;
            gradient[class] += (probability - target) / 20.0;
        }
    }
    assert!((f64::from(loss) - expected).abs() < 1e-5, "{loss}, not {expected}");
    let (before, after) = (&start.tensors()[3].values, &network.tensors()[3].values);
    for ((before, after), gradient) in before.iter().zip(after).zip(gradient) {
        let moved = f64::from(before - after);
        assert!((moved - gradient).abs() < 1e-5, "{moved}, not {gradient}");
    }
}

/// With everything that is random in a step, its gradient is the slope of its own loss.
#[test]
fn what_is_dropped_and_augmented_is_the_same_there_and_back() {
    const STEP: f32 = 1.0 / 64.0;
    let layers = Sequential::new(SHAPE)
        .conv2d(3, 2, Activation::Sigmoid)
        .dropout(0.3)
        .average_pool(2)
        .flatten()
        .dense(9, Activation::Sigmoid)
        .dropout(0.5)
        .dense(4, Activation::Softmax);
    let (start, split) = (generated::network(layers, 3), images(SHAPE, 21, 4, 0));
    let options = FitOptions {
        label_smoothing: 0.1,
        augmentation: RandomAffine { shift: 1.0, rotation: 20.0, scale: 0.1 },
        seed: 7,
        shuffle: false,
        ..sgd(1.0)
    };
    let (after, loss) = step(&start, &split, &options);
    let plain = FitOptions { augmentation: RandomAffine::default(), ..options };
    assert_ne!(step(&start, &split, &plain).1, loss);
    let mut largest = 0.0_f32;
    for tensor in 0..start.tensors().len() {
        for index in (0..start.tensors()[tensor].values.len()).step_by(5) {
            let nudged = |by: f32| {
                let mut tensors = start.tensors().to_vec();
                tensors[tensor].values[index] += by;
                let architecture = start.architecture().clone();
                let network = Network::from_tensors(architecture, tensors).expect("they fit");
                step(&network, &split, &options).1
            };
            let slope = (nudged(STEP) - nudged(-STEP)) / (2.0 * STEP);
            let values = |network: &Network| network.tensors()[tensor].values[index];
            let moved = values(&start) - values(&after);
            assert!((moved - slope).abs() < 1e-4, "{tensor}, {index}: {moved}, not {slope}");
            largest = largest.max(slope.abs());
        }
    }
    assert!(largest > 1e-2, "there was no slope to speak of: {largest}");
}

/// Samples of six classes, of some more than of others.
fn unbalanced() -> Split {
    let split = images(SHAPE, 40, 6, 3);
    let label = |index: usize| if index < 20 { index % 6 } else { index % 2 };
    let labels: Vec<u8> = (0..40).map(|index| label(index) as u8).collect();
    Split::new(SHAPE, split.pixels().to_vec().into(), labels.into()).expect("counts match")
}

#[test]
fn balanced_classes_are_weighted_in_a_step_of_training() {
    let (start, split) = (small(), unbalanced());
    let options = FitOptions { class_weights: Some(ClassWeights::Balanced), ..sgd(1.0) };
    let (after, loss) = step(&start, &split, &options);
    let counts = [0, 1, 2, 3, 4, 5]
        .map(|class: u8| split.labels().iter().filter(|&&label| label == class).count() as f64);
    let mut reference = Reference::new(&start);
    reference.class_weights = counts.map(|count| 40.0 / (6.0 * count)).to_vec();
    let expected = reference.loss(&split);
    assert!((f64::from(loss) - expected).abs() < 1e-5, "{loss}, not {expected}");
    let gradients = engine(1).weighted_gradients(&start, &split, ClassWeights::Balanced);
    let gradients = gradients.expect("all classes are there").tensors;
    for ((before, after), gradient) in start.tensors().iter().zip(after.tensors()).zip(&gradients) {
        let values = before.values.iter().zip(&after.values).zip(&gradient.values);
        for ((before, after), gradient) in values {
            assert!((before - after - gradient).abs() < 1e-5, "{}", gradient);
        }
    }
    assert_ne!(step(&start, &split, &sgd(1.0)).1, loss);
}

#[test]
fn weights_are_of_the_samples_that_are_learnt_from_and_validation_has_none() {
    let split = unbalanced();
    let class_weights = Some(ClassWeights::Balanced);
    let options = FitOptions { class_weights, validation_split: 0.5, epochs: 2, ..sgd(0.1) };
    let (network, history) = fit(&small(), &split, &options);
    let alone = FitOptions { validation_split: 0.0, ..options };
    assert_eq!(network, fit(&small(), &split.take(20).expect("some"), &alone).0);
    let (_, held_out) = split.split_at(20).expect("some on both sides");
    let found = engine(1).evaluate(&network, &held_out).expect("it fits").loss;
    assert_eq!(history.epochs[1].validation.expect("it was tested").loss, found);
}

#[test]
fn a_class_without_samples_cannot_be_balanced() {
    let split = unbalanced().split_at(20).expect("some on both sides").1;
    let options = FitOptions { class_weights: Some(ClassWeights::Balanced), ..sgd(0.1) };
    let error = engine(1).fit(&mut small(), &split, &options, &mut NoObserver).unwrap_err();
    assert!(matches!(&error, Error::ClassWithoutSamples(class) if class == "2"), "{error}");
    assert!(!error.to_string().contains('\n'));
}

/// Other images judge in the place of some that are set aside, not beside them.
#[test]
fn other_images_may_judge_the_network() {
    let (split, judges) = (stripes(SHAPE, 60, 0), stripes(SHAPE, 20, 1));
    let options = FitOptions { epochs: 60, until_accuracy: Some(0.9), ..sgd(0.1) };
    let mut state = State::new(small(), options);
    let history = engine(2).fit_validated(&mut state, &split, &judges, &mut NoObserver);
    let epochs = history.expect("it learns").epochs;
    let validation = epochs[epochs.len() - 1].validation.expect("it was judged");
    let found = engine(1).evaluate(state.network(), &judges).expect("it fits");
    assert_eq!((validation.loss, validation.accuracy), (found.loss, found.accuracy()));
    assert!(validation.accuracy >= 0.9 && epochs.len() < 60 && state.is_complete());
    assert!(state.best().is_none());
    // To the same bits as without judges.
    let alone = FitOptions { epochs: epochs.len(), until_accuracy: None, ..options };
    assert_eq!(*state.network(), fit(&small(), &split, &alone).0);
    let aside = FitOptions { validation_split: 0.5, ..options };
    let twice =
        engine(1).fit_validated(&mut State::new(small(), aside), &split, &judges, &mut NoObserver);
    assert!(twice.unwrap_err().to_string().contains("leave out the validation split"));
    let mut aimless = State::new(small(), alone);
    let aimless = engine(1).fit_validated(&mut aimless, &split, &judges, &mut NoObserver);
    assert!(aimless.unwrap_err().to_string().contains("give the accuracy to train until"));
}

#[test]
fn what_makes_no_sense_is_refused_in_a_line() {
    let split = stripes(SHAPE, 10, 0);
    let refused = |words: &str, options: FitOptions| {
        let error = engine(1).fit(&mut small(), &split, &options, &mut NoObserver).unwrap_err();
        assert!(matches!(error, Error::Option(_) | Error::Validation { .. }), "{error}");
        let text = error.to_string();
        assert!(!text.contains('\n') && text.contains(words), "{text:?} is not about {words:?}");
    };
    let options = FitOptions::default();
    let validation = |validation_split| FitOptions { validation_split, ..options };
    refused("the validation split is 1: give", validation(1.0));
    refused("a validation split of 0.99 leaves nothing on one side of 10", validation(0.99));
    refused("a validation loss", FitOptions { patience: Some(2), ..options });
    refused("a patience of 0", FitOptions { patience: Some(0), ..validation(0.5) });
    refused("the weight decay is -1", FitOptions { weight_decay: -1.0, ..options });
    refused("the label smoothing is NaN", FitOptions { label_smoothing: f32::NAN, ..options });
    let augmentation = RandomAffine { rotation: 720.0, ..RandomAffine::default() };
    refused("turned by 720 degrees", FitOptions { augmentation, ..options });
    refused("an accuracy of 0", FitOptions { until_accuracy: Some(0.0), ..options });
    refused("images to judge it by", FitOptions { until_accuracy: Some(0.9), ..options });
    let falling = |decay| FitOptions { schedule: LrSchedule { warm_up: 0.0, decay }, ..options };
    let rising = LrSchedule { warm_up: 5.0, decay: LrDecay::OneCycle };
    refused("nothing of 5 for one cycle", FitOptions { schedule: rising, ..options });
    refused("every 0 epochs", falling(LrDecay::Step { every: 0, factor: 0.5 }));
    refused("by a factor of 2", falling(LrDecay::Step { every: 1, factor: 2.0 }));
}
