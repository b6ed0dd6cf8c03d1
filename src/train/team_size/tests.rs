//! The search for the fastest size, on machines that are but simulated, and real runs whose team
//! changes all the time.

use proptest::prelude::*;

use super::TeamSize;
use super::auto::AutoSize;
use crate::data::Split;
use crate::exec::engine::{Engine, EngineOptions};
use crate::image::{ImageShape, RandomAffine};
use crate::kernels::optim::{Adam, Optimizer, Sgd};
use crate::model::{Activation, Network, Sequential};
use crate::rng::{Rng, Stream};
use crate::sync::Cores;
use crate::train::{FitOptions, NoObserver, State};

/// What a step takes with so many threads, at so many seconds since the run began.
type Machine<'a> = &'a dyn Fn(usize, f64) -> f64;

/// How a run went.
#[derive(Debug)]
struct Run {
    seconds: f64,
    /// The sizes of the team.
    sizes: Vec<Taken>,
}

/// A size of the team, and when it was taken.
#[derive(Debug, PartialEq)]
struct Taken {
    threads: usize,
    step: usize,
    seconds: f64,
}

impl Run {
    /// The size at its end.
    fn last(&self) -> usize {
        self.sizes.last().map_or(0, |size| size.threads)
    }

    /// The size after so many seconds.
    fn at(&self, seconds: f64) -> usize {
        let before = self.sizes.iter().take_while(|size| size.seconds <= seconds);
        before.last().map_or(0, |size| size.threads)
    }
}

/// What a change of the team takes.
const CHANGE: f64 = 0.0004;

/// Has a run of `steps` steps look for its size on `machine`, for work of so many `parts`.
fn run(cores: Cores, parts: usize, steps: usize, machine: Machine<'_>) -> Run {
    let mut size = AutoSize::new(cores, parts, steps);
    let mut run = Run { seconds: 0.0, sizes: Vec::new() };
    for step in 0..steps {
        let threads = size.threads();
        if run.last() != threads {
            run.sizes.push(Taken { threads, step, seconds: run.seconds });
            run.seconds += CHANGE;
            size.changed(CHANGE);
        }
        let took = machine(threads, run.seconds);
        run.seconds += took;
        size.step_took(took);
    }
    run
}

/// The same with always the same size.
fn fixed(threads: usize, steps: usize, machine: Machine<'_>) -> f64 {
    (0..steps).fold(0.0, |seconds, _| seconds + machine(threads, seconds))
}

/// Asserts that a run takes at most `most` times as long as with the best fixed size.
#[track_caller]
fn assert_near_best(
    cores: Cores,
    parts: usize,
    steps: usize,
    machine: Machine<'_>,
    most: f64,
) -> Run {
    let found = run(cores, parts, steps, machine);
    let sizes = 1..=cores.logical;
    let best = sizes.map(|threads| fixed(threads, steps, machine)).fold(f64::INFINITY, f64::min);
    assert!(found.seconds <= most * best, "{} s in place of {best} s: {found:?}", found.seconds);
    found
}

fn cores(count: usize) -> Cores {
    Cores { physical: count, fast: count, logical: count }
}

/// The seed's step: seven column blocks of the first layer are shared out, the rest is not, and four
/// times a step a cache line goes from core to core, to one after the other.
fn barriers(threads: usize) -> f64 {
    barriers_of(0.1, threads)
}

/// The same where a line takes so many µs.
fn barriers_of(line: f64, threads: usize) -> f64 {
    let blocks = 7_usize.div_ceil(threads.min(7)) as f64;
    (4.0 + 6.0 * blocks + 4.0 * line * (threads - 1) as f64) * 1e-6
}

/// Beside a busy loop on two cores: a team of two, every four milliseconds, waits for as long.
fn beside_a_loop(threads: usize, at: f64) -> f64 {
    let undisturbed = barriers(threads);
    let is_stopped = threads == 2 && (at / 0.004) as usize != ((at + undisturbed) / 0.004) as usize;
    undisturbed + if is_stopped { 0.0039 } else { 0.0 }
}

#[test]
fn alone_all_cores_are_kept_and_trying_costs_a_hundredth() {
    assert_near_best(cores(2), 7, 9375, &|threads, _| barriers(threads), 1.01);
}

#[test]
fn of_many_cores_no_more_are_used_than_are_faster() {
    for count in [4, 8, 16, 32, 64, 128] {
        for line in [0.1, 0.275] {
            let machine = |threads: usize, _: f64| barriers_of(line, threads);
            assert_near_best(cores(count), 7, 9375, &machine, 1.1);
        }
        // What takes a hundred times as long uses them all, or nearly.
        let large = |threads: usize, _: f64| 0.01 / threads as f64 + 4e-7 * threads as f64;
        assert_near_best(cores(count), 256, 3000, &large, 1.1);
    }
}

/// 64 workers on two cores, each of which sleeps at every turn until all others had the core: of
/// thousands of steps it gets a handful.
#[test]
fn a_team_of_64_on_two_cores_is_abandoned_at_once() {
    let turns = |threads: usize, _: f64| {
        barriers(threads.min(2)) + if threads > 2 { 4.0 * 5e-6 * threads as f64 } else { 0.0 }
    };
    let found = assert_near_best(cores(64), 64, 30_000, &turns, 1.1);
    assert_eq!(found.sizes[0].threads, 64);
    assert!(found.sizes[1].step < 16, "{found:?}");
    assert_eq!(found.last(), 2, "{found:?}");
}

#[test]
fn beside_a_busy_loop_one_core_of_two_is_left_to_it() {
    let found = assert_near_best(cores(2), 7, 9375, &beside_a_loop, 1.1);
    assert_eq!(found.last(), 1, "{found:?}");
}

/// Beside two busy loops on two cores: every four milliseconds the system asks who goes next. A thread
/// waits now and then, a team of two most of the time. One such wait is no reason to change.
#[test]
fn a_thread_that_lets_others_go_first_keeps_its_size() {
    for seed in 0..10 {
        let two_loops = |threads: usize, at: f64| {
            let (undisturbed, share, wait) =
                if threads == 1 { (70e-6, 0.4, 0.004) } else { (42e-6, 0.9, 0.010) };
            let slice = |at: f64| (at / 0.004) as u64;
            let next = slice(at + undisturbed);
            let chance = f64::from(Rng::stream(seed, Stream::Shuffle, next).unit());
            let waits = slice(at) != next && chance < share;
            undisturbed + if waits { wait } else { 0.0 }
        };
        let found = assert_near_best(cores(2), 7, 9375, &two_loops, 1.08);
        assert_eq!(found.last(), 1, "{found:?}");
        assert!(found.sizes.len() <= 10, "{found:?}");
    }
}

/// Two runs that slow each other from their start on: nothing tells that steps were ever faster, and of a
/// few hundred steps a try takes a good part. One thread is found, and alone two are kept.
#[test]
fn a_short_run_that_is_slow_from_the_start_on_finds_its_size() {
    let of_512 = |two: f64| move |threads: usize, _: f64| if threads == 2 { two } else { 830e-6 };
    for (two, expected) in [(1000e-6, 1), (500e-6, 2)] {
        let found = assert_near_best(cores(2), 7, 590, &of_512(two), 1.03);
        assert_eq!(found.last(), expected, "{found:?}");
    }
}

/// A neighbour that comes and goes is noticed, either way.
#[test]
fn a_neighbour_comes_and_goes() {
    let neighbour = |threads: usize, at: f64| match at {
        at if (1.0..3.0).contains(&at) => beside_a_loop(threads, at),
        _ => barriers(threads),
    };
    let found = run(cores(2), 7, 200_000, &neighbour);
    for (seconds, expected) in [(0.9, 2), (1.1, 1), (2.9, 1), (4.0, 2)] {
        assert_eq!(found.at(seconds), expected, "after {seconds} s: {found:?}");
    }
}

/// A quota of one core stops a team of two for half of every tenth of a second.
#[test]
fn a_quota_of_one_core_is_kept_by_one_thread() {
    let quota = |threads: usize, at: f64| {
        let undisturbed = barriers(threads);
        let is_over = threads == 2 && (at % 0.1) > 0.05;
        undisturbed + if is_over { 0.1 - at % 0.1 } else { 0.0 }
    };
    assert_near_best(cores(2), 7, 40_000, &quota, 1.1);
}

/// Two threads of a core share its arithmetic units: they are tried, and kept only where they help.
#[test]
fn siblings_are_used_where_they_help() {
    let cores = Cores { physical: 4, fast: 4, logical: 8 };
    let shared = |gain: f64| {
        move |threads: usize, _: f64| match threads {
            8 => 1e-4 / (4.0 * gain),
            threads => 1e-4 / threads.min(4) as f64,
        }
    };
    for (gain, expected) in [(0.9, 4), (1.2, 8)] {
        let found = assert_near_best(cores, 64, 9375, &shared(gain), 1.02);
        assert_eq!(found.last(), expected, "{found:?}");
    }
}

/// Half of the cores do a fourth of what the others do: a run begins without them, and stays so.
#[test]
fn slow_cores_are_not_waited_for() {
    let cores = Cores { physical: 8, fast: 4, logical: 8 };
    let machine = |threads: usize, _: f64| match threads {
        5.. => 1e-4 / (0.25 * threads as f64),
        threads => 1e-4 / threads as f64,
    };
    let found = assert_near_best(cores, 64, 9375, &machine, 1.02);
    assert_eq!((found.sizes[0].threads, found.last()), (4, 4), "{found:?}");
}

/// Of a run of a few long steps none is spent on trying.
#[test]
fn a_short_run_keeps_all_cores() {
    let found = run(cores(64), 64, 10, &|threads, _| 1.0 / threads as f64);
    assert_eq!(found.sizes.len(), 1, "{found:?}");
    assert_eq!(found.last(), 64);
}

/// Images of 6 × 7 pixels of three classes.
fn images() -> Split {
    let shape = ImageShape { height: 6, width: 7 };
    let pixels: Vec<u8> =
        (0..42 * 50_u32).map(|i| if i % 3 == 0 { (i * i % 251) as u8 } else { 0 }).collect();
    let labels: Vec<u8> = (0..50).map(|i| i % 3).collect();
    Split::new(shape, pixels.into(), labels.into()).expect("as many labels as images")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the sizes of the team, and whenever they change, the run is the same to the bit.
    #[test]
    fn a_team_that_changes_leaves_no_trace(
        sizes in prop::collection::vec(1_usize..=5, 40),
        batch_size in 3_usize..=40,
        convolutional in any::<bool>(),
        adam in any::<bool>(),
    ) {
        let split = images();
        let network = Sequential::new(split.shape());
        let network = match convolutional {
            true => network.conv2d(3, 3, Activation::Relu).max_pool(2).flatten(),
            false => network.dense(36, Activation::Relu).dropout(0.3),
        };
        let network = Network::new(network.dense(3, Activation::Softmax), 1).expect("layers fit");
        let optimizer = match adam {
            true => Optimizer::Adam(Adam::default()),
            false => Optimizer::Sgd(Sgd { momentum: 0.9, ..Sgd::default() }),
        };
        let augmentation = RandomAffine::default();
        let options = FitOptions { epochs: 3, batch_size, optimizer, augmentation, ..FitOptions::default() };
        let engine = EngineOptions { threads: Some(5), ..EngineOptions::default() };
        let engine = Engine::new(engine).expect("threads");
        let trained = |size| {
            let mut state = State::new(network.clone(), options);
            let parts = engine.prepare(&network, &split, &options).expect("the images fit");
            let history = engine.go_on(&mut state, parts, &mut NoObserver, size).expect("it trains");
            let losses: Vec<u64> = history.epochs.iter().map(|epoch| epoch.loss.to_bits()).collect();
            (losses, state.network().tensors().to_vec(), history.teams)
        };
        let (losses, tensors, _) = trained(TeamSize::Fixed(1));
        let steps = 3 * 50_usize.div_ceil(batch_size);
        let (other_losses, other_tensors, teams) = trained(TeamSize::Changing(sizes));
        prop_assert_eq!(losses, other_losses);
        prop_assert_eq!(tensors, other_tensors);
        prop_assert_eq!(teams.iter().map(|team| team.steps).sum::<usize>(), steps);
    }
}
