//! What a run hands to each of its steps: the schedule, the decay of weights, the noise; and what
//! it counts in them.

mod generated;

use std::f64::consts::PI;
use std::ops::ControlFlow;

use generated::{engine, images, stripes};
use mnistry::image::{ImageShape, RandomAffine};
use mnistry::train::{History, LrDecay, LrSchedule, Observer, Progress};
use mnistry::{
    Activation, Adam, FitOptions, Network, NoObserver, Optimizer, Sequential, Sgd, Split,
};

const SHAPE: ImageShape = ImageShape { height: 6, width: 6 };

/// Ten samples in minibatches of four: an epoch has three steps, the last of two samples.
const SAMPLES: usize = 10;
const BATCH: usize = 4;
const STEPS: usize = 3;

fn small() -> Network {
    let layers = Sequential::new(SHAPE).dense(12, Activation::Sigmoid);
    generated::network(layers.dense(6, Activation::Softmax), 1)
}

/// In order, by plain descent.
fn sgd(learning_rate: f64) -> FitOptions {
    let optimizer = Optimizer::Sgd(Sgd { learning_rate, momentum: 0.0 });
    FitOptions { optimizer, batch_size: BATCH, shuffle: false, ..FitOptions::default() }
}

/// At this rate no weight moves.
fn still() -> FitOptions {
    sgd(1e-30)
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

fn fit(network: &Network, split: &Split, options: &FitOptions) -> (Network, History) {
    let mut network = network.clone();
    let history =
        engine(2).fit(&mut network, split, options, &mut NoObserver).expect("a sound run");
    (network, history)
}

/// The minibatches of an epoch.
fn minibatches(split: &Split) -> Vec<Split> {
    let part = |from: usize| {
        let samples = from..split.len().min(from + BATCH);
        let pixels: Vec<u8> =
            samples.clone().flat_map(|index| split.image(index).to_vec()).collect();
        let labels = split.labels()[samples].to_vec();
        Split::new(split.shape(), pixels.into(), labels.into()).expect("counts match")
    };
    (0..split.len()).step_by(BATCH).map(part).collect()
}

/// By what `schedule` shall multiply the rate of step `step`, from 0, of `steps`.
fn factor(schedule: LrSchedule, step: usize, steps: usize) -> f64 {
    let warm_up = (schedule.warm_up * STEPS as f64) as usize;
    if step < warm_up {
        return (step + 1) as f64 / warm_up as f64;
    }
    match schedule.decay {
        LrDecay::Constant => 1.0,
        LrDecay::Step { every, factor } => factor.powi((step / STEPS / every) as i32),
        LrDecay::Cosine => {
            0.5 * (1.0 + (PI * (step - warm_up) as f64 / (steps - warm_up) as f64).cos())
        }
        other => panic!("no such schedule is tried: {other:?}"),
    }
}

#[test]
fn the_schedule_scales_each_step() {
    const EPOCHS: usize = 4;
    const RATE: f64 = 0.5;
    let split = images(SHAPE, SAMPLES, 6, 0);
    let halved = LrDecay::Step { every: 2, factor: 0.5 };
    for (warm_up, decay) in [0.0, 1.0, 2.0]
        .into_iter()
        .flat_map(|warm_up| [LrDecay::Constant, halved, LrDecay::Cosine].map(|d| (warm_up, d)))
    {
        let schedule = LrSchedule { warm_up, decay };
        let (run, _) = fit(&small(), &split, &FitOptions { epochs: EPOCHS, schedule, ..sgd(RATE) });
        let mut by_hand = small();
        let steps = (0..EPOCHS).flat_map(|_| minibatches(&split)).enumerate();
        for (step, minibatch) in steps {
            let rate = RATE * factor(schedule, step, EPOCHS * STEPS);
            let one = FitOptions { epochs: 1, ..sgd(rate) };
            by_hand = fit(&by_hand, &minibatch, &one).0;
        }
        let numbers = |network: &Network| -> Vec<f32> {
            network.tensors().iter().flat_map(|tensor| tensor.values.clone()).collect()
        };
        for (run, by_hand) in numbers(&run).into_iter().zip(numbers(&by_hand)) {
            assert!((run - by_hand).abs() < 1e-5, "{schedule:?}: {run}, not {by_hand}");
        }
    }
}

#[test]
fn an_epoch_ends_with_its_short_minibatch() {
    let split = images(SHAPE, SAMPLES, 6, 1);
    let decay = LrDecay::Step { every: 1, factor: 0.5 };
    let falling =
        FitOptions { epochs: 1, schedule: LrSchedule { warm_up: 0.0, decay }, ..sgd(0.5) };
    let constant = FitOptions { schedule: LrSchedule::default(), ..falling };
    assert_eq!(fit(&small(), &split, &falling).0, fit(&small(), &split, &constant).0);
}

/// The kernel that reads black images has no gradient, and no moments.
#[test]
fn weights_without_a_gradient_decay_as_fast_as_the_schedule_says() {
    const EPOCHS: usize = 4;
    const RATE: f64 = 0.1;
    const DECAY: f64 = 0.5;
    let black = vec![0; SAMPLES * SHAPE.pixels()];
    let labels: Vec<u8> = (0..SAMPLES as u8).map(|sample| sample % 6).collect();
    let split = Split::new(SHAPE, black.into(), labels.into()).expect("counts match");
    let adam = Optimizer::Adam(Adam { learning_rate: RATE, ..Adam::default() });
    for optimizer in [adam, sgd(RATE).optimizer] {
        for warm_up in [0.0, 2.0] {
            let schedule = LrSchedule { warm_up, decay: LrDecay::Constant };
            let options = FitOptions {
                epochs: EPOCHS,
                optimizer,
                schedule,
                weight_decay: DECAY,
                ..sgd(RATE)
            };
            let start = small();
            let (network, _) = fit(&start, &split, &options);
            let steps = EPOCHS * STEPS;
            let kept: f64 =
                (0..steps).map(|step| 1.0 - RATE * factor(schedule, step, steps) * DECAY).product();
            let kernels = start.tensors()[0].values.iter().zip(&network.tensors()[0].values);
            for (before, after) in kernels {
                let (expected, found) = (kept * f64::from(*before), f64::from(*after));
                let differs = (found - expected).abs() > 1e-5 * expected.abs();
                assert!(!differs && found.is_finite(), "{options:?}: {found}, not {expected}");
            }
        }
    }
}

/// The same image four times, in two epochs: where no weight moves, only noise tells steps apart.
#[test]
fn each_sample_has_a_noise_of_its_own_in_each_epoch() {
    let image = images(SHAPE, 1, 6, 2).image(0).to_vec();
    let split = Split::new(SHAPE, image.repeat(4).into(), vec![1; 4].into()).expect("four images");
    let dense = Sequential::new(SHAPE).dense(40, Activation::Sigmoid);
    let convolution = Sequential::new(SHAPE).conv2d(3, 2, Activation::Sigmoid);
    let augmented = RandomAffine { shift: 1.0, rotation: 20.0, scale: 0.1 };
    let cases = [
        ("dropped numbers", dense.clone().dropout(0.5), RandomAffine::default()),
        ("dropped images", convolution.clone().dropout(0.5).flatten(), RandomAffine::default()),
        ("augmented lists", dense, augmented),
        ("augmented images", convolution.flatten(), augmented),
    ];
    for (what, layers, augmentation) in cases {
        let network = generated::network(layers.dense(6, Activation::Softmax), 3);
        for threads in [1, 2] {
            let mut losses = Losses::default();
            let options = FitOptions { epochs: 2, batch_size: 1, augmentation, ..still() };
            engine(threads)
                .fit(&mut network.clone(), &split, &options, &mut losses)
                .expect("a sound run");
            assert_eq!(losses.0.len(), 8);
            losses.0.sort_unstable_by(f32::total_cmp);
            let differ = losses.0.windows(2).all(|pair| pair[0] < pair[1]);
            assert!(differ, "{what} with {threads} threads: {:?}", losses.0);
        }
    }
}

/// Two dropouts of a half, one after the other, keep a quarter of the numbers; with one noise they would
/// keep a half.
#[test]
fn each_dropout_has_a_noise_of_its_own() {
    const SHAPE: ImageShape = ImageShape { height: 20, width: 20 };
    const NUMBERS: usize = 400;
    let black = Split::new(SHAPE, vec![0; NUMBERS].into(), vec![0].into()).expect("an image");
    let dense = Sequential::new(SHAPE).dense(NUMBERS, Activation::Linear);
    let convolution = Sequential::new(SHAPE).conv2d(1, 1, Activation::Linear);
    for layers in [dense.dropout(0.5).dropout(0.5), convolution.dropout(0.5).dropout(0.5).flatten()]
    {
        let architecture = generated::checked(layers.dense(2, Activation::Softmax));
        let mut tensors =
            Network::new(architecture.clone(), 0).expect("a network").tensors().to_vec();
        // All numbers are 1; the first logit is the mean of what becomes of them, the other 0.
        let weights = [1.0 / NUMBERS as f32, 0.0].repeat(NUMBERS);
        tensors[1].values.fill(1.0);
        tensors[2].values.copy_from_slice(&weights);
        let network = Network::from_tensors(architecture, tensors).expect("the tensors fit");
        let (_, history) = fit(&network, &black, &FitOptions { epochs: 1, ..still() });
        // loss = ln(1 + e^−logit), and what is kept twice has become 4.
        let logit = -history.epochs[0].loss.exp_m1().ln();
        let kept = logit / 4.0;
        assert!((kept - 0.25).abs() < 0.1, "{kept} is kept");
    }
}

#[test]
fn an_epochs_accuracy_is_that_of_the_network() {
    let split = stripes(SHAPE, 50, 4);
    let learnt = FitOptions { epochs: 3, ..sgd(0.3) };
    // What has learnt something is right more often than wrong.
    for network in [small(), fit(&small(), &split, &learnt).0] {
        let (_, history) = fit(&network, &split, &FitOptions { epochs: 1, ..still() });
        let evaluation = engine(1).evaluate(&network, &split).expect("it fits");
        assert_ne!(evaluation.accuracy(), 0.5);
        assert_eq!(history.epochs[0].accuracy, evaluation.accuracy());
        assert!((history.epochs[0].loss - evaluation.loss).abs() < 1e-6);
    }
}

#[test]
fn of_classes_that_are_equally_likely_the_first_is_read() {
    let architecture = small().architecture().clone();
    let mut tensors = small().tensors().to_vec();
    tensors.iter_mut().for_each(|tensor| tensor.values.fill(0.0));
    let network = Network::from_tensors(architecture, tensors).expect("the tensors fit");
    let plain = images(SHAPE, 5, 6, 5);
    for label in 0..6 {
        let images: Vec<u8> = (0..5).flat_map(|index| plain.image(index).to_vec()).collect();
        let split = Split::new(SHAPE, images.into(), vec![label; 5].into()).expect("counts match");
        let one_step = FitOptions { epochs: 1, batch_size: 5, ..still() };
        let (_, history) = fit(&network, &split, &one_step);
        let right = if label == 0 { 1.0 } else { 0.0 };
        assert_eq!(history.epochs[0].accuracy, right, "in training");
        assert_eq!(engine(1).evaluate(&network, &split).expect("it fits").accuracy(), right);
        let read = engine(1).predict(&network, split.image(0)).expect("it fits");
        assert_eq!(read.class, 0);
    }
}
