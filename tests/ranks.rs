//! Ranks that train together train what one thread trains, to the bit. Here they are threads of one
//! process: what MPI adds is that messages arrive, which the checks show with real ones.

mod generated;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;

use generated::{any_hidden, any_image_layers, architectures, checked, image_networks, images};
use mnistry::image::{ImageShape, RandomAffine};
use mnistry::internals::on_each_rank;
use mnistry::model::{Architecture, Network};
use mnistry::sweep::{Job, Keep, Plan, PlannedRun, Sweep, SweepEnd, SweepFolder};
use mnistry::train::{
    Error, History, LrDecay, LrSchedule, Observer, ObserverError, Progress, State,
};
use mnistry::{
    Activation, Adam, Dataset, Engine, EngineOptions, FitOptions, NoObserver, Optimizer, Ranks,
    Sequential, Sgd, Split,
};
use proptest::prelude::*;
use proptest::sample::select;

const SHAPE: ImageShape = ImageShape { height: 9, width: 8 };

/// The engine of a rank that has so many threads.
fn engine(ranks: &Ranks, threads: usize) -> Engine {
    let options = EngineOptions { threads: Some(threads), ..EngineOptions::default() };
    Engine::across(options, ranks).expect("threads")
}

fn network(architecture: &Architecture) -> Network {
    Network::new(architecture.clone(), 3).expect("a sound network")
}

/// What one thread makes of a new network, and why it ended early.
fn alone(
    architecture: &Architecture,
    split: &Split,
    options: &FitOptions,
) -> (Network, Option<String>) {
    let options_of_engine = EngineOptions { threads: Some(1), ..EngineOptions::default() };
    let engine = Engine::new(options_of_engine).expect("a thread");
    let mut network = network(architecture);
    let error = engine.fit(&mut network, split, options, &mut NoObserver).err();
    (network, error.map(|error| error.to_string()))
}

/// The same by a rank for each of `threads`, which has so many: what rank 0 has, and what each says.
fn together(
    threads: &[usize],
    architecture: &Architecture,
    split: &Split,
    options: &FitOptions,
) -> (Network, Vec<Option<String>>) {
    let mut found = on_each_rank(threads.len(), |ranks| {
        let engine = engine(&ranks, threads[ranks.rank()]);
        let mut network = network(architecture);
        let error = engine.fit(&mut network, split, options, &mut NoObserver).err();
        (network, error.map(|error| error.to_string()))
    });
    let errors = found.iter().map(|(_, error)| error.clone()).collect();
    (found.swap_remove(0).0, errors)
}

fn check(architecture: &Architecture, threads: &[usize], samples: usize, options: &FitOptions) {
    let split = images(architecture.input(), samples, architecture.classes(), options.seed);
    let (expected, error) = alone(architecture, &split, options);
    let (found, errors) = together(threads, architecture, &split, options);
    assert_eq!(errors, vec![error; threads.len()], "{threads:?}");
    let bits = |network: &Network| -> Vec<u32> {
        let values = network.tensors().iter().flat_map(|tensor| &tensor.values);
        values.map(|value| value.to_bits()).collect()
    };
    assert!(bits(&found) == bits(&expected), "{threads:?}: {architecture:?}");
}

/// What ranks there are: each with so many threads.
fn ranks() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1_usize..=3, 2..=4)
}

fn options() -> impl Strategy<Value = FitOptions> {
    let adam = Optimizer::Adam(Adam::default());
    let sgd = Optimizer::Sgd(Sgd { learning_rate: 0.1, momentum: 0.9 });
    let regularised = FitOptions {
        schedule: LrSchedule { warm_up: 0.5, decay: LrDecay::Cosine },
        weight_decay: 0.01,
        label_smoothing: 0.1,
        augmentation: RandomAffine { shift: 1.0, rotation: 10.0, scale: 0.1 },
        validation_split: 0.2,
        ..FitOptions::default()
    };
    let all = [FitOptions::default(), regularised];
    (select(all.to_vec()), select(vec![adam, sgd]), 1_usize..=40, any::<u64>()).prop_map(
        |(options, optimizer, batch_size, seed)| FitOptions {
            epochs: 2,
            optimizer,
            batch_size,
            seed,
            ..options
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn ranks_train_what_one_thread_trains(
        architecture in architectures(any_hidden()),
        threads in ranks(),
        samples in 5_usize..=80,
        options in options(),
    ) {
        check(&architecture, &threads, samples, &options);
    }

    #[test]
    fn and_where_images_are_convolved(
        architecture in image_networks(any_image_layers()),
        threads in ranks(),
        samples in 5_usize..=80,
        options in options(),
    ) {
        check(&architecture, &threads, samples, &options);
    }
}

/// The network of most of these tests.
fn small() -> Architecture {
    checked(Sequential::new(SHAPE).dense(40, Activation::Relu).dense(10, Activation::Softmax))
}

/// Ends a run after so many steps, and notes what it is told.
struct Stopping {
    after: usize,
    steps: usize,
    checkpoints: Vec<State>,
}

impl Observer for Stopping {
    fn on_step_end(&mut self, _: &Progress) -> ControlFlow<()> {
        self.steps += 1;
        match self.steps == self.after {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn is_checkpoint_due(&mut self) -> bool {
        self.steps.is_multiple_of(3)
    }

    fn on_checkpoint(&mut self, state: &State) -> Result<(), ObserverError> {
        self.checkpoints.push(state.clone());
        Ok(())
    }
}

/// The run of `engine` from `state`, stopped after so many steps.
fn stopped(
    engine: &Engine,
    state: &mut State,
    split: &Split,
    after: usize,
) -> (Result<History, Error>, Stopping) {
    let mut observer = Stopping { after, steps: 0, checkpoints: Vec::new() };
    (engine.fit_from(state, split, &mut observer), observer)
}

/// A run that ranks begin, one goes on with, and others end; what it leaves on the way is what one
/// thread leaves.
#[test]
fn states_pass_between_ranks_and_threads() {
    let (architecture, split) = (small(), images(SHAPE, 150, 10, 1));
    let options = FitOptions { epochs: 3, batch_size: 16, ..FitOptions::default() };
    let (expected, _) = alone(&architecture, &split, &options);
    let begun = State::new(network(&architecture), options);
    let by_ranks = |begun: &State, after| {
        on_each_rank(2, |ranks| {
            let mut state = begun.clone();
            let (history, observer) = stopped(&engine(&ranks, 2), &mut state, &split, after);
            (state, history.expect("it trains"), observer)
        })
    };
    let mut found = by_ranks(&begun, 13);
    let (other, history, observer) = found.pop().expect("rank 1");
    assert_eq!(other.network(), begun.network(), "rank 1 knows nothing");
    assert_eq!((history.epochs.len(), other.epochs().len(), observer.steps), (0, 0, 0));
    let (state, history, observer) = found.pop().expect("rank 0");
    assert!(history.stopped && observer.steps == 13);
    assert_eq!((state.epochs().len(), state.step()), (1, 3));

    let one = EngineOptions { threads: Some(1), ..EngineOptions::default() };
    let one = Engine::new(one).expect("a thread");
    let mut same = begun.clone();
    let (_, told) = stopped(&one, &mut same, &split, 13);
    assert_eq!(same.network(), state.network());
    let networks = |observer: &Stopping| -> Vec<Network> {
        observer.checkpoints.iter().map(|state| state.network().clone()).collect()
    };
    assert!(observer.checkpoints.len() > 2);
    assert_eq!(networks(&told), networks(&observer));

    let mut state = state;
    let (history, _) = stopped(&one, &mut state, &split, 5);
    assert!(history.expect("it trains").stopped);
    let ended = by_ranks(&state, 0).swap_remove(0).0;
    assert!(ended.is_complete());
    assert_eq!(*ended.network(), expected);
}

/// What is wrong on one rank, all say, and none waits for the others.
#[test]
fn ranks_that_differ_are_refused() {
    let architecture = small();
    let refused = |of_rank_1: &(dyn Fn(&mut Split, &mut FitOptions) + Sync)| {
        on_each_rank(2, |ranks| {
            let (mut split, mut options) = (images(SHAPE, 50, 10, 1), FitOptions::default());
            if !ranks.is_first() {
                of_rank_1(&mut split, &mut options);
            }
            let mut network = network(&architecture);
            let fitted = engine(&ranks, 1).fit(&mut network, &split, &options, &mut NoObserver);
            fitted.expect_err("they differ").to_string()
        })
    };
    let differs =
        "rank 1 has another version of mnistry, other images or other settings than rank 0";
    for says in refused(&|_, options| options.seed = 1) {
        assert!(says.starts_with(differs), "{says}");
    }
    for says in refused(&|split, _| *split = images(SHAPE, 50, 10, 2)) {
        assert!(says.starts_with(differs), "{says}");
    }
    let of_other_shape = ImageShape { height: 3, width: 3 };
    let says = refused(&|split, _| *split = images(of_other_shape, 50, 10, 1));
    assert_eq!(says[1], "the network reads images of 9 × 8, but these are 3 × 3");
    assert_eq!(says[0], format!("rank 1: {}", says[1]));
}

/// Descent that overshoots ends on all ranks at the same step.
#[test]
fn a_run_that_leaves_the_numbers_ends_everywhere() {
    let input = ImageShape { height: 4, width: 3 };
    let layers = Sequential::new(input).dense(5, Activation::Linear).dense(13, Activation::Linear);
    let architecture = checked(layers.dense(4, Activation::Linear));
    let optimizer = Optimizer::Sgd(Sgd { learning_rate: 0.5, momentum: 0.9 });
    let options = FitOptions { epochs: 2, batch_size: 1, optimizer, ..FitOptions::default() };
    let split = images(input, 18, 4, 1);
    assert!(alone(&architecture, &split, &options).1.is_some());
    check(&architecture, &[1, 1, 2], 18, &options);
}

/// What the runs of a sweep train.
fn job(run: &PlannedRun, images: &Split) -> Job {
    let setting = |name: &str| run.configuration.value(name).expect("it is in the plan").parse();
    let units = setting("hidden").expect("a number");
    let layers = Sequential::new(images.shape()).dense(units, Activation::Relu);
    let options = FitOptions {
        epochs: setting("epochs").expect("a number"),
        seed: run.seed,
        ..FitOptions::default()
    };
    let architecture = checked(layers.dense(10, Activation::Softmax));
    Job { architecture, init: None, options, train_limit: None, files: Vec::new() }
}

/// The rows of a sweep of `plan` by so many ranks of two workers each, and the networks, by run.
fn swept(
    plan: &Plan,
    ranks: usize,
    stop_after: Option<usize>,
    folder: &Path,
) -> (Vec<String>, SweepEnd) {
    let data = Dataset::new("digits", images(SHAPE, 200, 10, 1), images(SHAPE, 50, 10, 2));
    let data = data.expect("they match");
    let mut ends = on_each_rank(ranks, |ranks| {
        let make = |run: &PlannedRun| Ok(job(run, &data.train));
        let sweep = Sweep::new(&data, plan.clone(), EngineOptions::default(), Some(2));
        let sweep = sweep.expect("a sound plan").keep(Keep::All);
        let conditions = sweep.check(&make).expect("it can be done").conditions;
        let sweep = sweep.across(&ranks, &conditions).expect("the same sweep");
        if !ranks.is_first() {
            sweep.follow(&make).expect("it follows");
            return None;
        }
        let folder = SweepFolder::claim(folder, &sweep.claim(&conditions));
        let mut folder = folder.expect("a folder");
        let (stop, mut done) = (sweep.stop_flag(), 0);
        let end = sweep.run(&mut folder, &make, &mut |_| {
            done += 1;
            stop.fetch_or(Some(done) == stop_after, Ordering::Relaxed);
        });
        Some(end.expect("it sweeps"))
    });
    let results = fs::read_to_string(folder.join("results.csv")).expect("there are results");
    let header = results.lines().next().expect("a header");
    let seconds = header.split(',').position(|name| name == "seconds").expect("a column");
    let without_seconds = |line: &str| {
        let fields = line.split(',').enumerate().filter(|(column, _)| *column != seconds);
        fields.map(|(_, field)| field).collect::<Vec<_>>().join(",")
    };
    let mut rows: Vec<_> = results.lines().skip(1).map(without_seconds).collect();
    rows.sort();
    (rows, ends.swap_remove(0).expect("rank 0"))
}

/// Sweeps come to the same on any number of ranks, and when others go on with them; by halving and with
/// folds too, where runs pass from rank to rank.
#[test]
fn ranks_sweep_what_one_process_sweeps() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let settings = [("hidden", "5,9,14,20"), ("epochs", "3")];
    let settings = settings.map(|(name, values)| (name.into(), values.parse().expect("values")));
    let grid =
        Plan { seeds: "1-4".parse().expect("seeds"), settings: settings.into(), ..Plan::default() };
    let halving = Some("2".parse().expect("a factor"));
    let halving = Plan { halving, folds: Some(2), ..grid.clone() };
    for (name, plan, runs) in [("grid", grid, 16), ("halving", halving, 32)] {
        let folder = |ranks: usize| place.path().join(format!("{name}-{ranks}"));
        let (expected, _) = swept(&plan, 1, None, &folder(1));
        assert_eq!(expected.len(), runs);
        for ranks in 2..=4 {
            // When the first result is kept, four ranks have taken eleven runs at most: one a worker,
            // and three more that rank 0 has not listened to yet.
            let (some, end) = swept(&plan, ranks, Some(1), &folder(ranks));
            assert_eq!(end, SweepEnd::Interrupted, "{name} by {ranks}");
            assert!(some.len() < runs, "{name} by {ranks}");
            let (rows, end) = swept(&plan, ranks, None, &folder(ranks));
            assert_eq!((rows, end), (expected.clone(), SweepEnd::Done), "{name} by {ranks}");
        }
    }
}

#[test]
fn sweeps_that_differ_are_refused() {
    let said = on_each_rank(2, |ranks| {
        let data = Dataset::new("digits", images(SHAPE, 50, 10, 1), images(SHAPE, 50, 10, 2));
        let data = data.expect("they match");
        let settings = [("hidden", "5"), ("epochs", "1")];
        let settings =
            settings.map(|(name, values)| (name.into(), values.parse().expect("values")));
        let plan = Plan { settings: settings.into(), ..Plan::default() };
        // As where defaults are others there.
        let make = |which: usize| {
            let (data, rank) = (&data, ranks.rank());
            move |run: &PlannedRun| {
                let job = job(run, &data.train);
                let batch_size = if which == 0 { 8 << rank } else { 8 };
                Ok(Job { options: FitOptions { batch_size, ..job.options }, ..job })
            }
        };
        let keep = |which| if which == 1 && ranks.is_first() { Keep::Best } else { Keep::None };
        let agree = |which: usize| {
            let sweep = Sweep::new(&data, plan.clone(), EngineOptions::default(), Some(1));
            let sweep = sweep.expect("a plan").keep(keep(which));
            let conditions = sweep.check(&make(which)).expect("it can be done").conditions;
            sweep.across(&ranks, &conditions).map(drop).map_err(|error| error.to_string())
        };
        [0, 1, 2].map(agree)
    });
    for [options, keep, same] in said {
        for said in [options, keep] {
            let said = said.expect_err("they differ");
            assert!(said.starts_with("rank 1 has another version"), "{said}");
        }
        assert_eq!(same, Ok(()));
    }
}
